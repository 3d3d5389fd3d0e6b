/**
 * engines: a load under way: pg_restore fills the target, then the same counts are taken there.
 */
import type { BackupDetails } from '../model/backup.js';
import type { Installed } from '../model/client-choice.js';
import type { Load, LoadRequest } from '../model/engine.js';
import { Failure } from '../model/errors.js';
import type { ProgramExit, ProgramStage } from '../model/flow.js';
import { identifier, literal } from '../model/quote.js';
import type { Server } from '../system/connection.js';
import type { Session } from '../system/postgres.js';
import { countRows } from './pg_dump-catalogue.js';
import { applicationNameOf, type Connection } from './pg_dump-connection.js';
import { complaints, explainExit } from './pg_dump-stages.js';

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

/** Roles that own or may use something in the archive and are not there yet: as bare names, without login. */
async function createMissingRoles(session: Session, roles: readonly string[]): Promise<void> {
  const there = new Set(
    (await session.query<{ rolname: string }>('SELECT rolname FROM pg_catalog.pg_roles')).map(({ rolname }) => rolname),
  );
  for (const role of roles) if (!there.has(role)) await session.query(`CREATE ROLE ${identifier(role)} NOLOGIN`);
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

export async function beginLoad(connection: Connection, client: Installed, request: LoadRequest): Promise<Load> {
  const databaseName = await connection.databaseName();
  if (request.create) await createDatabase(await connection.maintenance(), databaseName, request.details);
  await connection.settle();
  const name = applicationNameOf(request.eventId);
  if (request.createRoles) await connection.use(name, (session) => createMissingRoles(session, request.details.roles));
  const { env, remove } = await connection.childEnvironment(request.eventId);
  const quoted = `dbname='${databaseName.replace(/[\\']/g, '\\$&')}'`;
  const flags = [
    ...(request.noOwner ? ['--no-owner', '--no-privileges'] : []),
    ...(request.replace ? ['--clean', '--if-exists', '--single-transaction'] : []),
  ];
  const stage: ProgramStage = {
    kind: 'program',
    file: client.file('pg_restore'),
    args: ['--no-password', ...flags, `--dbname=${quoted}`],
    env,
    explain: explainLoad,
  };
  return {
    stage,
    fingerprint: () => connection.use(name, countRows),
    close: async () => remove(),
  };
}
