/**
 * test: clusters of databases, several databases, several storages, compressions, schedules: each good one is good by itself.
 */
import { mkdirSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { memberName, selectMembers } from '../../src/engines/pg_dump/members.js';
import { cloneDatabase, databaseUrl, packed, sql, type TestDatabase } from '../fixtures/database.js';
import { lab, type Answer } from '../fixtures/lab.js';

const mark = `c${process.pid}`;
const databases: TestDatabase[] = [];
const member = (index: number): string => databases[index]?.name ?? '';
const postgres = { url: databaseUrl('postgres') };

const states = ({ document }: Answer) => Object.fromEntries(document.events.map(({ database, status }) => [database, status]));

beforeAll(async () => {
  for (const name of [`${mark}_a`, `${mark}_b`, `${mark}_c`, `${mark}_tmp_d`]) databases.push(await cloneDatabase('empty', name));
  for (const { url } of databases) await sql(url, 'CREATE TABLE t (n int); INSERT INTO t SELECT generate_series(1, 10);');
});
afterAll(async () => {
  for (const database of databases) await database.drop();
});

describe('clusters', () => {
  it('every database that a glob fits and no exclusion does: one event each; one that fails does not stop the rest', async () => {
    const project = lab({ cluster: { ...postgres, databases: [`${mark}_*`], exclude: ['*_tmp_*'] } });
    const good = await project.json(['execute']);
    expect(good.exitCode).toBe(0);
    expect(states(good)).toEqual(Object.fromEntries([0, 1, 2].map((index) => [memberName('cluster', member(index)), 'completed'])));
    // a row of a table that cannot be read fails one database alone
    await sql(databases[1]?.url ?? '', 'CREATE VIEW v AS SELECT 1/n FROM t; CREATE TABLE bad (n int); INSERT INTO bad VALUES (1);');
    await sql(databases[1]?.url ?? '', "UPDATE pg_class SET relfilenode = 999999 WHERE relname = 'bad'");
    const mixed = await project.json(['execute']);
    expect(mixed).toMatchObject({
      exitCode: 3,
      document: { error: { code: 'partial', message: expect.stringContaining(memberName('cluster', member(1))) } },
    });
    expect(states(mixed)).toMatchObject({
      [memberName('cluster', member(0))]: 'completed',
      [memberName('cluster', member(1))]: 'failed',
      [memberName('cluster', member(2))]: 'completed',
    });
    const one = await project.json(['execute', '--database', memberName('cluster', member(2))]);
    expect({ exitCode: one.exitCode, databases: Object.keys(states(one)) }).toEqual({
      exitCode: 0,
      databases: [memberName('cluster', member(2))],
    });
    const { document } = await project.json(['backups']);
    expect(document.backups.filter(({ database }) => database === memberName('cluster', member(1)))).toHaveLength(1);
    await sql(databases[1]?.url ?? '', "DELETE FROM pg_class WHERE relname = 'bad'");
    project.cleanup();
  });

  it('nothing that fits is said, and what fits is chosen whatever the name', () => {
    const names = ['.', '..', 'a\nb', './x', 'a/b', '-Fc', 'tmp_\n', '🙂', 'host=evil dbname=x'];
    expect(selectMembers(names, ['*'], [])).toEqual(names);
    expect(selectMembers(names, ['*'], ['tmp_*', './*'])).toEqual(['.', '..', 'a\nb', 'a/b', '-Fc', '🙂', 'host=evil dbname=x']);
  });

  it('a cluster that fits nothing fails and names the globs', async () => {
    const project = lab({ cluster: { ...postgres, databases: ['no_such_*'] } });
    const { exitCode, document } = await project.json(['execute']);
    expect({ exitCode, code: document.error.code }).toEqual({ exitCode: 20, code: 'no-database' });
    expect(document.error.message).toContain('no_such_*');
    project.cleanup();
  });
});

describe('several databases and storages', () => {
  it('a server that is away fails its own database, and leaves its retry', async () => {
    const away = { host: '127.0.0.1', port: 1, user: 'nobody', database: 'x', connectTimeout: 2 };
    const project = lab({ away, cluster: { ...away, databases: ['*'] }, good: { url: databases[0]?.url } });
    const answer = await project.json(['execute']);
    expect(answer.exitCode).toBe(3);
    expect(states(answer)).toEqual({ away: 'failed', cluster: 'failed', good: 'completed' });
    const { document } = await project.json(['events', '--status', 'pending']);
    expect(document.events.map(({ type, database, attempt }) => ({ type, database, attempt }))).toEqual(
      expect.arrayContaining([
        { type: 'retry', database: 'away', attempt: 2 },
        { type: 'retry', database: 'cluster', attempt: 2 },
      ]),
    );
    for (const event of document.events) expect(Date.parse(event.notBefore ?? '')).toBeGreaterThan(Date.now() + 29 * 60_000);
    project.cleanup();
  });

  it('a broken storage beside a good one: exit 3, the backup is good, and on both when it is mended', async () => {
    const storages = { first: { kind: 'local', path: './no/such/folder' }, second: { kind: 'local', path: './second' } };
    const project = lab({ one: { url: databases[0]?.url } }, { storages });
    writeFileSync(join(project.directory, 'no'), 'a file where a folder should be');
    const partial = await project.json(['execute']);
    expect(partial).toMatchObject({
      exitCode: 3,
      document: { error: { message: expect.stringContaining('first') }, events: [{ status: 'completed' }] },
    });
    expect((await project.json(['backups'])).document.backups).toMatchObject([{ storages: ['second'] }]);
    rmSync(join(project.directory, 'no'));
    expect((await project.json(['execute'])).exitCode).toBe(0);
    expect((await project.json(['backups'])).document.backups).toMatchObject([
      { storages: ['first', 'second'] },
      { storages: ['first', 'second'] },
    ]);
    const both = await project.json(['verify', 'latest', '--level', 'archive']);
    expect(both.document.results).toMatchObject([{ ok: true }]);
    project.cleanup();
  });

  it('a backup whose file was cut is not passed over in silence', async () => {
    const project = lab({ one: { url: databases[0]?.url } });
    await project.json(['execute']);
    await project.json(['execute']);
    const folders = readdirSync(join(project.backups, 'one')).toSorted();
    writeFileSync(join(project.backups, 'one', folders.at(-1) ?? '', `database.dump${packed()}`), 'cut');
    for (const args of [
      ['verify', '--level', 'checksum'],
      ['verify', '--all', '--level', 'checksum'],
    ]) {
      const { exitCode, document } = await project.json(args);
      expect({ args, exitCode }).toEqual({ args, exitCode: 22 });
      expect(document.error.message).toContain(folders.at(-1));
      expect(document.results).toMatchObject([{ ok: true }]);
    }
    project.cleanup();
  });

  it.each(['gzip', 'zstd', 'none'] as const)('compression %s is made, proven and restored', async (algorithm) => {
    const project = lab({ one: { url: databases[0]?.url } }, { compression: { algorithm, level: 3 } });
    expect((await project.json(['execute'])).exitCode).toBe(0);
    const extension = { gzip: '.gz', zstd: packed(), none: '' }[algorithm];
    expect(project.stored().map((name) => name.split('/').at(-1))).toEqual(
      expect.arrayContaining([`database.dump${extension}`, `globals.sql${extension}`]),
    );
    expect((await project.json(['verify', '--level', 'archive'])).document.results).toMatchObject([{ ok: true }]);
    const file = join(project.directory, 'out');
    expect((await project.json(['restore', 'latest', '--output', file])).exitCode).toBe(0);
    project.cleanup();
  });

  it("a schedule's own databases, storages and compression hold, and its id is in the backup", async () => {
    const storages = { local: { kind: 'local', path: './backups' }, other: { kind: 'local', path: './other' } };
    const schedules = { nightly: { cron: '0 2 * * *', databases: ['two'], storages: ['other'], compression: 'gzip' } };
    const project = lab({ one: { url: databases[0]?.url }, two: { url: databases[2]?.url } }, { storages, schedules });
    mkdirSync(join(project.directory, 'other'));
    const { exitCode, document } = await project.json(['execute', 'nightly']);
    expect(exitCode).toBe(0);
    expect(document.events).toMatchObject([{ type: 'scheduled', scheduleId: 'nightly', database: 'two', status: 'completed' }]);
    expect((await project.json(['backups'])).document.backups).toMatchObject([
      { database: 'two', storages: ['other'], scheduleId: 'nightly' },
    ]);
    expect(readdirSync(join(project.directory, 'other', 'two', document.events[0]?.result?.backupId ?? ''))).toContain('database.dump.gz');
    expect((await project.json(['execute', 'nightly', '--database', 'one'])).exitCode).toBe(2);
    project.cleanup();
  });
});
