/**
 * system: one look at a database server: connections, speed, cache, age of transactions. Writes nothing, guesses nothing, waits 5 s at most.
 */
import type { Measurement } from '../../model/moment/measurement.js';
import { systemClock } from '../clock.js';
import type { Session } from './postgres.js';

/** For all queries together, ms. */
const patience = 5000;
/** Below it a ratio says more about the few blocks than about the cache. */
const fewestBlocks = 1000;
const late = `the server did not answer within ${patience / 1000} s`;

type Values = Omit<Measurement, 'unknown' | 'serverVersion'>;
type Part = keyof Values;
type Row = Record<string, number | boolean | null>;

/** Without this membership the states and times of others' sessions are hidden, and what is left would mislead. */
const seesAll = "pg_catalog.pg_has_role('pg_read_all_stats', 'USAGE')";
const blind = 'the role may not see the sessions of others; grant it pg_monitor';

/** A query, the parts that it tells, and why a part may still be null. */
interface Probe {
  readonly parts: readonly Part[];
  readonly sql: string;
  /** By part: the reason for a null that is no error. */
  readonly nothing?: Partial<Record<Part, string>>;
}

const probes: readonly Probe[] = [
  { parts: ['latency'], sql: 'SELECT 1' },
  {
    parts: ['connections', 'maxConnections', 'inRecovery'],
    sql: `SELECT pg_catalog.count(*)::int4 AS connections, pg_catalog.current_setting('max_connections')::int4 AS "maxConnections",
        pg_catalog.pg_is_in_recovery() AS "inRecovery"
      FROM pg_catalog.pg_stat_activity
      WHERE backend_type = 'client backend' OR (backend_type IS NULL AND usesysid IS NOT NULL AND datid IS NOT NULL)`,
  },
  {
    parts: ['oldestTransactionAge'],
    sql: `SELECT CASE WHEN ${seesAll} THEN
        COALESCE(1000 * pg_catalog.max(EXTRACT(epoch FROM pg_catalog.clock_timestamp() - xact_start)), 0)::float8 END AS "oldestTransactionAge"
      FROM pg_catalog.pg_stat_activity WHERE pid <> pg_catalog.pg_backend_pid()`,
    nothing: { oldestTransactionAge: blind },
  },
  {
    parts: ['cacheHitRatio'],
    sql: `SELECT CASE WHEN blks_hit + blks_read >= ${fewestBlocks} THEN (100.0 * blks_hit / (blks_hit + blks_read))::float8 END AS "cacheHitRatio"
      FROM pg_catalog.pg_stat_database WHERE datname = pg_catalog.current_database()`,
    nothing: { cacheHitRatio: 'too few block reads to judge' },
  },
  {
    parts: ['databaseSize'],
    sql: 'SELECT pg_catalog.pg_database_size(pg_catalog.current_database())::int8 AS "databaseSize"',
  },
];

const statementsSchema = `SELECT pg_catalog.quote_ident(n.nspname) AS schema FROM pg_catalog.pg_extension e
  JOIN pg_catalog.pg_namespace n ON n.oid = e.extnamespace WHERE e.extname = 'pg_stat_statements'`;

/** Its column was called total_time before version 13, which we do not serve. */
const recorded = (schema: string): string =>
  `SELECT (pg_catalog.sum(total_exec_time) / NULLIF(pg_catalog.sum(calls), 0))::float8 AS "averageQueryTime"
   FROM ${schema}.pg_stat_statements
   WHERE dbid = (SELECT oid FROM pg_catalog.pg_database WHERE datname = pg_catalog.current_database())`;

const running = `SELECT ${seesAll} AS "seesAll", pg_catalog.avg(1000 * EXTRACT(epoch FROM pg_catalog.clock_timestamp() - query_start))::float8 AS "averageQueryTime"
  FROM pg_catalog.pg_stat_activity WHERE state = 'active' AND backend_type = 'client backend'
    AND datname = pg_catalog.current_database() AND pid <> pg_catalog.pg_backend_pid() AND application_name NOT LIKE 'backup-automation%'`;

/** Asks within what is left of the patience; a late answer is cancelled and thrown away. */
function asker(session: Session): <R extends object>(sql: string) => Promise<R[]> {
  const until = systemClock.monotonic() + patience;
  return async (sql) => {
    const left = until - systemClock.monotonic();
    if (left <= 0) throw new Error(late);
    const answer = session.query<never>(sql);
    let timer: NodeJS.Timeout | undefined;
    const timeout = new Promise<never>((_, reject) => {
      timer = setTimeout(() => reject(new Error(late)), left);
    });
    try {
      return await Promise.race([answer, timeout]);
    } catch (error) {
      answer.catch(() => undefined);
      if (error instanceof Error && error.message === late) void session.cancel();
      throw error;
    } finally {
      clearTimeout(timer);
    }
  };
}

/**
 * Measures the database of a session. Times ms, sizes bytes, ratios %. What cannot be measured is null, with the reason in
 * `unknown`; nothing is thrown. Takes 5 s at most.
 */
export async function measure(session: Session): Promise<Measurement> {
  const ask = asker(session);
  const values: Record<string, number | boolean | null> = {};
  const unknown: Record<string, string> = {};
  for (const { parts, sql, nothing } of probes) {
    const before = systemClock.monotonic();
    const row = await ask<Row>(sql).then(([first]) => first ?? {}, reasonOf);
    const found: Row | string = typeof row === 'string' || !parts.includes('latency') ? row : { latency: systemClock.monotonic() - before };
    for (const part of parts) keep(part, found, nothing?.[part] ?? 'the server keeps no such figure');
  }
  const { value, reason } = await averageQueryTime(ask);
  keep('averageQueryTime', reason ?? { averageQueryTime: value }, 'no statement was recorded yet');
  return { ...(values as unknown as Values), serverVersion: session.serverVersion, unknown };

  function keep(part: Part, found: Row | string, nothing: string): void {
    values[part] = typeof found === 'string' ? null : (found[part] ?? null);
    if (values[part] === null) unknown[part] = typeof found === 'string' ? found : nothing;
  }
}

const reasonOf = (error: unknown): string => (error instanceof Error ? error.message : String(error));

async function averageQueryTime(ask: ReturnType<typeof asker>): Promise<{ value: number | null; reason?: string }> {
  try {
    const [extension] = await ask<{ schema: string }>(statementsSchema);
    const [told] = extension ? await ask<{ averageQueryTime: number | null }>(recorded(extension.schema)).catch(() => []) : [];
    if (told && told.averageQueryTime !== null) return { value: told.averageQueryTime };
    const [active] = await ask<{ averageQueryTime: number | null; seesAll: boolean }>(running);
    if (active && !active.seesAll) return { value: null, reason: blind };
    if (active && active.averageQueryTime !== null) return { value: active.averageQueryTime };
    return {
      value: null,
      reason: `no statement is running and pg_stat_statements is ${extension ? 'empty or not readable' : 'not installed'}`,
    };
  } catch (error) {
    return { value: null, reason: reasonOf(error) };
  }
}
