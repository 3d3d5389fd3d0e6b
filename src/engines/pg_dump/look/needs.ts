/**
 * engines: what a server offers to a restore: roles, extensions, tablespaces, locales, room. Reads only.
 */
import { existsSync } from 'node:fs';
import type { BackupDetails } from '../../../model/backup/backup.js';
import type { TargetSurvey } from '../../../model/roles/engine/load.js';
import { Failure } from '../../../model/errors.js';
import { freeBytes } from '../../../system/files/disk.js';
import type { Session } from '../../../system/postgres/postgres.js';
import { readProperties } from './properties.js';
import { readDataFolder } from './volumes.js';

/** What is the same in every database of the server, and what one that exists adds to it. */
export type ServerOffer = Pick<
  TargetSurvey,
  'serverVersion' | 'serverMajor' | 'user' | 'roles' | 'tablespaces' | 'extensions' | 'knowsLocale' | 'freeBytes'
>;
type DatabaseOffer = Pick<TargetSurvey, 'encoding' | 'collate' | 'ctype' | 'connections' | 'properties'>;

const names = async (session: Session, sql: string): Promise<string[]> =>
  (await session.query<{ name: string }>(sql)).map(({ name }) => name);

async function readUser(session: Session): Promise<TargetSurvey['user']> {
  const [row] = await session.query<{ name: string; superuser: boolean; createdb: boolean }>(
    `SELECT rolname::text AS name, rolsuper AS superuser, rolsuper OR rolcreatedb AS createdb
      FROM pg_catalog.pg_roles WHERE rolname = CURRENT_USER`,
  );
  const memberOf = await names(
    session,
    "SELECT rolname::text AS name FROM pg_catalog.pg_roles WHERE pg_catalog.pg_has_role(oid, 'MEMBER')",
  );
  return { name: row?.name ?? '', superuser: row?.superuser ?? false, createdb: row?.createdb ?? false, memberOf };
}

const readExtensions = (session: Session): Promise<TargetSurvey['extensions']> =>
  session.query(
    `SELECT e.name::text AS name, e.default_version AS "defaultVersion", e.installed_version AS installed,
        pg_catalog.array_agg(v.version) AS versions, ${session.serverMajor >= 13 ? 'pg_catalog.bool_or(v.trusted)' : 'false'} AS trusted
      FROM pg_catalog.pg_available_extensions e JOIN pg_catalog.pg_available_extension_versions v ON v.name = e.name
      GROUP BY 1, 2, 3 ORDER BY 1`,
  );

/** Asked by a setting that takes any locale the server knows, for the length of one statement. */
async function knows(session: Session, locale: string | null): Promise<boolean> {
  if (locale === null) return true;
  try {
    await session.query("SELECT pg_catalog.set_config('lc_monetary', $1, true)", [locale]);
    return true;
  } catch (error) {
    const cause = error instanceof Failure ? error.cause : null;
    // INVALID_PARAMETER_VALUE
    if (cause instanceof Error && 'code' in cause && cause.code === '22023') return false;
    throw error;
  }
}

/** Only where the server is on this machine and its folder can be seen. */
async function readFreeBytes(session: Session, host: string): Promise<number | null> {
  if (!host.startsWith('/')) return null;
  const folder = await readDataFolder(session);
  return folder !== null && existsSync(folder) ? freeBytes(folder) : null;
}

/** What any database of the server tells. */
export async function surveyServer(
  session: Session,
  host: string,
  details: Pick<BackupDetails, 'collate' | 'ctype'>,
): Promise<ServerOffer> {
  return {
    serverVersion: session.serverVersion,
    serverMajor: session.serverMajor,
    user: await readUser(session),
    roles: await names(session, 'SELECT rolname::text AS name FROM pg_catalog.pg_roles'),
    tablespaces: await names(session, 'SELECT spcname::text AS name FROM pg_catalog.pg_tablespace'),
    extensions: await readExtensions(session),
    knowsLocale: (await knows(session, details.collate)) && (await knows(session, details.ctype)),
    freeBytes: await readFreeBytes(session, host),
  };
}

/** What the target itself tells. */
export async function surveyDatabase(session: Session): Promise<DatabaseOffer> {
  const [row] = await session.query<Omit<DatabaseOffer, 'properties'>>(
    `SELECT pg_catalog.pg_encoding_to_char(encoding)::text AS encoding, datcollate::text AS collate, datctype::text AS ctype,
        (SELECT pg_catalog.count(*) FROM pg_catalog.pg_stat_activity a
          WHERE a.datid = d.oid AND a.pid <> pg_catalog.pg_backend_pid() AND a.backend_type = 'client backend') AS connections
      FROM pg_catalog.pg_database d WHERE datname = pg_catalog.current_database()`,
  );
  const properties = (await readProperties(session)) ?? null;
  return { ...(row ?? { encoding: null, collate: null, ctype: null, connections: null }), properties };
}
