/**
 * engines: where a database stands, in one look that writes nothing, not even a transaction's number.
 */
import type { Mark } from '../../../model/backup/mark.js';
import type { Session } from '../../../system/postgres/postgres.js';

const look = `SELECT
  CASE WHEN r.standby THEN NULL ELSE pg_catalog.pg_current_snapshot()::text END AS snapshot,
  pg_catalog.pg_postmaster_start_time()::text AS started,
  pg_catalog.pg_wal_lsn_diff(
    CASE WHEN r.standby THEN pg_catalog.pg_last_wal_replay_lsn() ELSE pg_catalog.pg_current_wal_lsn() END, '0/0')::float8 AS wal,
  CASE WHEN r.standby THEN NULL ELSE d.tup_inserted + d.tup_updated + d.tup_deleted END AS rows,
  COALESCE(d.stats_reset::text, 'ever') AS "rowsSince"
FROM (SELECT pg_catalog.pg_is_in_recovery() AS standby) r, pg_catalog.pg_stat_database d WHERE d.datname = pg_catalog.current_database()`;

const server = `SELECT s.system_identifier || '/' || c.timeline_id AS server
FROM pg_catalog.pg_control_system() s, pg_catalog.pg_control_checkpoint() c`;

/** One that the role may not read would look as if it had never been used. */
const sequences = `SELECT CASE WHEN pg_catalog.bool_and(pg_catalog.has_sequence_privilege(c.oid, 'SELECT')) IS NOT FALSE THEN
    COALESCE(pg_catalog.md5(pg_catalog.string_agg(c.oid || ' ' || COALESCE(pg_catalog.pg_sequence_last_value(c.oid)::text, ''), ',' ORDER BY c.oid)), 'none') END AS sequences
FROM pg_catalog.pg_class c WHERE c.relkind = 'S' AND c.relpersistence <> 't'`;

/** What cannot be told is null. Throws `connection`. */
export async function readMark(session: Session): Promise<Mark> {
  // two parts may be forbidden, or wait for somebody's lock
  await session.query("SET statement_timeout = '5s'");
  const [moved] = await session.query<Pick<Mark, 'sequences'>>(sequences).catch(() => []);
  const [known] = await session.query<Pick<Mark, 'server'>>(server).catch(() => []);
  const [found] = await session.query<Pick<Mark, 'snapshot' | 'started' | 'wal' | 'rows' | 'rowsSince'>>(look);
  const nothing = { snapshot: null, started: null, wal: null, rows: null, rowsSince: null };
  return { ...nothing, ...found, server: known?.server ?? null, sequences: moved?.sequences ?? null };
}
