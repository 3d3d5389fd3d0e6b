/** system/measure: what is known of a real server, and what is said of the rest. Rows C5, C24 and C25 of the promises. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { startCluster } from '../../../src/system/postgres/cluster.js';
import { resolveServer } from '../../../src/system/connection/connection.js';
import { measure } from '../../../src/system/postgres/measure.js';
import type { Session } from '../../../src/system/postgres/postgres.js';
import { cloneDatabase, databaseUrl, quoteName, serverPrograms, sql, type TestDatabase } from '../../fixtures/database.js';

let shop: TestDatabase;
beforeAll(async () => {
  shop = await cloneDatabase('shop');
});
afterAll(() => shop.drop());

async function withSession<T>(user: string | undefined, deed: (session: Session) => Promise<T>): Promise<T> {
  const server = await resolveServer({ url: databaseUrl(shop.name, user) }, { env: {}, secret: async () => '' });
  const session = await server.connect({ applicationName: 'backup-automation test' });
  try {
    return await deed(session);
  } finally {
    await session.close();
  }
}

describe('measure', () => {
  it('counts connections, asks for the size, and gives a reason for each part that is null', async () => {
    const found = await withSession(undefined, measure);
    expect(found.connections).toBeGreaterThanOrEqual(1);
    expect(found).toMatchObject({ maxConnections: 100, inRecovery: false, serverVersion: expect.stringMatching(/^\d+\.\d+/) as string });
    expect(found.databaseSize).toBe(Number(await sql(shop.url, `SELECT pg_database_size('${shop.name}');`)));
    expect(found.latency).toBeGreaterThan(0);
    for (const [part, value] of Object.entries(found)) if (value === null) expect(found.unknown[part], part).toMatch(/\w/);
    for (const part of Object.keys(found.unknown)) expect(found[part as keyof typeof found]).toBeNull();
  });

  it('does not judge the cache by a few blocks', async () => {
    const empty = await cloneDatabase('empty');
    try {
      const url = empty.url;
      const server = await resolveServer({ url }, { env: {}, secret: async () => '' });
      await sql(url, 'SELECT pg_stat_reset();');
      const session = await server.connect({ applicationName: 'backup-automation test' });
      const found = await measure(session);
      await session.close();
      expect(found.cacheHitRatio).toBeNull();
      expect(found.unknown['cacheHitRatio']).toBe('too few block reads to judge');
    } finally {
      await empty.drop();
    }
  });

  it('takes the statements that run when nothing is recorded, our own left out', async () => {
    const idle = await withSession(undefined, measure);
    expect(idle).toMatchObject({ averageQueryTime: null });
    expect(idle.unknown['averageQueryTime']).toBe('no statement is running and pg_stat_statements is not installed');
    await withSession(undefined, async (other) => {
      // an application of somebody else, busy in the same database
      await other.query("SET application_name = 'shop'");
      const busy = other.query('SELECT pg_sleep(30)').catch(() => undefined);
      await sql(shop.url, 'SELECT pg_sleep(0.1);');
      const found = await withSession(undefined, measure);
      expect(found.averageQueryTime).toBeGreaterThan(50);
      expect(found.oldestTransactionAge).toBeGreaterThan(50);
      await other.cancel();
      await busy;
    });
  });

  it('does not take what a plain role may not see for nothing, nor stumble over its statement_timeout (C5)', async () => {
    const role = `plain_${process.pid}`;
    await sql(shop.url, `CREATE ROLE ${role} LOGIN; ALTER ROLE ${role} SET statement_timeout = 1;`);
    try {
      const found = await withSession(role, measure);
      expect(found).toMatchObject({ oldestTransactionAge: null, averageQueryTime: null, maxConnections: 100 });
      expect(found.connections).toBeGreaterThanOrEqual(1);
      expect(found.unknown).toMatchObject({
        oldestTransactionAge: expect.stringContaining('pg_monitor') as string,
        averageQueryTime: expect.stringContaining('pg_monitor') as string,
      });
    } finally {
      await sql(shop.url, `DROP ROLE ${role};`);
    }
  });

  it('C24: is not fooled by what shadows the functions of the server', async () => {
    const traps = [
      'pg_database_size(oid) RETURNS int8',
      'pg_database_size(name) RETURNS int8',
      'pg_is_in_recovery() RETURNS bool',
      'current_database() RETURNS name',
    ];
    const bodies = ['42', '42', 'true', "'fooled'::name"];
    const made = traps.map((trap, at) => `CREATE FUNCTION public.${trap} LANGUAGE sql AS $$ SELECT ${bodies[at]} $$;`).join('\n');
    await sql(
      shop.url,
      `${made}\nCREATE VIEW public.pg_stat_activity AS SELECT 1; ALTER DATABASE ${quoteName(shop.name)} SET search_path = public, pg_catalog;`,
    );
    const found = await withSession(undefined, measure);
    expect(found.inRecovery).toBe(false);
    expect(found.databaseSize).toBeGreaterThan(1_000_000);
    expect(found.connections).toBeGreaterThanOrEqual(1);
  });

  it.each([
    ['hangs', 'pg_sleep(60)', /^the server did not answer within 5 s$/, /^the server did not answer within 5 s$/],
    ['fails', 'generate_series(1, 1 / (SELECT 0))', /division by zero/, /^no statement is running/],
  ])('C25: goes on when a view %s, says so, and leaves the session usable', async (_, trouble, reason, after) => {
    const own = await cloneDatabase('empty');
    try {
      await sql(
        own.url,
        `SET allow_system_table_mods = on; ALTER VIEW pg_catalog.pg_stat_database RENAME TO pg_stat_database_true;
         CREATE VIEW pg_catalog.pg_stat_database AS SELECT d.* FROM pg_catalog.pg_stat_database_true d, ${trouble} AS trouble;`,
      );
      const server = await resolveServer({ url: own.url }, { env: {}, secret: async () => '' });
      const session = await server.connect({ applicationName: 'backup-automation test' });
      const found = await measure(session);
      expect(found.connections).toBeGreaterThanOrEqual(1);
      expect(found.cacheHitRatio).toBeNull();
      expect(found.unknown['cacheHitRatio']).toMatch(reason);
      expect(found.unknown['averageQueryTime']).toMatch(after);
      expect(await session.query('SELECT 1 AS one')).toEqual([{ one: 1 }]);
      await session.close();
    } finally {
      await own.drop();
    }
  });

  it('takes pg_stat_statements where it is, in whatever schema', async () => {
    const cluster = await startCluster({ programs: await serverPrograms(), settings: { shared_preload_libraries: 'pg_stat_statements' } });
    try {
      const url = cluster.url('postgres');
      await sql(url, 'CREATE SCHEMA "odd Schema"; CREATE EXTENSION pg_stat_statements SCHEMA "odd Schema"; SELECT pg_sleep(0.3);');
      const server = await resolveServer({ url }, { env: {}, secret: async () => '' });
      const session = await server.connect({ applicationName: 'backup-automation test' });
      const found = await measure(session);
      await session.close();
      const recorded = Number(await sql(url, 'SELECT sum(total_exec_time) / sum(calls) FROM "odd Schema".pg_stat_statements;'));
      expect(found.averageQueryTime).toBeGreaterThan(0);
      // more statements were recorded since
      expect(found.averageQueryTime).toBeGreaterThan(recorded / 2);
      expect(found.averageQueryTime).toBeLessThan(300);
    } finally {
      await cluster.stop();
    }
  });
});
