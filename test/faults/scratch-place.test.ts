/**
 * test: G14: a restore for proof is kept away from the volume of the source, and never fills it.
 */
import { chownSync, mkdirSync, readdirSync, rmSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { startCluster, type Cluster } from '../../src/system/postgres/cluster.js';
import { serverPrograms, sql } from '../fixtures/database.js';
import { inProcess, lab, type Lab } from '../fixtures/lab.js';
import { mountVolume, noMount } from './inject.js';

const temp = process.env['TMPDIR'];

describe.skipIf(noMount)(`G14: the place of a restore for proof${noMount ? ` (${noMount})` : ''}`, () => {
  let own: ReturnType<typeof mountVolume>;
  let other: ReturnType<typeof mountVolume>;
  let source: Cluster;
  let project: Lab;
  beforeAll(async () => {
    own = mountVolume(400);
    other = mountVolume(200);
    source = await startCluster({ programs: await serverPrograms(), directory: own.path });
    await sql(source.url('postgres'), 'CREATE ROLE clerk LOGIN; CREATE TABLE t AS SELECT generate_series(1, 100) AS n');
    project = lab({
      shop: { url: source.url('postgres') },
      narrow: { url: source.url('postgres').replace('user=postgres', 'user=clerk') },
    });
    const { exitCode } = await project.json(['execute', '--database', 'shop', '--force']);
    expect(exitCode).toBe(0);
  });
  afterAll(async () => {
    if (temp === undefined) delete process.env['TMPDIR'];
    else process.env['TMPDIR'] = temp;
    project.cleanup();
    await source.stop();
    own.umount();
    other.umount();
  });

  /** Where the throwaway server for a database has its socket, when the temp folder is on the source's volume. */
  async function placeOf(database: string, set: readonly string[], expectedSize: number | null = 1e6): Promise<string> {
    const context = await inProcess(project, set);
    process.env['TMPDIR'] = own.path;
    const texts = { encoding: 'UTF8', collate: 'C', ctype: 'C' };
    const scratch = await context.openScratch({ ...texts, database, serverMajor: source.major, expectedSize, signal: context.signal });
    try {
      return decodeURIComponent(await context.engine.url(scratch.database));
    } finally {
      await scratch.close();
      delete process.env['TMPDIR'];
    }
  }
  const servers = (folder: string) => readdirSync(folder).filter((name) => name.startsWith('backup-automation-cluster-'));

  test('it is another volume than that of the data, the log and the tablespaces', async () => {
    const { engine } = await inProcess(project);
    expect(await engine.volumes('shop')).toEqual([source.dataDirectory]);
    expect(await placeOf('shop', [])).toContain('host=/tmp/backup-automation-cluster-');
    const space = join(other.path, 'space');
    mkdirSync(space);
    const { uid, gid } = statSync(source.dataDirectory);
    chownSync(space, uid, gid);
    await sql(source.url('postgres'), `CREATE TABLESPACE beside LOCATION '${space}'`);
    expect(await engine.volumes('shop')).toEqual([source.dataDirectory, space]);
    await sql(source.url('postgres'), 'DROP TABLESPACE beside');
    rmSync(space, { recursive: true });
  });

  test('verify.folder wins, on a volume of its own and on that of the source, where minDiskSpace stays free', async () => {
    expect(await placeOf('shop', [`verify.folder=${other.path}`])).toContain(`host=${other.path}/backup-automation-cluster-`);
    const beside = [`verify.folder=${own.path}`, 'conditions.minDiskSpace=0.1'];
    expect(await placeOf('shop', beside)).toContain(`host=${own.path}/backup-automation-cluster-`);
    await expect(placeOf('shop', beside, 400e6)).rejects.toMatchObject({ code: 'scratch' });
    await expect(placeOf('shop', [`verify.folder=${other.path}`], 400e6)).rejects.toMatchObject({ code: 'scratch' });
    await expect(placeOf('shop', ['verify.folder=/nowhere'])).rejects.toThrow('/nowhere is not a folder');
  });

  test('where a role may not know, any volume may be that of the source', async () => {
    const { engine } = await inProcess(project);
    expect(await engine.volumes('narrow')).toBeNull();
    expect(await engine.volumes('nobody')).toBeNull();
    const set = [`verify.folder=${other.path}`, 'conditions.minDiskSpace=1'];
    await expect(placeOf('narrow', set)).rejects.toThrow('perhaps on the volume of the database');
    expect(await placeOf('shop', set)).toContain(other.path);
  });

  test('without room the verification is undone, exit 22, and says nothing about the backup', async ({ task }) => {
    const set = ['--set', `verify.folder=${own.path}`, '--set', 'conditions.minDiskSpace=1'];
    const { exitCode, document } = await project.json(['verify', 'latest', '--database', 'shop', ...set]);
    expect({ exitCode, error: document.error }).toMatchObject({
      exitCode: 22,
      error: { code: 'scratch', message: expect.stringContaining('1.0 GB stay free (conditions.minDiskSpace)') as string },
    });
    expect(servers(own.path)).toHaveLength(1);
    expect((await project.json(['backups'])).document.backups).toMatchObject([{ suspect: false, proven: { level: 'archive' } }]);
    const undone = [];
    for await (const { record } of (await inProcess(project)).ledger.readBackwards())
      if (record.record === 'verification') undone.push(record.undone);
    expect(undone).toEqual([true]);
    task.meta.score = { row: 'G14', what: "no room for a restore but on the source's volume", n: 1, violations: [] };
  });
});
