/**
 * engines: a load under way: pg_restore fills the target, then the same counts are taken there.
 */
import { join } from 'node:path';
import type { BackupDetails, TableCount } from '../../model/backup/backup.js';
import type { Installed } from '../../model/backup/client-choice.js';
import { tablesIn } from '../../model/backup/contents.js';
import type { Load, LoadRequest } from '../../model/roles/engine.js';
import { Failure } from '../../model/errors.js';
import type { ProgramExit, ProgramStage } from '../../model/roles/flow.js';
import { missingRoles } from '../../model/backup/globals.js';
import { identifier, literal } from '../../model/quote.js';
import type { Server } from '../../system/connection/connection.js';
import type { Session } from '../../system/postgres/postgres.js';
import { retakeFingerprint } from './content.js';
import { applicationNameOf, type Connection } from './connection.js';
import { checkRoom, choose, keepIn, output } from './spool.js';
import { complaints, explainExit } from './stages.js';

/** WRONG_OBJECT_TYPE, whatever language the server speaks. */
const isWrongLocale = (error: unknown): boolean =>
  error instanceof Failure && error.cause instanceof Error && 'code' in error.cause && error.cause.code === '42809';

type Locale = Pick<BackupDetails, 'encoding' | 'collate' | 'ctype'>;

/** An empty database with the encoding and locale of the source; without the locale where the server does not know it. */
export async function createDatabase(server: Server, databaseName: string, { encoding, collate, ctype }: Locale): Promise<void> {
  const session = await server.connect({ applicationName: 'backup-automation' });
  const create = (locale: string) =>
    session.query(`CREATE DATABASE ${identifier(databaseName)} TEMPLATE template0 ENCODING ${literal(encoding)}${locale}`);
  try {
    const locale = collate && ctype ? ` LC_COLLATE ${literal(collate)} LC_CTYPE ${literal(ctype)}` : '';
    await create(locale).catch((error: unknown) => {
      if (locale === '' || !isWrongLocale(error)) throw error;
      return create('');
    });
  } finally {
    await session.close();
  }
}

/** Removes a database, whoever is still connected to it. */
export async function dropDatabase(server: Server, databaseName: string): Promise<void> {
  const session = await server.connect({ applicationName: 'backup-automation' });
  try {
    await session.query(`DROP DATABASE IF EXISTS ${identifier(databaseName)}${session.serverMajor >= 13 ? ' WITH (FORCE)' : ''}`);
  } finally {
    await session.close();
  }
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

function explainLoad(exit: ProgramExit): Failure {
  const ignored = /errors ignored on restore: (\d+)/.exec(exit.stderr)?.[1];
  const missing = /extension "(.*)" is not available/.exec(exit.stderr)?.[1];
  if (missing !== undefined)
    return new Failure('restore-target', `the target server does not have the extension "${missing}" that the backup needs`, {
      hint: 'install its package on that server, then restore into an empty database again',
    });
  if (!ignored) return explainExit('the restore', exit, 'restore');
  return new Failure(
    'restore',
    `pg_restore reported ${ignored} error${ignored === '1' ? '' : 's'}, the first: ${complaints(exit.stderr)}`,
    {
      hint: 'the target is incomplete; for missing roles add --no-owner, for missing extensions install them, then restore into an empty database again',
    },
  );
}

/** What goes before the archive's name, or reads it from stdin without one. */
function argumentsFor(databaseName: string, request: LoadRequest): string[] {
  const { noOwner, replace, jobs = 1, role } = request;
  return [
    '--no-password',
    ...(noOwner ? ['--no-owner', '--no-privileges'] : []),
    ...(replace ? ['--clean', '--if-exists', '--single-transaction'] : []),
    ...(jobs > 1 ? [`--jobs=${jobs}`] : []),
    ...(role === undefined ? [] : [`--role=${role}`]),
    `--dbname=dbname='${databaseName.replace(/[\\']/g, '\\$&')}'`,
  ];
}

const readSchemas = async (session: Session): Promise<string[]> =>
  (await session.query<{ name: string }>('SELECT nspname::text AS name FROM pg_catalog.pg_namespace')).map(({ name }) => name);

export async function beginLoad(connection: Connection, client: Installed, request: LoadRequest): Promise<Load> {
  const { details, parts, replace, signal } = request;
  const databaseName = await connection.databaseName();
  if (request.create) await createDatabase(await connection.maintenance(), databaseName, details);
  await connection.settle();
  const name = applicationNameOf(request.eventId);
  if (request.createRoles) await connection.use(name, (session) => createMissingRoles(session, details.roles));
  const { env, folder, remove } = await connection.childEnvironment(request.eventId);
  const args = argumentsFor(databaseName, request);
  const stage = (...more: string[]): ProgramStage => ({
    kind: 'program',
    file: client.file('pg_restore'),
    stopsReading: true,
    args: [...args, ...more],
    env,
    explain: explainLoad,
  });
  const close = async () => remove();
  const streams = !parts && (request.jobs ?? 1) === 1;
  const fingerprint = (of: readonly TableCount[] | null) => connection.use(name, (session) => retakeFingerprint(session, details, of));
  if (streams) return { stage: stage(), finish: async () => null, fingerprint: () => fingerprint(null), close };
  const kept = join(folder, 'archive');
  let filled: readonly TableCount[] | null = null;
  await checkRoom(kept, request.expectedSize).catch((error: unknown) => {
    remove();
    throw error;
  });
  return {
    stage: keepIn(kept),
    finish: async () => {
      const ground = parts && { empty: !replace, schemas: await connection.use(name, readSchemas) };
      const chosen = parts && ground && (await choose(client, kept, { parts, ground, signal }));
      await output(stage(...(chosen ? [`--use-list=${chosen.list}`] : []), kept), signal);
      filled = chosen ? tablesIn(chosen.entries, details.fingerprint.tables) : null;
      return filled;
    },
    fingerprint: () => fingerprint(filled),
    close,
  };
}
