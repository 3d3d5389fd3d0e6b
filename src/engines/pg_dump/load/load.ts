/**
 * engines: a load under way: pg_restore fills the target, then the same counts are taken there.
 */
import type { Installed } from '../../../model/backup/client-choice.js';
import type { Load, LoadRequest } from '../../../model/roles/engine/load.js';
import { Failure } from '../../../model/errors.js';
import { localeClauses, type Texts } from '../../../model/backup/properties.js';
import { missingRoles } from '../../../model/restore/globals.js';
import { identifier, literal } from '../../../model/quote.js';
import type { Server } from '../../../system/connection/connection.js';
import type { Session } from '../../../system/postgres/postgres.js';
import { retakeFingerprint } from '../look/content.js';
import { applicationNameOf, during, type Connection } from '../connection.js';
import { loadKept } from './kept.js';
import { loadStages, type Stager } from './stages.js';

/** WRONG_OBJECT_TYPE, INVALID_PARAMETER_VALUE, FEATURE_NOT_SUPPORTED, SYNTAX_ERROR: whatever language the server speaks. */
const isWrongLocale = (error: unknown): boolean =>
  error instanceof Failure &&
  error.cause instanceof Error &&
  'code' in error.cause &&
  ['42809', '22023', '0A000', '42601'].includes(String(error.cause.code));

export interface NewDatabase extends Texts {
  /** Where it lies; the server's default where that has no such tablespace. */
  readonly tablespace?: string | undefined;
}

/** An empty database with the encoding and locale of the source; without the locale where the server does not know it. */
export async function createDatabase(server: Server, databaseName: string, wanted: NewDatabase): Promise<void> {
  const { tablespace } = wanted;
  await during(server, async (session) => {
    const spaces = await session.query('SELECT FROM pg_catalog.pg_tablespace WHERE spcname = $1', [tablespace ?? '']);
    const place =
      tablespace !== undefined && tablespace !== 'pg_default' && spaces.length > 0 ? ` TABLESPACE ${identifier(tablespace)}` : '';
    const create = (locale: string) =>
      session.query(`CREATE DATABASE ${identifier(databaseName)} TEMPLATE template0 ENCODING ${literal(wanted.encoding)}${locale}${place}`);
    const locale = localeClauses(wanted, session.serverMajor);
    await create(locale).catch((error: unknown) => {
      if (locale === '' || !isWrongLocale(error)) throw error;
      return create('');
    });
  });
}

/** A database cannot be dropped with subscriptions in it; what they were fed by is not asked, nor told to forget them. */
export async function dropSubscriptions(session: Session): Promise<void> {
  const subscriptions = await session.query<{ name: string }>(
    `SELECT subname::text AS name FROM pg_catalog.pg_subscription
      WHERE subdbid = (SELECT oid FROM pg_catalog.pg_database WHERE datname = pg_catalog.current_database())`,
  );
  for (const { name } of subscriptions) {
    await session.query(`ALTER SUBSCRIPTION ${identifier(name)} DISABLE`);
    await session.query(`ALTER SUBSCRIPTION ${identifier(name)} SET (slot_name = NONE)`);
    await session.query(`DROP SUBSCRIPTION ${identifier(name)}`);
  }
}

/** Removes a database, whoever is still connected to it. */
export async function dropDatabase(server: Server, databaseName: string): Promise<void> {
  await during(server, (session) =>
    session.query(`DROP DATABASE IF EXISTS ${identifier(databaseName)}${session.serverMajor >= 13 ? ' WITH (FORCE)' : ''}`),
  );
}

const readRoles = async (session: Session): Promise<Set<string>> =>
  new Set((await session.query<{ rolname: string }>('SELECT rolname FROM pg_catalog.pg_roles')).map(({ rolname }) => rolname));

/** Roles that own or may use something in the archive and are not there yet: as bare names, without login. */
async function createMissingRoles(session: Session, roles: readonly string[]): Promise<void> {
  const there = await readRoles(session);
  for (const role of roles) if (!there.has(role)) await session.query(`CREATE ROLE ${identifier(role)} NOLOGIN`);
}

/** The roles of pg_dumpall's text that are not there yet, with their attributes, passwords and memberships; all or none. */
export async function addRoles(session: Session, globals: string): Promise<string[]> {
  const { created, statements } = missingRoles(globals, await readRoles(session));
  // as pg_dumpall's own text begins
  await session.query('BEGIN; SET LOCAL standard_conforming_strings = on');
  for (const statement of statements) await session.query(statement);
  await session.query('COMMIT');
  return created;
}

export async function beginLoad(connection: Connection, client: Installed, request: LoadRequest): Promise<Load> {
  const { details, replace, jobs = 1 } = request;
  const databaseName = await connection.databaseName();
  if (request.create)
    await createDatabase(await connection.maintenance(), databaseName, { ...details, tablespace: details.properties?.tablespace });
  await connection.settle();
  const use = <T>(deed: (session: Session) => Promise<T>) => connection.use(deed, applicationNameOf(request.eventId));
  if (request.createRoles) await use((session) => createMissingRoles(session, details.roles));
  const child = await connection.childEnvironment(request.eventId);
  const serverMajor = await use(async (session) => session.serverMajor);
  const stages: Stager = (way, ...more) => loadStages({ client, databaseName, serverMajor, env: child.env }, request, way, more);
  const close = async () => child.remove();
  if (request.form === 'directory' || request.parts || jobs > 1)
    return { ...(await loadKept(client, request, { folder: child.folder, stages, use }).catch(refuse(child.remove))), close };
  return {
    stages: stages({ clean: replace, atomic: replace, jobs }),
    finish: async () => null,
    again: () => Promise.reject(new Failure('internal', 'what streamed by cannot be loaded again')),
    fingerprint: () => use((session) => retakeFingerprint(session, details, null)),
    close,
  };
}

const refuse = (first: () => void) => (error: unknown) => {
  first();
  throw error;
};
