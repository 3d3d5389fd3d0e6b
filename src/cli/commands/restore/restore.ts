/**
 * cli: `restore`, brings a backup back into a database, a file or a pipe.
 */
import type { Command } from 'commander';
import type { Context } from '../../../core/context.js';
import type { Restored } from '../../../core/restore.js';
import type { Backup } from '../../../model/backup/backup.js';
import { Failure } from '../../../model/errors.js';
import { carriesPassword } from '../../../model/settings/reference.js';
import { formatDuration } from '../../../model/units.js';
import { addCommand, positive, run } from '../../command.js';
import { say, type GlobalOptions, type Outcome } from '../../render.js';
import { openLook, openWork } from '../../work.js';

interface Options {
  readonly database?: string;
  readonly to?: string;
  readonly output?: string;
  readonly plan?: boolean;
  readonly create?: boolean;
  /** commander's name for --no-owner. */
  readonly owner: boolean;
  readonly forceTarget?: string;
  readonly table: readonly string[];
  readonly schema: readonly string[];
  readonly jobs: number;
  readonly role?: string;
  readonly globals?: boolean;
}

const help = {
  examples: [
    [
      'restore latest --to env:TARGET_URL --create',
      'into a new database, made with the encoding and locale of the source, and compares it',
    ],
    ['restore 0192f3a4 --to postgresql://localhost/shop_copy --no-owner', 'into an empty database, everything owned by you'],
    ['restore latest --to env:TARGET_URL --create --plan', 'what the target lacks, and the SQL that mends it; changes nothing'],
    ['restore latest --to env:TARGET_URL --table orders --force-target shop', 'one table, replaced where it is in one transaction'],
    ['restore latest --output - | pg_restore --list', 'the decoded archive into a pipe'],
  ],
  exits: {
    2: 'no such backup, or neither --to nor --output',
    10: 'configuration',
    20: 'the target server, or a program',
    21: 'the storage could not be read',
    22: 'the backup is not what it should be',
    23: 'refused, or not restored without errors; with --plan: something is missing',
    130: 'interrupted',
  },
} as const;

async function into(context: Context, options: Options, backup: Backup): Promise<Outcome> {
  const { restore } = await import('../../../core/restore.js');
  const { to = '', create = false, forceTarget, table: tables, schema: schemas, jobs, role } = options;
  const parts = tables.length + schemas.length > 0 ? { tables, schemas } : undefined;
  const restored = await restore(context, {
    backup,
    to,
    create,
    noOwner: !options.owner,
    ...(forceTarget === undefined ? {} : { forceTarget }),
    parts,
    jobs,
    role,
  });
  return {
    document: { ...restored },
    text: (paint) =>
      [
        ...restored.warnings.map((warning) => `${paint.yellow('warning:')} ${warning}`),
        `${paint.green('restored')} ${backup.backupId} into ${restored.target} in ${formatDuration(restored.duration)}`,
        whatWasCompared(restored, parts !== undefined),
      ].join('\n'),
  };
}

function whatWasCompared({ compared, byContent: { hashed, tables } }: Restored, parts: boolean): string {
  const [every, these] = parts ? ['every restored table', ' of what was restored'] : ['every table', ''];
  if (!compared) return `not compared: the backup has no fingerprint${these}`;
  if (hashed === 0) return `${every} has the row count that it had in the backup`;
  const rest = hashed < tables ? `; of ${tables - hashed} of ${tables} only the row count could be compared` : '';
  return `${every} has the same rows as in the backup, compared by content${rest}`;
}

async function out(context: Context, options: Options & GlobalOptions, backup: Backup, output: string): Promise<Outcome | number> {
  const { extract, extractToFile } = await import('../../../core/restore/extract.js');
  const kind = options.globals ? 'globals' : 'database';
  if (output === '-') {
    await extract(context, backup, process.stdout, kind).catch((error: unknown) => {
      // a reader that has seen enough, such as `pg_restore --list`, tells with its own exit code how it fared
      if ((error as NodeJS.ErrnoException).code !== 'EPIPE') throw error;
    });
    return 0;
  }
  const started = context.clock.monotonic();
  await extractToFile(context, backup, output, kind);
  const what = options.globals
    ? `the roles and tablespaces of ${backup.backupId} are in ${output} as SQL, with their passwords' hashes`
    : `the archive of ${backup.backupId} is in ${output}; look into it with \`pg_restore --list\``;
  say(what, options);
  const duration = Math.round(context.clock.monotonic() - started);
  return { document: { backupId: backup.backupId, target: output, ok: true, compared: false, duration, warnings: [] }, text: () => '' };
}

