/**
 * engines: the fingerprint of a database: rows counted, or their content hashed whatever their order. Reads only.
 *
 * A row's hash is `hashtextextended` of its text, columns by name, with every setting pinned that changes how a value is written; a
 * table's hash is the sum over its rows. Columns that are computed are left out: no archive holds them.
 */
import { Failure } from '../../../model/errors.js';
import type { Fingerprint, SequenceState, TableCount } from '../../../model/backup/backup.js';
import type { TableName } from '../../../model/restore/contents.js';
import type { Session } from '../../../system/postgres/postgres.js';
import { countRows, listTables, usersOf } from './catalogue.js';

/** The search_path of every session is pinned already, so that names of objects are always written with their schema. */
const pinned: Readonly<Record<string, string>> = {
  DateStyle: 'ISO, YMD',
  IntervalStyle: 'postgres',
  TimeZone: 'UTC',
  extra_float_digits: '3',
  bytea_output: 'hex',
  lc_monetary: 'C',
  xmlbinary: 'base64',
};

/** Since when there is `hashtextextended`. */
const hashesSince = 11;

interface Column {
  readonly schema: string;
  readonly name: string;
  readonly columns: string;
}

/** The columns of each table as one expression; by name, since an inherited table may get its columns back in another order. */
async function readRows(session: Session): Promise<Map<string, string>> {
  const computed = session.serverMajor >= 12 ? "AND a.attgenerated = ''" : '';
  const rows = await session.query<Column>(
    `SELECT n.nspname AS schema, c.relname AS name,
        pg_catalog.string_agg(pg_catalog.quote_ident(a.attname), ', ' ORDER BY a.attname COLLATE "C") AS columns
      FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace JOIN pg_catalog.pg_attribute a ON a.attrelid = c.oid
      WHERE c.relkind IN ('r', 'm') AND a.attnum > 0 AND NOT a.attisdropped ${computed} GROUP BY 1, 2`,
  );
  return new Map(rows.map(({ schema, name, columns }) => [JSON.stringify([schema, name]), columns]));
}

/** What no server can hash in one piece: a text above 1 GB. */
const isTooLong = (error: unknown): boolean =>
  error instanceof Failure && /invalid memory alloc|string buffer|out of memory/.test(error.message);

/** Runs what may be too long in a transaction that goes on after it; null: it was. */
async function attempt<T>(session: Session, deed: () => Promise<T>): Promise<T | null> {
  await session.query('SAVEPOINT hash');
  try {
    const result = await deed();
    await session.query('RELEASE SAVEPOINT hash');
    return result;
  } catch (error) {
    if (!isTooLong(error)) throw error;
    await session.query('ROLLBACK TO SAVEPOINT hash');
    return null;
  }
}

async function hashTable(session: Session, table: TableName & { quoted: string }, columns: string): Promise<TableCount> {
  const { schema, name, quoted } = table;
  const row = `pg_catalog.hashtextextended(ROW(${columns})::pg_catalog.text COLLATE "C", 0)`;
  const one = async (sum: string) =>
    (
      await session.query<{ rows: number; hash: string | null }>(`SELECT pg_catalog.count(*) AS rows, ${sum} AS hash FROM ONLY ${quoted}`)
    )[0];
  const found = (await attempt(session, () => one(`pg_catalog.sum(${row})::pg_catalog.text`))) ?? (await one('NULL'));
  const { rows = 0, hash } = found ?? {};
  return { schema, name, rows, ...(hash == null ? {} : { hash }) };
}

/** Read in pieces, since none above 1 GB comes as a whole. */
const largeObjects = `SELECT pg_catalog.count(*) AS count, pg_catalog.sum(h.hash)::pg_catalog.text AS hash FROM (
  SELECT pg_catalog.hashtextextended(m.oid || pg_catalog.string_agg(pg_catalog.md5(pg_catalog.lo_get(m.oid, piece, 16777216)), ' ' ORDER BY piece), 0) AS hash
  FROM (SELECT m.oid, CASE WHEN pg_catalog.lo_close(s.fd) = 0 THEN s.size END AS size FROM pg_catalog.pg_largeobject_metadata m,
      LATERAL (SELECT o.fd, pg_catalog.lo_lseek64(o.fd, 0, 2) AS size FROM (SELECT pg_catalog.lo_open(m.oid, 262144) AS fd OFFSET 0) o OFFSET 0) s OFFSET 0) m,
    LATERAL pg_catalog.generate_series(0, m.size, 16777216) piece GROUP BY m.oid) h`;

