/**
 * engines: what a database says of itself in its catalogue: identity, counts, and what a restore will need. Reads only.
 */
import type { BackupDetails, Fingerprint, TableCount } from '../../../model/backup/backup.js';
import type { TableName } from '../../../model/restore/contents.js';
import type { Session } from '../../../system/postgres/postgres.js';
import { readProperties } from './properties.js';

/** What users made, of the catalogue `c` in the namespace `n`: not the server's own, not temporary, not what an extension brings along. */
export const usersOf = (catalogue: string): string => `n.nspname <> 'information_schema' AND n.nspname !~ '^pg_' AND NOT EXISTS (SELECT
  FROM pg_catalog.pg_depend d WHERE d.classid = 'pg_catalog.${catalogue}'::pg_catalog.regclass AND d.objid = c.oid AND d.deptype = 'e')`;

export async function readIdentity(session: Session): Promise<string | null> {
  const rows = await session
    .query<{ id: string }>('SELECT system_identifier::text AS id FROM pg_catalog.pg_control_system()')
    .catch(() => []);
  return rows[0]?.id ?? null;
}

export async function readServerFacts(
  session: Session,
): Promise<{ databaseName: string; systemIdentifier: string | null; databaseSize: number | null }> {
  const [row] = await session.query<{ name: string }>('SELECT pg_catalog.current_database() AS name');
  const size = await session
    .query<{ size: number }>('SELECT pg_catalog.pg_database_size(pg_catalog.current_database()) AS size')
    .catch(() => []);
  return { databaseName: row?.name ?? '', systemIdentifier: await readIdentity(session), databaseSize: size[0]?.size ?? null };
}

/** Relations, functions, types and large objects that users made; 0 means an empty database. */
export async function countObjects(session: Session): Promise<number> {
  const own = (catalogue: string, namespace: string, more = '') =>
    `(SELECT pg_catalog.count(*) FROM pg_catalog.${catalogue} c JOIN pg_catalog.pg_namespace n ON n.oid = c.${namespace}
      WHERE ${usersOf(catalogue)} ${more})`;
  const kinds = [
    own('pg_class', 'relnamespace'),
    own('pg_proc', 'pronamespace'),
    own('pg_type', 'typnamespace', "AND c.typtype IN ('d', 'e', 'r')"),
    '(SELECT pg_catalog.count(*) FROM pg_catalog.pg_largeobject_metadata)',
  ];
  const [row] = await session.query<{ count: number }>(`SELECT ${kinds.join(' + ')} AS count`);
  return row?.count ?? 0;
}

/** What is counted: tables with rows of their own. Unlogged ones cannot be read on a standby. */
export async function listTables(session: Session): Promise<{ schema: string; name: string; quoted: string }[]> {
  return session.query(
    `SELECT n.nspname AS schema, c.relname AS name, pg_catalog.format('%I.%I', n.nspname, c.relname) AS quoted
      FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
      WHERE c.relkind = 'r' AND (c.relpersistence = 'p' OR (c.relpersistence = 'u' AND NOT pg_catalog.pg_is_in_recovery())) AND ${usersOf('pg_class')}
      ORDER BY 1, 2`,
  );
}

/** Tables named in one LOCK statement. */
const batch = 200;

/**
 * Takes pg_dump's own kind of lock on every table before pg_dump does. So nobody empties or changes one between its count and its
 * dump (TRUNCATE shows through every snapshot), and no count waits behind an ALTER TABLE that waits for pg_dump.
 */
export async function lockTables(session: Session): Promise<void> {
  const tables = await listTables(session);
  for (let at = 0; at < tables.length; at += batch) {
    const quoted = tables.slice(at, at + batch).map((table) => `ONLY ${table.quoted}`);
    await session.query(`LOCK TABLE ${quoted.join(', ')} IN ACCESS SHARE MODE`);
  }
}

/** Every table's exact row count, as this session's snapshot sees it; all 0 for a dump of the schema alone. `only`: of these tables. */
export async function countRows(
  session: Session,
  content: 'all' | 'schema' = 'all',
  only: readonly TableName[] | null = null,
): Promise<Fingerprint> {
  const counted: TableCount[] = [];
  const isCounted = (table: TableName) => only?.some(({ schema, name }) => schema === table.schema && name === table.name) ?? true;
  for (const { schema, name, quoted } of (await listTables(session)).filter(isCounted)) {
    const [row] =
      content === 'schema' ? [] : await session.query<{ rows: number }>(`SELECT pg_catalog.count(*) AS rows FROM ONLY ${quoted}`);
    counted.push({ schema, name, rows: row?.rows ?? 0 });
  }
  if (content === 'schema') return { method: 'counts', tables: counted, largeObjects: null };
  const [objects] = await session.query<{ count: number }>('SELECT pg_catalog.count(*) AS count FROM pg_catalog.pg_largeobject_metadata');
  return { method: 'counts', tables: counted, largeObjects: objects?.count ?? null };
}

const names = async (session: Session, sql: string): Promise<string[]> =>
  (await session.query<{ name: string }>(sql)).map(({ name }) => name);

/** Roles or tablespaces that something in this database depends on. */
const shared = (catalogue: 'pg_roles' | 'pg_tablespace', column: string, classid: string): string =>
  `SELECT DISTINCT s.${column} AS name FROM pg_catalog.pg_shdepend d JOIN pg_catalog.${catalogue} s ON s.oid = d.refobjid
    WHERE d.refclassid = 'pg_catalog.${classid}'::pg_catalog.regclass
      AND d.dbid IN (0, (SELECT oid FROM pg_catalog.pg_database WHERE datname = pg_catalog.current_database()))
      AND (d.dbid <> 0 OR d.objid = (SELECT oid FROM pg_catalog.pg_database WHERE datname = pg_catalog.current_database()))
      AND s.${column} !~ '^pg_' ORDER BY 1`;

/** What a restore needs beside the archive; the fingerprint is added by the dump. */
export async function readNeeds(session: Session): Promise<Omit<BackupDetails, 'fingerprint' | 'notIncluded' | 'format'>> {
  const [database] = await session.query<{ encoding: string; collate: string; ctype: string; owner: string }>(
    `SELECT pg_catalog.pg_encoding_to_char(encoding) AS encoding, datcollate AS collate, datctype AS ctype, pg_catalog.pg_get_userbyid(datdba) AS owner
      FROM pg_catalog.pg_database WHERE datname = pg_catalog.current_database()`,
  );
  const roles = await names(session, shared('pg_roles', 'rolname', 'pg_authid'));
  return {
    encoding: database?.encoding ?? 'UTF8',
    collate: database?.collate ?? null,
    ctype: database?.ctype ?? null,
    properties: await readProperties(session),
    roles: [...new Set([...roles, ...(database ? [database.owner] : [])])].sort(),
    extensions: await session.query(
      `SELECT e.extname AS name, e.extversion AS version, n.nspname AS schema
        FROM pg_catalog.pg_extension e JOIN pg_catalog.pg_namespace n ON n.oid = e.extnamespace ORDER BY 1`,
    ),
    tablespaces: await names(session, shared('pg_tablespace', 'spcname', 'pg_tablespace')),
  };
}
