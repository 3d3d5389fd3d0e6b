/**
 * engines: what the role of a session may not read of what a dump has to read. Asks the catalogue only, and locks nothing.
 */
import type { Access, Unreadable } from '../../../model/backup/access.js';
import type { Session } from '../../../system/postgres/postgres.js';
import { usersOf } from './catalogue.js';

/** Large objects that are named; the rest is counted. */
const named = 5;

/**
 * What pg_dump locks or copies: tables with partitioned ones, sequences, and of extensions only their configuration. Row security
 * stands in the way of what has rows itself.
 */
const relations = `SELECT c.oid, c.relkind, c.relname, n.nspname, n.oid AS schema
  FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
  WHERE c.relkind IN ('r', 'p', 'S') AND ((${usersOf('pg_class')})
    OR (c.oid IN (SELECT pg_catalog.unnest(e.extconfig) FROM pg_catalog.pg_extension e WHERE e.oid > 16383)))`;

const unreadable = `WITH relation AS (${relations})
  SELECT DISTINCT 'schema' AS kind, nspname AS schema, NULL::pg_catalog.name AS name FROM relation
    WHERE NOT pg_catalog.has_schema_privilege(schema, 'USAGE')
  UNION ALL SELECT CASE relkind WHEN 'S' THEN 'sequence' ELSE 'table' END, nspname, relname FROM relation
    WHERE NOT (CASE relkind WHEN 'S' THEN pg_catalog.has_sequence_privilege(oid, 'SELECT') ELSE pg_catalog.has_table_privilege(oid, 'SELECT') END)
  UNION ALL SELECT 'hidden', nspname, relname FROM relation WHERE relkind = 'r' AND pg_catalog.row_security_active(oid)
  ORDER BY 1, 2, 3`;

/** What has_largeobject_privilege tells since 18: by the owner, and by the rights given. */
const mayRead = `pg_catalog.pg_has_role(o.lomowner, 'USAGE') OR pg_catalog.current_setting('lo_compat_privileges') = 'on'
  OR EXISTS (SELECT FROM pg_catalog.aclexplode(o.lomacl) a
    WHERE a.privilege_type = 'SELECT' AND (CASE a.grantee WHEN 0 THEN true ELSE pg_catalog.pg_has_role(a.grantee, 'USAGE') END))`;

async function deniedObjects(session: Session): Promise<Access['largeObjects']> {
  const may = session.serverMajor >= 18 ? "pg_catalog.has_largeobject_privilege(o.oid, 'SELECT')" : mayRead;
  const [row] = await session.query<{ count: number; first: string[] | null }>(
    `SELECT pg_catalog.count(*) AS count, (pg_catalog.array_agg(oid::text ORDER BY oid))[1:${named}] AS first
      FROM (SELECT o.oid FROM pg_catalog.pg_largeobject_metadata o WHERE NOT (${may})) denied`,
  );
  return { count: row?.count ?? 0, first: row?.first ?? [] };
}

/** What stands between this session's role and a whole dump. Of a superuser nothing does. */
export async function readAccess(session: Session): Promise<Access> {
  const [user] = await session.query<{ role: string; superuser: boolean }>(
    'SELECT rolname::text AS role, rolsuper AS superuser FROM pg_catalog.pg_roles WHERE rolname = CURRENT_USER',
  );
  const { role = '', superuser = false } = user ?? {};
  const { serverMajor } = session;
  if (superuser) return { role, serverMajor, unreadable: [], largeObjects: { count: 0, first: [] } };
  return { role, serverMajor, unreadable: await session.query<Unreadable>(unreadable), largeObjects: await deniedObjects(session) };
}