/** Those that do not go round: where one of those stands says nothing a moment later. */
export async function readSequences(session: Session): Promise<SequenceState[]> {
  const all = await session.query<{ schema: string; name: string; quoted: string; down: boolean }>(
    `SELECT n.nspname AS schema, c.relname AS name, pg_catalog.format('%I.%I', n.nspname, c.relname) AS quoted, s.seqincrement < 0 AS down
      FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace JOIN pg_catalog.pg_sequence s ON s.seqrelid = c.oid
      WHERE NOT s.seqcycle AND (c.relpersistence = 'p' OR NOT pg_catalog.pg_is_in_recovery()) AND ${usersOf('pg_class')} ORDER BY 1, 2`,
  );
  const found: SequenceState[] = [];
  for (let at = 0; at < all.length; at += 100) {
    const some = all.slice(at, at + 100);
    const rows = await session.query<{ i: number; last: string; called: boolean }>(
      some
        .map(({ quoted }, i) => `SELECT ${i} AS i, last_value::pg_catalog.text AS last, is_called AS called FROM ${quoted}`)
        .join(' UNION ALL '),
    );
    for (const { i, last, called } of rows) {
      const sequence = some[i];
      if (sequence) found.push({ schema: sequence.schema, name: sequence.name, last, called, down: sequence.down });
    }
  }
  return found;
}

/** Who refreshes one is not kept waiting: no lock outlives its look, and where one is held the view is left out. */
async function readViews(session: Session, columns: Map<string, string> | null): Promise<TableCount[]> {
  const views = await session.query<TableName & { quoted: string }>(
    `SELECT n.nspname AS schema, c.relname AS name, pg_catalog.format('%I.%I', n.nspname, c.relname) AS quoted
      FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
      WHERE c.relkind = 'm' AND c.relispopulated AND pg_catalog.has_table_privilege(c.oid, 'SELECT') AND ${usersOf('pg_class')} ORDER BY 1, 2`,
  );
  const found: TableCount[] = [];
  for (const view of views) {
    await session.query("SAVEPOINT view; SET LOCAL lock_timeout = '100ms'");
    const hashed = columns?.get(JSON.stringify([view.schema, view.name]));
    await (hashed === undefined ? countTable(session, view) : hashTable(session, view, hashed)).then(
      (counted) => found.push(counted),
      (error: unknown) => {
        if (!(error instanceof Failure) || error.code !== 'lock-timeout') throw error;
      },
    );
    await session.query('ROLLBACK TO SAVEPOINT view');
  }
  return found;
}

async function countTable(session: Session, { schema, name, quoted }: TableName & { quoted: string }): Promise<TableCount> {
  const [row] = await session.query<{ rows: number }>(`SELECT pg_catalog.count(*) AS rows FROM ONLY ${quoted}`);
  return { schema, name, rows: row?.rows ?? 0 };
}

async function hashContent(session: Session, only: readonly TableName[] | null): Promise<Fingerprint> {
  await session.query(
    Object.entries(pinned)
      .map(([name, value]) => `SET LOCAL "${name}" = '${value}'`)
      .join('; '),
  );
  const columns = await readRows(session);
  const isWanted = (table: TableName) => only?.some(({ schema, name }) => schema === table.schema && name === table.name) ?? true;
  const tables: TableCount[] = [];
  for (const table of (await listTables(session)).filter(isWanted))
    tables.push(await hashTable(session, table, columns.get(JSON.stringify([table.schema, table.name])) ?? ''));
  const [objects] = (await attempt(session, () => session.query<{ count: number; hash: string | null }>(largeObjects))) ?? [];
  const { count = null, hash } = objects ?? {};
  const views = only ? [] : await readViews(session, columns);
  return { method: 'content', tables, views, largeObjects: count, ...(hash == null ? {} : { largeObjectsHash: hash }) };
}

async function count(session: Session, content: 'all' | 'schema', only: readonly TableName[] | null): Promise<Fingerprint> {
  const counted = await countRows(session, content, only);
  return only || content === 'schema' ? counted : { ...counted, views: await readViews(session, null) };
}

/** What a fingerprint is to hold. */
export interface Wanted {
  readonly method: Fingerprint['method'];
  readonly content: 'all' | 'schema';
  /** These tables; null: all. */
  readonly only?: readonly TableName[] | null;
}

/** In the session's own transaction. Sequences, which no snapshot holds, are not in it. */
export async function takeFingerprint(session: Session, { method, content, only = null }: Wanted): Promise<Fingerprint> {
  if (method === 'none') return { method, tables: [], largeObjects: null };
  if (method === 'counts' || content === 'schema' || session.serverMajor < hashesSince) return count(session, content, only);
  return hashContent(session, only);
}

/** Of what was restored, as the backup's own fingerprint was taken. Texts of another encoding have other hashes: then rows are counted. */
export async function retakeFingerprint(
  session: Session,
  { encoding, fingerprint }: { readonly encoding: string; readonly fingerprint: Fingerprint },
  only: readonly TableName[] | null,
): Promise<Fingerprint> {
  const [database] = await session.query<{ encoding: string }>(
    'SELECT pg_catalog.pg_encoding_to_char(encoding) AS encoding FROM pg_catalog.pg_database WHERE datname = pg_catalog.current_database()',
  );
  await session.query('BEGIN ISOLATION LEVEL REPEATABLE READ, READ ONLY');
  const isHashed = fingerprint.method === 'content' && database?.encoding === encoding;
  const sequences = isHashed && !only ? { sequences: await readSequences(session) } : {};
  const found = isHashed ? await hashContent(session, only) : await count(session, 'all', only);
  await session.query('COMMIT');
  return { ...found, ...sequences };
}
