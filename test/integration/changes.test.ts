/**
 * test: backups that follow from what happens to the database: none where nothing did (`skipIfUnchanged`), one where enough did (`triggers`).
 */
import { readdirSync, rmSync, utimesSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { executeDue } from '../../src/core/due.js';
import { health } from '../../src/core/health.js';
import { execute } from '../../src/core/execute.js';
import type { Context } from '../../src/core/context.js';
import type { Database } from '../../src/model/roles/engine/dump.js';
import { startCluster, type Cluster } from '../../src/system/postgres/cluster.js';
import { count } from '../fixtures/counts.js';
import { serverPrograms, sql } from '../fixtures/database.js';
import { byHand, inProcess, lab, type Lab } from '../fixtures/lab.js';

// of its own: nobody else writes on it
let cluster: Cluster;
let project: Lab;
let url: string;
beforeAll(async () => {
  cluster = await startCluster({ programs: await serverPrograms(), settings: { autovacuum: 'off' } });
  url = cluster.url('shop');
  await sql(cluster.url('postgres'), 'CREATE DATABASE shop; CREATE DATABASE other;');
  await sql(url, "CREATE TABLE t (n int); CREATE SEQUENCE s; SELECT nextval('s');");
});
afterAll(() => cluster.stop());
afterEach(() => project.cleanup());

const request = { scheduleId: 'nightly', type: 'scheduled', trigger: 'cli', passBy: [], wait: null } as const;

async function nightly(schedule: object): Promise<Context> {
  project = lab({ shop: { url } }, { schedules: { nightly: schedule }, timezone: 'UTC' });
  return inProcess(project);
}

describe('skipIfUnchanged', () => {
  const skipping = { cron: '0 2 * * *', skipIfUnchanged: true };
  const run = async (context: Context) => (await execute(context, request)).events[0];

  it('makes no backup while nothing was written, says which one holds the database, and makes one after any change', async () => {
    const context = await nightly(skipping);
    const first = await run(context);
    expect(first).toMatchObject({ status: 'completed', result: { backupId: first?.id } });
    const changes = [
      'INSERT INTO t VALUES (1)',
      "SELECT nextval('s')",
      'CREATE ROLE somebody',
      'TRUNCATE t',
      "SELECT lo_from_bytea(0, 'x')",
      'INSERT INTO t VALUES (2); UPDATE t SET n = 3',
      'CREATE TABLE u ()',
      'BEGIN; INSERT INTO t VALUES (3); ROLLBACK',
      "COMMENT ON TABLE t IS 'changed'",
      'CREATE UNLOGGED TABLE w AS SELECT 1',
    ].slice(0, count(5, 10));
    let newest = first?.id;
    for (const change of changes) {
      expect(await run(context)).toMatchObject({
        status: 'completed',
        equalTo: newest,
        result: { backupId: newest, size: 0, success: true },
      });
      await sql(url, change);
      const next = await run(context);
      expect({ change, equalTo: next?.equalTo, made: next?.result?.backupId === next?.id }).toEqual({
        change,
        equalTo: undefined,
        made: true,
      });
      newest = next?.id;
    }
    const { document } = await project.json(['statistics']);
    expect(document['successfulEvents']).toBe(2 * changes.length + 1);
    expect((await project.json(['backups'])).document.backups).toHaveLength(changes.length + 1);
    await run(context);
    const shown = await project.run(['events', '--limit', '1']);
    expect(shown.stdout).toContain('unchanged');
  });

  it('makes one where the backup before is gone, damaged, of another schedule, or is asked for by --force', async () => {
    const context = await nightly(skipping);
    const first = await run(context);
    expect(await run(context)).toMatchObject({ equalTo: first?.id });
    const forced = await execute(context, { ...request, passBy: ['window'] });
    expect(forced.events[0]?.equalTo).toBeUndefined();
    const second = forced.events[0]?.id ?? '';
    expect(await run(context)).toMatchObject({ equalTo: second });
    // how it is compressed, and so its name, is by the version of the programs
    const damaged = readdirSync(join(project.backups, 'shop', second)).find((name) => name.startsWith('globals.')) ?? '';
    writeFileSync(join(project.backups, 'shop', second, damaged), 'short');
    expect(await run(context)).toMatchObject({ equalTo: first?.id });
    rmSync(join(project.backups, 'shop'), { recursive: true });
    const third = await run(context);
    expect(third?.equalTo).toBeUndefined();
    expect((await execute(context, byHand)).events[0]?.equalTo).toBeUndefined();
  });

  it('counts as fresh in health', async () => {
    const context = await nightly(skipping);
    await run(context);
    const later = await run(context);
    expect(later?.equalTo).toBeDefined();
    const { checks } = await health(context);
    expect(checks.find(({ name }) => name === 'last-backup')).toMatchObject({ value: later?.timestamp });
  });
});

describe('triggers', () => {
  /** Every look asks the server: as if the last one were long ago. */
  const tick = async (context: Context) => {
    const memory = { ...context.dueMemory, recall: () => null };
    return (await executeDue({ ...context, dueMemory: memory })).events;
  };
  const past = (context: Context, hours: number): Context => ({
    ...context,
    clock: { ...context.clock, now: () => new Date(Date.now() + hours * 3_600_000) },
  });

  it('rows: the first look makes the first backup, then so many changes make one, and minimumGap holds them apart', async () => {
    const context = await nightly({ triggers: { changedRows: 100 } });
    expect(await tick(context)).toMatchObject([
      { type: 'scheduled', trigger: 'rows', status: 'completed', cause: expect.stringContaining('no backup') },
    ]);
    await sql(url, 'INSERT INTO t SELECT generate_series(1, 500)');
    expect(await tick(context)).toEqual([]);
    expect(await tick(past(context, 2))).toMatchObject([
      { trigger: 'rows', status: 'completed', cause: expect.stringMatching(/^5\d\d rows/) },
    ]);
    expect(await tick(past(context, 4))).toEqual([]);
  });

  it('WAL: so much of it makes one', async () => {
    const context = await nightly({ triggers: { walGB: 0.001, minimumGap: 1 } });
    expect(await tick(context)).toMatchObject([{ trigger: 'wal', status: 'completed' }]);
    expect(await tick(past(context, 1))).toEqual([]);
    await sql(cluster.url('other'), 'CREATE TABLE IF NOT EXISTS big AS SELECT generate_series(1, 50000) n');
    expect(await tick(past(context, 2))).toMatchObject([{ trigger: 'wal', cause: expect.stringContaining('of WAL') }]);
  });

  it('file: a touch makes one, once, though many look at once; the light look notices it', async () => {
    const context = await nightly({ triggers: { file: 'deployed', minimumGap: 1 } });
    const file = join(project.directory, 'deployed');
    expect((await executeDue(context)).events).toEqual([]);
    expect(context.dueMemory.isQuiet(new Date())).toBe(true);
    writeFileSync(file, '');
    expect(context.dueMemory.isQuiet(new Date())).toBe(false);
    const all = await Promise.all(Array.from({ length: 4 }, () => project.json(['execute', '--due'])));
    const fired = all.flatMap(({ document }) => document.events ?? []).filter(({ status }) => status === 'completed');
    expect(fired).toMatchObject([{ trigger: 'file' }]);
    expect((await project.json(['events'])).document.events).toHaveLength(1);
    expect(await tick(past(context, 1))).toEqual([]);
    const touched = new Date(Date.now() + 7_000_000);
    utimesSync(file, touched, touched);
    expect(await tick(past(context, 2))).toMatchObject([{ trigger: 'file' }]);
  });

  it('outside the window none fires, and the server is not asked more than every five minutes', async () => {
    const context = await nightly({ triggers: { changedRows: 1 } });
    const hour = (new Date().getUTCHours() + 3) % 24;
    const at = (minute: string) => `${String(hour).padStart(2, '0')}:${minute}`;
    const closed = { ...context, settings: { ...context.settings, backupWindow: { start: at('10'), end: at('20') } } };
    expect(await tick(closed)).toEqual([]);
    let asked = 0;
    const { engine } = context;
    const mark = engine.mark.bind(engine);
    const counting = { ...context, engine: Object.assign(engine, { mark: (database: Database) => ((asked += 1), mark(database)) }) };
    await executeDue(counting);
    const afterFirst = asked;
    await executeDue(past(counting, 0.05));
    expect(asked).toBe(afterFirst);
    await executeDue(past(counting, 2));
    expect(asked).toBeGreaterThan(afterFirst);
  });
});
