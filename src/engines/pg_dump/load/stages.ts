/**
 * engines: pg_restore into a target as stages, and what its end means. It never takes an error for none, but one that is about pg_restore itself.
 */
import { Transform } from 'node:stream';
import type { Installed } from '../../../model/backup/client-choice.js';
import { Failure } from '../../../model/errors.js';
import type { LoadRequest } from '../../../model/roles/engine/load.js';
import type { ProgramExit, Stage } from '../../../model/roles/flow.js';
import { complaints, explainExit } from '../archive/stages.js';

/** How a pg_restore fills the target. */
export interface Way {
  /** What the archive holds is dropped before it is made anew. */
  readonly clean: boolean;
  /** All in one transaction: on failure the target is as it was. */
  readonly atomic: boolean;
  readonly jobs: number;
}

/** A pg_restore into the target, with arguments of its own. */
export type Stager = (way: Way, ...more: string[]) => readonly Stage[];

interface Target {
  readonly client: Installed;
  readonly databaseName: string;
  readonly serverMajor: number;
  readonly env: Readonly<Record<string, string>>;
}

/** From 17 on each session of pg_restore begins with it; older servers do not know the setting, and have nothing to be switched off. */
const unknownSetting = 'SET transaction_timeout = 0;';
const unknownSince = 17;

/** The two pieces of a complaint of that one statement, whatever the server's language; those of several processes may stand between each other. */
const ofUnknownSetting = [
  /could not execute query: \p{L}+: [^\n]{0,80}?transaction_timeout[^\n\w]{0,3}/gu,
  /Command was: SET transaction_timeout = 0;/g,
] as const;
const nothingSaid = /^(pg_restore: |error: )*\n?$/gm;

/** What pg_restore says beside that. */
const withoutUnknownSetting = (stderr: string): string =>
  ofUnknownSetting.reduce((text, piece) => text.replace(piece, ''), stderr).replace(nothingSaid, '');

/** An end in which nothing else was wrong. */
const onlyUnknownSetting = ({ exitCode, stderr }: ProgramExit): boolean =>
  exitCode === 1 && /^pg_restore: warning: errors ignored on restore: \d+$/.test(withoutUnknownSetting(stderr).trim());

function explainLoad(exit: ProgramExit): Failure {
  const stderr = withoutUnknownSetting(exit.stderr);
  const excused = exit.stderr.match(ofUnknownSetting[1])?.length ?? 0;
  const ignored = /errors ignored on restore: (\d+)/.exec(stderr)?.[1];
  const missing = /extension "(.*)" is not available/.exec(stderr)?.[1];
  if (missing !== undefined)
    return new Failure('restore-target', `the target server does not have the extension "${missing}" that the backup needs`, {
      hint: 'install its package on that server, then restore into an empty database again',
    });
  if (!ignored) return explainExit('the restore', { ...exit, stderr }, 'restore');
  // of those in other processes it does not count every one
  const errors = Math.max(1, Number(ignored) - excused);
  return new Failure(
    'restore',
    `pg_restore reported ${errors} error${errors === 1 ? ': ' : 's, '}${errors === 1 ? '' : 'among them: '}${complaints(stderr)}`,
    {
      hint: 'the target is incomplete; for missing roles add --no-owner, for missing extensions install them, then restore into an empty database again',
    },
  );
}

/** Leaves the first of those statements out of pg_restore's SQL, which stands before all that a database holds. */
function leaveOut(client: Installed): Transform {
  let beginning: string | null = '';
  return new Transform({
    transform: (data: Buffer, _encoding, next) => {
      if (beginning === null) return next(null, data);
      beginning += data.toString('latin1');
      const at = beginning.indexOf(`\n${unknownSetting}\n`);
      if (at < 0) return next();
      const safe = /^\\restrict \w+$/m.test(beginning.slice(0, at));
      const rest = beginning.slice(0, at) + beginning.slice(at + unknownSetting.length + 1);
      beginning = null;
      return safe ? next(null, Buffer.from(rest, 'latin1')) : next(unsafe(client));
    },
    flush: (next) => next(null, Buffer.from(beginning ?? '', 'latin1')),
  });
}

/** Before 17.6 what a database holds could make psql run commands. */
const unsafe = ({ version, directory }: Installed) =>
  new Failure(
    'restore-target',
    `pg_restore ${version} in ${directory} cannot replace what is in a server older than ${unknownSince} in one transaction`,
    {
      hint: 'update the PostgreSQL client programs (17.6 or newer), or restore into a new database with --create',
    },
  );

/** What goes before the archive's name, or reads it from stdin without one. */
function argumentsFor(databaseName: string | null, { noOwner, noTablespaces, role }: LoadRequest, { clean, atomic, jobs }: Way): string[] {
  return [
    '--no-password',
    ...(noOwner ? ['--no-owner', '--no-privileges'] : []),
    ...(clean ? ['--clean', '--if-exists'] : []),
    ...(atomic ? ['--single-transaction'] : []),
    ...(noTablespaces ? ['--no-tablespaces'] : []),
    ...(jobs > 1 ? [`--jobs=${jobs}`] : []),
    ...(role === undefined ? [] : [`--role=${role}`]),
    databaseName === null ? '--file=-' : toDatabase(databaseName),
  ];
}

const toDatabase = (name: string): string => `--dbname=dbname='${name.replace(/[\\']/g, '\\$&')}'`;

/** One pg_restore; where its one transaction would end at the statement that the server does not know, psql runs its SQL without that. */
export function loadStages(
  { client, databaseName, serverMajor, env }: Target,
  request: LoadRequest,
  way: Way,
  more: readonly string[],
): Stage[] {
  const unknown = client.major >= unknownSince && serverMajor < unknownSince;
  const byText = way.atomic && unknown;
  const restore: Stage = {
    kind: 'program',
    file: client.file('pg_restore'),
    ...(way.jobs > 1 ? { forks: true } : { stopsReading: true }),
    args: [...argumentsFor(byText ? null : databaseName, request, way), ...more],
    env,
    explain: explainLoad,
    ...(unknown && { isGood: onlyUnknownSetting }),
  };
  if (!byText) return [restore];
  const args = ['--no-psqlrc', '--quiet', '--no-password', '--set=ON_ERROR_STOP=1', '--output=/dev/null', toDatabase(databaseName)];
  const psql: Stage = { kind: 'program', file: client.file('psql'), args, env, explain: explainLoad };
  return [restore, { kind: 'transform', create: () => leaveOut(client) }, psql];
}
