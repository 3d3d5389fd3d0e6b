/**
 * test: G8, G10: a restore is refused where it would do harm, and nobody removes a backup that is being read.
 */
import { statfsSync } from 'node:fs';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { startCluster } from '../../src/system/postgres/cluster.js';
import { runCli } from '../fixtures/cli.js';
import { count } from '../fixtures/counts.js';
import { cloneDatabase, databaseUrl, serverPrograms, sql, type TestDatabase } from '../fixtures/database.js';
import { contentOf, lab, type Lab } from '../fixtures/lab.js';
import { mountVolume, noMount } from './inject.js';

let shop: TestDatabase;
let other: TestDatabase;
beforeAll(async () => {
  [shop, other] = [await cloneDatabase('shop'), await cloneDatabase('shop')];
});
afterAll(async () => {
  await shop.drop();
  await other.drop();
});

describe('G10: a target that will not do', () => {
  let project: Lab;
  beforeAll(async () => {
    project = lab({ shop: { url: shop.url } });
    expect((await project.json(['execute'])).exitCode).toBe(0);
  });
  afterAll(() => project.cleanup());
  const refused = async (to: string, ...more: string[]) => {
    const { exitCode, document } = await project.json(['restore', 'latest', '--to', to, ...more]);
    expect({ exitCode, code: document.error.code }).toEqual({ exitCode: 23, code: 'restore-target' });
    expect(document.error.hint).toContain('--force-target');
    return document.error.message;
  };

  test('the source, one that is not empty, and either by another name: not a row is changed', async ({ task }) => {
    const before = await Promise.all([contentOf(shop.url), contentOf(other.url)]);
    expect(await refused(shop.url)).toContain('is the database that the backup was taken from');
    expect(await refused(other.url)).toContain('is not empty');
    for (const { url } of [shop, other]) {
      const { exitCode } = await project.json(['restore', 'latest', '--to', url, '--force-target', 'another']);
      expect(exitCode).toBe(23);
    }
    expect(await Promise.all([contentOf(shop.url), contentOf(other.url)])).toEqual(before);
    task.meta.score = { row: 'G10', what: 'onto the source, or what is not empty', n: 4, violations: [], figures: 'source rows changed 0' };
  });

  test.skipIf(noMount)(`too little disk${noMount ? ` (${noMount})` : ''}`, async ({ task }) => {
    const volume = mountVolume(100);
    const target = await startCluster({ programs: await serverPrograms(), directory: volume.path });
    const large = lab({ shop: { url: shop.url } }, { compression: 'none' });
    try {
      await sql(shop.url, 'CREATE TABLE noise AS SELECT repeat(md5(g::text), 40) FROM generate_series(1, 100000) g');
      await sql(shop.url, 'VACUUM noise');
      expect((await large.json(['execute'])).exitCode).toBe(0);
      const free = () => {
        const { bavail, bsize } = statfsSync(volume.path);
        return bavail * bsize;
      };
      const before = free();
      const { exitCode, document } = await large.json(['restore', 'latest', '--to', target.url('copy'), '--create']);
      expect({ exitCode, error: document.error }).toMatchObject({
        exitCode: 23,
        error: {
          code: 'restore-target',
          message: expect.stringMatching(/the source took .* MB, the server has .* MB free/) as string,
          hint: expect.stringContaining('--force-target "copy"') as string,
        },
      });
      expect(await sql(target.url('postgres'), "SELECT count(*) FROM pg_database WHERE datname = 'copy'")).toBe('0');
      expect(before - free()).toBeLessThan(5e6);
      task.meta.score = { row: 'G10', what: 'too little disk', n: 1, violations: [] };
    } finally {
      await sql(shop.url, 'DROP TABLE IF EXISTS noise');
      await target.stop();
      volume.umount();
      large.cleanup();
    }
  });
});

test('G8: backups are pruned while they are restored, verified and listed', { timeout: count(180_000, 1_200_000) }, async ({ task }) => {
  const rounds = count(2, 50);
  const project = lab({ shop: { url: other.url } }, { retention: { keepLast: 1, minimum: 1 }, verify: { afterBackup: 'none' } });
  const violations: string[] = [];
  let skipped = 0;
  try {
    const execute = async () => {
      const { document } = await project.json(['execute', '--set', 'retention={"keepLast":1000}']);
      return document.events[0]?.result?.backupId ?? '';
    };
    const run = (...args: string[]) => runCli([...args, '--json'], { cwd: project.directory, env: project.env });
    let newest = await execute();
    for (let round = 0; round < rounds; round += 1) {
      const old = newest;
      newest = await execute();
      const name = `g8_${process.pid}_${round}`;
      const readers = [
        run('restore', old, '--to', databaseUrl(name), '--create'),
        run('verify', old, '--level', 'archive'),
        run('backups'),
      ];
      const prunes = [0, 1].map(() => run('backups', 'prune', '--yes'));
      const [restored, verified, listed] = await Promise.all(readers);
      await Promise.all(prunes);
      // one that came too late for the backup says so, and has begun nothing
      const isAway = (said?: { exitCode: number | null; stdout: string }) => said?.exitCode === 2 && said.stdout.includes('"not-found"');
      skipped += [restored, verified].filter(isAway).length;
      if (!isAway(restored)) {
        if (restored?.exitCode !== 0) violations.push(`a restore ended with ${restored?.exitCode}: ${restored?.stderr}`);
        else if ((await contentOf(databaseUrl(name))) !== (await contentOf(other.url))) violations.push('what was restored differs');
        await sql(databaseUrl('postgres'), `DROP DATABASE IF EXISTS ${name} WITH (FORCE)`);
      }
      if (verified?.exitCode !== 0 && !isAway(verified))
        violations.push(`a verification ended with ${verified?.exitCode}: ${verified?.stderr}`);
      if (listed?.exitCode !== 0 || !listed.stdout.includes(newest)) violations.push(`a listing lacks the newest: ${listed?.stdout}`);
    }
  } finally {
    project.cleanup();
  }
  task.meta.score = {
    row: 'G8',
    what: 'prune beside restore, verify and list',
    n: rounds,
    violations,
    figures: `${skipped} came too late`,
  };
  expect(violations).toEqual([]);
});
