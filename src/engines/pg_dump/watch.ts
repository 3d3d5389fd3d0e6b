/**
 * engines: a session beside a dump that looks at what the server does, and at who waits for the dump. It changes nothing.
 */
import { readFile } from 'node:fs/promises';
import { Failure } from '../../model/errors.js';
import type { Observation } from '../../model/moment/observation.js';
import type { Watch } from '../../model/roles/engine.js';
import { systemClock } from '../../system/clock.js';
import type { Session } from '../../system/postgres/postgres.js';
import { applicationName, applicationNameOf, type Connection } from './connection.js';
import { countOf } from '../../model/units.js';

interface Row {
  readonly transactions: number;
  readonly hit: number;
  readonly read: number;
  readonly wal: number | null;
  readonly connections: number;
  readonly busy: number | null;
  readonly waiting: number;
  readonly longest: number | null;
  readonly who: string | null;
  readonly waits: string | null;
  readonly backends: readonly number[] | null;
}

/** One round trip. Locks that our sessions hold, or want, are asked for only where somebody waits. A prepared transaction has no session. */
const look = `WITH ours AS (SELECT pid, wait_event_type FROM pg_catalog.pg_stat_activity WHERE application_name = $1),
  waiting AS (
    SELECT a.pid, a.usename, a.application_name, pg_catalog.pg_blocking_pids(a.pid) AS by,
      1000 * EXTRACT(epoch FROM pg_catalog.clock_timestamp() - COALESCE(a.state_change, a.query_start)) AS waited
    FROM pg_catalog.pg_stat_activity a WHERE a.wait_event_type = 'Lock' AND a.pid NOT IN (SELECT pid FROM ours)),
  blocked AS (SELECT * FROM waiting WHERE by && (SELECT pg_catalog.array_agg(pid) FROM ours) ORDER BY waited DESC LIMIT 1),
  wanted AS (
    SELECT l.relation::pg_catalog.regclass::text AS relation, (pg_catalog.pg_blocking_pids(o.pid))[1] AS holder
    FROM ours o JOIN pg_catalog.pg_locks l ON l.pid = o.pid AND NOT l.granted WHERE o.wait_event_type = 'Lock' LIMIT 1)
SELECT d.xact_commit + d.xact_rollback AS transactions, d.blks_hit AS hit, d.blks_read AS read,
  CASE WHEN pg_catalog.pg_is_in_recovery() THEN NULL
    ELSE pg_catalog.pg_wal_lsn_diff(pg_catalog.pg_current_wal_lsn(), '0/0')::float8 END AS wal,
  d.numbackends AS connections,
  CASE WHEN pg_catalog.pg_has_role('pg_read_all_stats', 'USAGE') THEN (
    SELECT pg_catalog.count(*)::int4 FROM pg_catalog.pg_stat_activity
    WHERE datid = d.datid AND backend_type = 'client backend' AND application_name NOT LIKE 'backup-automation%'
      AND (state = 'active' OR state_change > pg_catalog.clock_timestamp() - interval '2 s')) END AS busy,
  (SELECT pg_catalog.count(*)::int4 FROM waiting) AS waiting,
  (SELECT waited::float8 FROM blocked) AS longest,
  (SELECT pg_catalog.format('pid %s, %s (%s)', pid, usename, application_name) FROM blocked) AS who,
  (SELECT pg_catalog.format('a lock%s, held by %s', ' on ' || w.relation,
      COALESCE(pg_catalog.format('pid %s, %s (%s)', a.pid, a.usename, a.application_name), 'a prepared transaction'))
    FROM wanted w LEFT JOIN pg_catalog.pg_stat_activity a ON a.pid = w.holder WHERE w.holder IS NOT NULL) AS waits,
  (SELECT pg_catalog.array_agg(pid) FROM ours) AS backends
FROM pg_catalog.pg_stat_database d WHERE d.datname = pg_catalog.current_database()`;

/** A look that takes longer tells nothing, and must hold nobody up. */
const patience = '5s';

/**
 * A server's pid means a process here only when that process is one of PostgreSQL's on this very host: by the title that each session gives
 * itself, since the program may bear another name, or be started by another one.
 */
export async function onThisHost(pid: number): Promise<boolean> {
  const title = await readFile(`/proc/${pid}/cmdline`, 'utf8').catch(() => '');
  return /(^|\0)postgres: /.test(title);
}

/** What the dump itself still needs: the session of its snapshot, and its own. */
const neededBeside = 2;

/** Places that the role, and the server for everybody, have left; null: as many as one likes. The role sees its own sessions at least. */
const left = `SELECT LEAST(
  (SELECT r.rolconnlimit - (SELECT pg_catalog.count(*) FROM pg_catalog.pg_stat_activity a WHERE a.usesysid = r.oid)
    FROM pg_catalog.pg_roles r WHERE r.rolname = CURRENT_USER AND r.rolconnlimit >= 0),
  (SELECT pg_catalog.current_setting('max_connections')::int8 - pg_catalog.current_setting('superuser_reserved_connections')::int8
    - COALESCE(pg_catalog.current_setting('reserved_connections', true)::int8, 0) - pg_catalog.sum(numbackends) FROM pg_catalog.pg_stat_database)
)::int4 AS places`;

/** Opens the session. Throws when there is no place for it, or none left for the dump beside it: then nothing is watched. */
export async function beginWatch(connection: Connection, eventId: string): Promise<Watch> {
  const server = await connection.server();
  const open = (): Promise<Session> =>
    server.connect({ applicationName: `${applicationName} watch`, settings: { statement_timeout: patience } });
  let session = await open();
  // a server that does not tell may have enough
  const [{ places } = { places: neededBeside }] = await session.query<{ places: number }>(left).catch(() => []);
  if (places < neededBeside) {
    await session.close();
    throw new Failure(
      'server-busy',
      `${countOf(places, 'connection is', 'connections are')} left, too few to watch a dump that needs ${neededBeside}`,
    );
  }
  const { host } = server.address;
  const near = host.startsWith('/') || /^(localhost|127\.|::1$)/.test(host);
  const local = near && (await onThisHost(session.backendPid));
  return {
    local,
    async look(): Promise<Observation> {
      if (session.isLost()) session = await open();
      const at = systemClock.monotonic();
      const [row] = await session.query<Row>(look, [applicationNameOf(eventId)]);
      if (!row) throw new Error('the server knows nothing of this database');
      const { transactions, hit, read, wal, connections, busy, waiting, longest, who, waits, backends } = row;
      return {
        at,
        latency: Math.round((systemClock.monotonic() - at) * 10) / 10,
        transactions,
        blocksHit: hit,
        blocksRead: read,
        wal,
        connections,
        busy,
        waiting,
        blocked: longest === null ? null : { longest, who: who ?? '' },
        waits,
        backends: local ? (backends ?? []) : [],
      };
    },
    close: () => session.close(),
  };
}
