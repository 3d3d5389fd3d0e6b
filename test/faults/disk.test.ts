/**
 * test: B1-B3, B8, B12-B14, B22: full disks, short writes, storages that are not there, links where folders should be.
 */
import { lchownSync, mkdirSync, readdirSync, readFileSync, renameSync, rmSync, statSync, symlinkSync, writeFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import type { Backup } from '../../src/model/backup/backup.js';
import { startCli, type CliResult } from '../fixtures/cli.js';
import { count } from '../fixtures/counts.js';
import { cloneDatabase, type TestDatabase } from '../fixtures/database.js';
import { shim, shimDirectory } from '../fixtures/shims.js';
import { mountSmallDisk, noMount, noPrlimit, noStrace, pageSize, watched, type SmallDisk } from './inject.js';
import { afterwards, filesIn, openRig, type Rig, type RigOptions } from './rig.js';

let database: TestDatabase;
beforeAll(async () => {
  database = await cloneDatabase('shop');
});
afterAll(() => database.drop());

/** What is to be tidied up after a test, the newest first. */
const tidy: (() => void)[] = [];
afterEach(() => {
  for (const deed of tidy.splice(0).toReversed()) deed();
});

/** A project with one good backup in it. */
async function usedRig(options: RigOptions = {}): Promise<{ rig: Rig; backup: Backup }> {
  const rig = openRig(database, options);
  tidy.push(() => rig.cleanup());
  expect(await rig.execute()).toMatchObject({ exitCode: 0 });
  const [backup] = (await rig.catalog()).backups;
  if (!backup) throw new Error('no backup');
  return { rig, backup };
}

function smallDisk(): SmallDisk {
  const disk = mountSmallDisk();
  tidy.push(() => disk.umount());
  return disk;
}

const errorOf = ({ stdout, stderr }: CliResult): { code?: string; message?: string } =>
  (JSON.parse(stdout || `{"error":{"message":${JSON.stringify(stderr)}}}`) as { error?: object }).error ?? {};

/** A backup that meets a full disk: it says so, is not kept, and costs none that was there. */
async function metFullDisk(rig: Rig, run: () => Promise<CliResult>, where = ''): Promise<CliResult> {
  const before = (await rig.catalog()).backups.length;
  const said = await run();
  expect(errorOf(said), where).toMatchObject({ code: 'no-space', class: 'resource' });
  expect(said.exitCode).toBe(21);
  expect((await rig.catalog()).backups).toHaveLength(before);
  return said;
}

const isRoot = process.geteuid?.() === 0;
const nobody = 65_534;

/** Bytes of a file on a disk of pages. */
const onPages = (bytes: number): number => Math.ceil(bytes / pageSize) * pageSize;

describe.skipIf(noMount)(`full disks${noMount ? ` (${noMount})` : ''}`, () => {
  const uncompressed = { compression: 'none' };
  const sizeOf = (backup: Backup, kind: string) => backup.manifest.artifacts.find((artifact) => artifact.kind === kind)?.size ?? 0;

  test('B1: the storage is full within the archive, and before its last byte', async ({ task }) => {
    const disk = smallDisk();
    // a retry that was left would be an event that does not end
    const { rig, backup } = await usedRig({ store: disk.path, settings: { ...uncompressed, autoRetry: true } });
    const archive = onPages(sizeOf(backup, 'database'));
    const rooms = [archive * 0.1, archive * 0.5, archive * 0.99, archive - pageSize];
    const rounds = count(1, 10);
    const violations: string[] = [];
    for (let round = 0; round < rounds; round += 1)
      for (const room of rooms) {
        disk.leave(room);
        const said = await metFullDisk(rig, () => rig.execute(), `${room} bytes`);
        expect(readdirSync(join(rig.store, 'shop')).filter((name) => name.endsWith('.partial'))).toEqual([]);
        disk.leave(40 * 1024 * 1024);
        violations.push(...(await afterwards(rig, { said })).map((one) => `${room} bytes left: ${one}`));
      }
    task.meta.score = { row: 'B1', what: 'the storage is full', n: rounds * rooms.length, violations };
    expect(violations).toEqual([]);
  });

  test('B2: the storage is full when everything is in it but the manifest', async ({ task }) => {
    const disk = smallDisk();
    const { rig, backup } = await usedRig({ store: disk.path, settings: uncompressed });
    const everything = backup.manifest.artifacts.reduce((sum, { size }) => sum + onPages(size), 0);
    const rounds = count(1, 10);
    const violations: string[] = [];
    for (let round = 0; round < rounds; round += 1) {
      disk.leave(everything);
      const { lines, ...under } = watched(['openat'], join(rig.directory, 'calls.log'));
      const said = await metFullDisk(rig, () => rig.execute(noStrace ? {} : under));
      // it was there already, without a byte in it
      if (!noStrace) expect(lines().some((line) => line.includes('manifest.json') && line.includes('O_EXCL'))).toBe(true);
      expect(readdirSync(join(rig.store, 'shop'))).toHaveLength((await rig.catalog()).backups.length);
      disk.leave(40 * 1024 * 1024);
      violations.push(...(await afterwards(rig, { said })));
    }
    task.meta.score = { row: 'B2', what: 'the storage is full at the manifest', n: rounds, violations };
    expect(violations).toEqual([]);
  });

  test('B22: there was room when it was looked for, and another process takes it', async ({ task }) => {
    const disk = smallDisk();
    const conditions = { minDiskSpace: 0.01, maxConcurrentBackups: 8 };
    const { rig } = await usedRig({ store: disk.path, settings: { ...uncompressed, conditions, loadBasedBackup: false } });
    const filler = join(disk.path, '..', 'filler');
    const shims = shimDirectory({
      pg_dump: (real) =>
        `#!/bin/sh\ncase "$1" in --version|-V) exec '${real}' "$@";; esac\ncat /dev/zero >'${filler}' 2>/dev/null\nexec '${real}' "$@"\n`,
    });
    tidy.push(() => shims.remove());
    const execute = (...more: readonly string[]) => rig.run(['execute', '--json', ...more]);
    // the look is one: with less than the condition asks for nothing is begun
    disk.leave(1024 * 1024);
    expect(await execute()).toMatchObject({ exitCode: 75 });
    const rounds = count(1, 10);
    const violations: string[] = [];
    for (let round = 0; round < rounds; round += 1) {
      disk.leave(16 * 1024 * 1024);
      const said = await metFullDisk(rig, () => execute('--set', `clientDirectory=${shims.directory}`));
      rmSync(filler);
      disk.leave(40 * 1024 * 1024);
      violations.push(...(await afterwards(rig, { said })));
    }
    task.meta.score = { row: 'B22', what: 'the room that was found is taken by another process', n: rounds, violations };
    expect(violations).toEqual([]);
  });

  test('B3: the state directory is full before anything is begun: exit 74', async ({ task }) => {
    const disk = smallDisk();
    const { rig } = await usedRig({ state: disk.path });
    const rounds = count(4, 20);
    const violations: string[] = [];
    let unwritable = 0;
    for (let round = 0; round < rounds; round += 1) {
      // the ledger's last page takes some lines still, so that each round stops at another one
      disk.leave(0);
      const said = await rig.execute();
      expect([0, 74]).toContain(said.exitCode);
      if (said.exitCode === 74) {
        unwritable += 1;
        expect(errorOf(said)).toMatchObject({ code: 'ledger' });
      }
      disk.leave(8 * 1024 * 1024);
      violations.push(...(await afterwards(rig, { said, corruptLines: 2 * (round + 1) })));
    }
    task.meta.score = { row: 'B3', what: 'the state directory is full', n: rounds, violations, figures: `${unwritable} with exit 74` };
    expect(violations).toEqual([]);
    expect(unwritable).toBeGreaterThan(0);
  });

  test('B3: the state directory becomes full during the dump: exit 74, and the backup, which lies there whole, is found by the next run', async ({
    task,
  }) => {
    const disk = smallDisk();
    const { rig } = await usedRig({ state: disk.path });
    const filler = join(disk.path, '..', 'filler');
    // every page is taken, and the rest of the ledger's last one, which could hold the event's last line still, by a torn line
    const segment = join(rig.state, 'ledger/events-000001.jsonl');
    const fill = `dd if=/dev/zero of='${filler}' bs=64k 2>/dev/null; head -c 8192 /dev/zero | tr '\\0' x >>'${segment}' 2>/dev/null`;
    const shims = shimDirectory({
      pg_dump: (real) => `#!/bin/sh\ncase "$1" in --version|-V) exec '${real}' "$@";; esac\n${fill}\nexec '${real}' "$@"\n`,
    });
    tidy.push(() => shims.remove());
    const rounds = count(2, 10);
    const violations: string[] = [];
    for (let round = 0; round < rounds; round += 1) {
      disk.leave(256 * 1024);
      const known = new Set((await rig.events()).events.map(({ id }) => id));
      // without a password there is no private file whose removal would make room again
      const said = await rig.execute({ env: { DATABASE_URL: database.url } }, '--set', `clientDirectory=${shims.directory}`);
      expect(said).toMatchObject({ exitCode: 74 });
      expect(errorOf(said)).toMatchObject({ code: 'ledger' });
      rmSync(filler);
      disk.leave(8 * 1024 * 1024);
      violations.push(...(await afterwards(rig, { said, corruptLines: 3 * (round + 1) })));
      const event = (await rig.events()).events.find(({ id }) => !known.has(id));
      expect(event).toMatchObject({ status: 'completed', recovered: true });
    }
    task.meta.score = { row: 'B3', what: 'the state directory becomes full during the dump', n: rounds, violations };
    expect(violations).toEqual([]);
  });
});

test.skipIf(noPrlimit)('B8: a file may not grow beyond a limit, and the write that meets it is short', async ({ task }) => {
  const { rig, backup } = await usedRig({ settings: { compression: 'none' } });
  const archive = Math.max(...backup.manifest.artifacts.map(({ size }) => size));
  const rounds = count(2, 10);
  const violations: string[] = [];
  for (let round = 0; round < rounds; round += 1) {
    const limit = Math.floor((archive * (round + 1)) / (rounds + 1)) + 7;
    const said = await rig.execute({ under: ['prlimit', `--fsize=${limit}`] });
    expect(said).toMatchObject({ exitCode: 21 });
    violations.push(...(await afterwards(rig, { said })));
  }
  task.meta.score = { row: 'B8', what: 'short writes', n: rounds, violations };
  expect(violations).toEqual([]);
});

test('B12: a storage that is not mounted, or another one in its place, is not written to', async ({ task }) => {
  const { rig } = await usedRig();
  const aside = `${rig.store}-aside`;
  renameSync(rig.store, aside);
  const refused = async (why: RegExp) => {
    const said = await rig.execute();
    expect(said).toMatchObject({ exitCode: 21 });
    expect(errorOf(said)).toMatchObject({ code: 'storage-marker', message: expect.stringMatching(why) as string });
  };
  await refused(/no marker/);
  expect(statSync(rig.store, { throwIfNoEntry: false })).toBeUndefined();
  mkdirSync(rig.store);
  await refused(/no marker/);
  expect(filesIn(rig.store)).toEqual([]);
  writeFileSync(join(rig.store, '.backup-automation-storage'), 'e4d909c2-90d0-4f3c-8a1b-000000000000\n');
  await refused(/another storage/);
  expect(filesIn(rig.store)).toHaveLength(1);
  rmSync(rig.store, { recursive: true });
  renameSync(aside, rig.store);
  const violations = await afterwards(rig);
  task.meta.score = { row: 'B12', what: 'the storage is not mounted, or is another one', n: 3, violations };
  expect(violations).toEqual([]);
});

test('B12: a run that died when its storage went away ends as what it was, once the storage is back', async () => {
  const { rig } = await usedRig();
  const context = await rig.context();
  const [known] = (await rig.events()).events;
  const { backups } = await rig.catalog();
  if (!known || !backups[0]) throw new Error('nothing to start from');
  // as if the process had died between the commit and its "completed"
  const segment = join(rig.state, 'ledger/events-000001.jsonl');
  const lines = readFileSync(segment, 'utf8').split('\n');
  writeFileSync(segment, lines.filter((line) => !line.includes('"completed"')).join('\n'));
  writeFileSync(join(rig.state, 'run', `${known.id}.lock`), '');
  const aside = `${rig.store}-aside`;
  renameSync(rig.store, aside);
  expect(await rig.execute()).toMatchObject({ exitCode: 21 });
  expect((await context.ledger.find(known.id))?.status).toBe('running');
  renameSync(aside, rig.store);
  expect(await afterwards(rig)).toEqual([]);
  expect(await context.ledger.find(known.id)).toMatchObject({ status: 'completed', recovered: true });
});

describe('B13: links are not followed', () => {
  let rig: Rig;
  let backup: Backup;
  let elsewhere: string;
  beforeAll(async () => {
    const used = openRig(database);
    rig = used;
    expect(await rig.execute()).toMatchObject({ exitCode: 0 });
    const [made] = (await rig.catalog()).backups;
    if (!made) throw new Error('no backup');
    backup = made;
    elsewhere = join(rig.directory, 'elsewhere');
  });
  afterAll(() => rig.cleanup());

  /** A link in the place of `path` to a folder or a file of somebody's, while `deed` is done; then all is as it was. */
  async function withLink(path: string, kind: 'file' | 'folder', deed: () => Promise<void>): Promise<void> {
    mkdirSync(elsewhere, { mode: 0o700 });
    const target = kind === 'folder' ? elsewhere : join(elsewhere, 'precious');
    writeFileSync(join(elsewhere, 'precious'), 'precious');
    const there = statSync(path, { throwIfNoEntry: false }) !== undefined;
    if (there) renameSync(path, `${path}.aside`);
    symlinkSync(target, path);
    if (isRoot) lchownSync(path, nobody, nobody);
    try {
      await deed();
      expect(readdirSync(elsewhere)).toEqual(['precious']);
      expect(readFileSync(join(elsewhere, 'precious'), 'utf8')).toBe('precious');
    } finally {
      rmSync(path);
      if (there) renameSync(`${path}.aside`, path);
      rmSync(elsewhere, { recursive: true });
    }
  }

  const planted: readonly (readonly [what: string, path: () => string, kind: 'file' | 'folder', exit: number])[] = [
    ["the database's folder", () => join(rig.store, 'shop'), 'folder', 21],
    ['the marker', () => join(rig.store, '.backup-automation-storage'), 'file', 21],
    ['a segment of the ledger', () => join(rig.state, 'ledger/events-000001.jsonl'), 'file', 74],
    ["the ledger's lock", () => join(rig.state, 'locks/ledger.lock'), 'file', 74],
    ['the lock of a place', () => join(rig.state, 'locks/host.0.lock'), 'file', 74],
    ["somebody's folder of runs", () => join(rig.state, 'run'), 'folder', 74],
    ["somebody's folder of locks", () => join(rig.state, 'locks'), 'folder', 74],
    ["somebody's folder of the ledger", () => join(rig.state, 'ledger'), 'folder', 74],
  ];
  test.each(planted)('%s', async (what, path, kind, exit) => {
    // a link of our own in a folder that only we can write to is our own doing
    if (what.startsWith('somebody') && !isRoot) return;
    await withLink(path(), kind, async () => {
      expect(await rig.execute()).toMatchObject({ exitCode: exit });
    });
  });

  test('a manifest, an artifact, the folder of a backup', async () => {
    const folder = join(rig.store, 'shop', backup.backupId);
    const context = await rig.context();
    for (const path of [join(folder, 'manifest.json'), join(folder, backup.manifest.artifacts[0]?.name ?? ''), folder])
      await withLink(path, path === folder ? 'folder' : 'file', async () => {
        const { backups } = await rig.catalog();
        expect(backups.map(({ backupId }) => backupId)).not.toContain(backup.backupId);
        if (path !== folder) await expect(context.storages[0]?.get(backup, basename(path))).rejects.toMatchObject({ code: 'storage' });
      });
  });

  test('and afterwards all is as before', async ({ task }) => {
    const violations = await afterwards(rig);
    task.meta.score = { row: 'B13', what: 'links planted', n: planted.length + 3, violations };
    expect(violations).toEqual([]);
  });
});

test('B14: a storage that is removed while it is written to fails the backup, and is not made anew', async ({ task }) => {
  const { rig } = await usedRig();
  const rounds = count(1, 5);
  for (let round = 0; round < rounds; round += 1) {
    const shims = shimDirectory({ pg_dump: shim.held });
    tidy.push(() => shims.remove());
    const aside = `${rig.store}-aside`;
    const args = ['execute', '--force', '--json', '--set', `clientDirectory=${shims.directory}`];
    const { done } = startCli(args, { cwd: rig.directory, env: rig.env });
    const partial = () => readdirSync(join(rig.store, 'shop')).some((name) => name.endsWith('.partial'));
    while (!partial()) await sleep(20);
    renameSync(rig.store, aside);
    shims.release();
    const said = await done;
    expect(said).toMatchObject({ exitCode: 21 });
    expect(statSync(rig.store, { throwIfNoEntry: false })).toBeUndefined();
    renameSync(aside, rig.store);
  }
  const violations = await afterwards(rig);
  task.meta.score = { row: 'B14', what: 'the storage goes away while it is written to', n: rounds, violations };
  expect(violations).toEqual([]);
});