async function globalsInto(context: Context, backup: Backup, to: string): Promise<Outcome> {
  const { restoreGlobals } = await import('../../../core/restore/extract.js');
  const started = context.clock.monotonic();
  const { target, created } = await restoreGlobals(context, backup, to);
  const duration = Math.round(context.clock.monotonic() - started);
  return {
    document: { backupId: backup.backupId, target, ok: true, compared: false, duration, created, warnings: [] },
    text: (paint) =>
      created.length > 0
        ? `${paint.green('created')} on the server of ${target}: ${created.join(', ')}`
        : `nothing to do: the server of ${target} has every role of ${backup.backupId}`,
  };
}

function refuseMixtures(options: Options): void {
  if ((options.to === undefined) === (options.output === undefined))
    throw new Failure('usage', 'say where to: either --to URL or --output FILE', { hint: 'see `backup-automation restore --help`' });
  if (options.to !== undefined && carriesPassword(options.to))
    throw new Failure('usage', '--to is a URL with a password, which every user of this machine can read in the list of processes', {
      hint: 'put the URL into an environment variable and write --to env:NAME; or leave the password to a passfile (~/.pgpass)',
    });
  const { plan, create, table, schema, jobs, role } = options;
  if (plan && options.to === undefined) throw new Failure('usage', '--plan looks at a target: name it with --to URL');
  const parts = table.length + schema.length > 0;
  if (options.globals && (plan || create || parts || jobs > 1 || role !== undefined))
    throw new Failure('usage', '--globals is about the roles of a server alone: restore the database by a command of its own');
  if (options.output !== undefined && (parts || jobs > 1 || role !== undefined))
    throw new Failure('usage', '--output writes the whole archive: --table, --schema, --jobs and --role go with --to');
}

async function body(options: Options & GlobalOptions, id: string): Promise<Outcome | number> {
  refuseMixtures(options);
  const { context } = await (options.plan ? openLook(options) : openWork(options));
  const { findBackup } = await import('../../../core/catalog/catalog.js');
  const backup = await findBackup(context, id, options.database);
  if (options.plan && options.to !== undefined) {
    const { showPlan } = await import('./plan.js');
    const { to, create = false, forceTarget, role } = options;
    return showPlan(context, { backup, to, create, noOwner: !options.owner, forceTarget, role });
  }
  if (options.globals && options.to !== undefined) return globalsInto(context, backup, options.to);
  return options.output === undefined ? into(context, options, backup) : out(context, options, backup, options.output);
}

const several = (value: string, previous: readonly string[]): string[] => [...previous, value];

export function restoreCommand(program: Command): void {
  addCommand(program, 'restore', 'bring a backup back into a database, a file or a pipe', help)
    .argument('<id>', 'a backup id, the beginning of one, or latest')
    .option('--database <name>', 'whose latest, where there are several')
    .option('--to <url>', 'the target database: a URL, or env:NAME that holds one')
    .option('--output <file>', 'write the decoded archive to a file, or - for a pipe')
    .option('--plan', 'only tell what the target lacks, and the SQL that mends it')
    .option('--create', 'create the target database first')
    .option('--no-owner', 'leave out owners and privileges')
    .option('--role <name>', 'do it as this role of the target')
    .option('--table <name>', 'only this table with all that belongs to it, its partitions too (repeatable)', several, [])
    .option('--schema <name>', 'only this schema; with --table: the table in this schema (repeatable)', several, [])
    .option('--jobs <n>', 'load by so many connections at once; needs room for the decoded archive', positive, 1)
    .option('--globals', 'the roles instead: with --to those that are missing, with --output all as SQL')
    .option('--force-target <name>', 'the name of the target again: restore although it is the source or not empty')
    .action(run(body));
}
