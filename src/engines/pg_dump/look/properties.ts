/**
 * engines: a database's own properties, which no archive holds: read from its server, and put there again.
 */
import type { DatabaseProperties } from '../../../model/backup/properties.js';
import { asFailure } from '../../../model/errors.js';
import type { Session } from '../../../system/postgres/postgres.js';

const providers = { c: 'libc', i: 'icu', b: 'builtin' } as const;

/** The columns that came with 15, 16 and 17. */
function localeColumns(major: number): string {
  const locale = major >= 17 ? 'd.datlocale' : major >= 15 ? 'd.daticulocale' : 'NULL';
  return `${major >= 15 ? 'd.datlocprovider' : "'c'"}::text AS provider, ${locale}::text AS locale, ${major >= 16 ? 'd.daticurules' : 'NULL'}::text AS rules,
    ${major >= 15 ? 'd.datcollversion' : 'NULL'}::text AS "collationVersion"`;
}

const aclOf = `CASE WHEN d.datacl IS NOT NULL THEN coalesce((SELECT pg_catalog.json_agg(pg_catalog.json_build_object(
    'grantor', pg_catalog.pg_get_userbyid(a.grantor), 'grantee', CASE WHEN a.grantee <> 0 THEN pg_catalog.pg_get_userbyid(a.grantee) END,
    'privilege', a.privilege_type, 'grantable', a.is_grantable))
  FROM pg_catalog.aclexplode(d.datacl) a), '[]') END`;

const settingsOf = `coalesce((SELECT pg_catalog.json_agg(pg_catalog.json_build_object('role', r.rolname,
    'name', pg_catalog.split_part(c.setting, '=', 1), 'value', pg_catalog.substr(c.setting, pg_catalog.strpos(c.setting, '=') + 1)) ORDER BY r.rolname NULLS FIRST, c.at)
  FROM pg_catalog.pg_db_role_setting s CROSS JOIN pg_catalog.unnest(s.setconfig) WITH ORDINALITY AS c(setting, at) LEFT JOIN pg_catalog.pg_roles r ON r.oid = s.setrole
  WHERE s.setdatabase = d.oid), '[]')`;

const labelsOf = `coalesce((SELECT pg_catalog.json_agg(pg_catalog.json_build_object('provider', l.provider, 'label', l.label) ORDER BY l.provider)
  FROM pg_catalog.pg_shseclabel l WHERE l.objoid = d.oid AND l.classoid = 'pg_catalog.pg_database'::pg_catalog.regclass), '[]')`;

type Row = Omit<DatabaseProperties, 'provider'> & { readonly provider: keyof typeof providers };

/** Of the session's database. */
export async function readProperties(session: Session): Promise<DatabaseProperties | undefined> {
  const [row] = await session.query<Row>(
    `SELECT pg_catalog.pg_get_userbyid(d.datdba)::text AS owner, ${aclOf} AS acl, ${settingsOf} AS settings, ${labelsOf} AS labels,
        pg_catalog.shobj_description(d.oid, 'pg_database') AS comment, d.datconnlimit AS "connectionLimit", d.datistemplate AS "isTemplate",
        t.spcname::text AS tablespace, ${localeColumns(session.serverMajor)}
      FROM pg_catalog.pg_database d JOIN pg_catalog.pg_tablespace t ON t.oid = d.dattablespace WHERE d.datname = pg_catalog.current_database()`,
  );
  return row && { ...row, provider: providers[row.provider] };
}

/** Runs each statement by itself. Resolves to those that the server refused, with its words. */
export async function amend(session: Session, statements: readonly string[]): Promise<string[]> {
  const refused: string[] = [];
  for (const statement of statements) {
    await session.query(statement).catch((error: unknown) => refused.push(`${statement} (${asFailure(error).message})`));
  }
  return refused;
}
