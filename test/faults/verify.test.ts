/**
 * test: A15, B7, G14: a verification that is killed, that the disk does not let read, or that has no room.
 */
import { chmodSync, readFileSync, readdirSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, expect, test } from 'vitest';
import type { Backup } from '../../src/model/backup/backup.js';
import type { BackupEvent } from '../../src/model/events/event.js';
import { startCli } from '../fixtures/cli.js';
import { count } from '../fixtures/counts.js';
import { cloneDatabase, databaseUrl, sql, type TestDatabase } from '../fixtures/database.js';
import { contentOf } from '../fixtures/lab.js';
import { shim, shimDirectory } from '../fixtures/shims.js';
import { mountSmallDisk, noMount, noStrace, underStrace } from './inject.js';
import { afterwards, openRig, type Rig } from './rig.js';

let database: TestDatabase;
let rig: Rig;
let backup: Backup;
beforeAll(async () => {
  database = await cloneDatabase('shop');
  rig = openRig(database);
  expect(await rig.execute()).toMatchObject({ exitCode: 0 });
  const [made] = (await rig.catalog()).backups;
  if (!made) throw new Error('no backup');
  backup = made;
});
afterAll(async () => {
  rig.cleanup();
  await database.drop();
});

const scratches = async () =>
  (await sql(databaseUrl('postgres'), "SELECT datname FROM pg_database WHERE datname LIKE 'backup-automation\\_verify\\_%'"))
    .split('\n')
    .filter(Boolean);

test('A15: a verification that is killed leaves a scratch database, which the next one removes; the source is as it was', async ({
  task,
}) => {
  const before = await contentOf(database.url);
  const shims = shimDirectory({ pg_restore: shim.slow(5) });
  const rounds = count(1, 20);
  const violations: string[] = [];
  try {
    for (let round = 0; round < rounds; round += 1) {
      const server = ['--set', `verify.server=env:VERIFY_URL`];
      const env = { ...rig.env, VERIFY_URL: databaseUrl('postgres') };
      const { child, done } = startCli(['verify', ...server, '--set', `clientDirectory=${shims.directory}`], { cwd: rig.directory, env });
      while ((await scratches()).length === 0) await sleep(20);
      await sleep(round * 20);
      child.kill('SIGKILL');
      await done;
      const next = await rig.run(['verify', ...server], { env });
      if (next.exitCode !== 0) violations.push(`the next verification ended with ${next.exitCode}: ${next.stderr}`);
      const left = await scratches();
      if (left.length > 0) violations.push(`left: ${left.join(', ')}`);
    }
  } finally {
    shims.remove();
  }
  if ((await contentOf(database.url)) !== before) violations.push('the source is not as it was');
  violations.push(...(await afterwards(rig)));
  task.meta.score = { row: 'A15', what: 'death in verify', n: rounds, violations };
  expect(violations).toEqual([]);
});

test.skipIf(noStrace)(
  `B7: EIO when a copy is read: exit 21, the backup is not good any more${noStrace ? ` (${noStrace})` : ''}`,
  async ({ task }) => {
    const artifact = backup.manifest.artifacts.find(({ kind }) => kind === 'database');
    const path = join(rig.store, 'shop', backup.backupId, artifact?.name ?? '');
    const rounds = count(1, 5);
    for (let round = 0; round < rounds; round += 1) {
      const said = await rig.run(
        ['verify', backup.backupId, '--level', 'checksum', '--json'],
        underStrace(['read:error=EIO', 'pread64:error=EIO'], path),
      );
      expect(said).toMatchObject({ exitCode: 21 });
      expect(JSON.parse(said.stdout)).toMatchObject({
        results: [{ ok: false }],
        error: { code: 'unreadable', message: expect.stringContaining('EIO') as string },
      });
      // the storage's folder is named, and no path in it
      expect(said.stdout).not.toContain(`${rig.store}/`);
      const found = (await rig.catalog()).backups.find(({ backupId }) => backupId === backup.backupId);
      expect(found).toMatchObject({ suspect: true, badCopies: ['local'] });
      expect(await rig.run(['verify', backup.backupId, '--level', 'checksum'])).toMatchObject({ exitCode: 0 });
    }
    task.meta.score = { row: 'B7', what: 'EIO on read in verify', n: rounds, violations: [] };
  },
);

test('damage that crashes pg_restore counts against the backup; a pg_restore that dies over good bytes does not', async () => {
  const shims = shimDirectory({ pg_restore: shim.killed(0) });
  const unpacked = ['--set', 'compression=none'];
  const made = JSON.parse((await rig.run(['execute', '--force', '--json', ...unpacked])).stdout) as { events: BackupEvent[] };
  const id = made.events[0]?.result?.backupId ?? '';
  const verify = () => rig.run(['verify', id, '--level', 'archive', '--json', '--set', `clientDirectory=${shims.directory}`]);
  const found = async () => (await rig.catalog()).backups.find(({ backupId }) => backupId === id);
  const file = join(rig.store, 'shop', id, 'database.dump');
  const bytes = readFileSync(file);
  try {
    const died = await verify();
    expect(died).toMatchObject({ exitCode: 20 });
    expect(JSON.parse(died.stdout)).toMatchObject({ results: [], error: { code: 'engine-killed', class: 'transient' } });
    expect(await found()).toMatchObject({ suspect: false });
    writeFileSync(file, Buffer.from(bytes).fill(7, 2000, 2100));
    const damaged = await verify();
    expect(damaged).toMatchObject({ exitCode: 22 });
    expect(JSON.parse(damaged.stdout)).toMatchObject({ results: [{ ok: false, detail: expect.stringContaining('SHA-256') as string }] });
    expect(await found()).toMatchObject({ suspect: true });
  } finally {
    shims.remove();
    writeFileSync(file, bytes);
    await rig.run(['verify', id, '--level', 'checksum']);
  }
});

test.skipIf(noMount)(
  `G14: a verification without room for its server is undone, and the backup is not marked bad${noMount ? ` (${noMount})` : ''}`,
  async ({ task }) => {
    const disk = mountSmallDisk();
    // the server's account has to enter it
    for (const folder of [disk.path, dirname(disk.path)]) chmodSync(folder, 0o755);
    try {
      disk.leave(2 * 1024 * 1024);
      const said = await rig.run(['verify', backup.backupId, '--json', '--set', `verify.folder=${disk.path}`]);
      expect(said).toMatchObject({ exitCode: 22, stdout: expect.stringContaining('there is no room to restore for proof') as string });
      const [found] = (await rig.catalog()).backups.filter(({ backupId }) => backupId === backup.backupId);
      expect(found).toMatchObject({ suspect: false, badCopies: [] });
      expect(readdirSync(disk.path)).toEqual([]);
    } finally {
      disk.umount();
    }
    task.meta.score = { row: 'G14', what: 'no room for the scratch server', n: 1, violations: [] };
  },
);
