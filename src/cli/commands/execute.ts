/**
 * cli: `execute`, one backup now, of every database or a schedule's.
 */
import type { ChalkInstance } from 'chalk';
import type { Command } from 'commander';
import type { DueDone } from '../../core/due.js';
import type { ExecuteRequest } from '../../core/event/request.js';
import type { Preview } from '../../core/event/preview.js';
import type { BackupEvent, PassedCondition } from '../../model/events/event.js';
import { formatBytes, formatDuration } from '../../model/units.js';
import { addCommand, duration, positive, run } from '../command.js';
import { say, width, type GlobalOptions, type Outcome } from '../render.js';
import type * as Table from '../show/table.js';
import { openWork } from '../work.js';

interface Options {
  readonly database?: string;
  readonly emergency?: boolean;
  readonly force?: boolean;
  readonly dryRun?: boolean;
  readonly due?: boolean;
  readonly jobs?: number;
  /** ms; true: as long as it takes. */
  readonly wait?: number | true;
}

const help = {
  examples: [
    ['execute', 'backs up every configured database now, when the conditions hold'],
    ['execute daily-backup --wait 2h', 'the databases of one schedule; waits up to two hours for its conditions and does its retries'],
    ['execute --database shop --force', 'one database, whatever the window, the load, the health and the least free space'],
    ['execute --due', 'what is due by now: slots of schedules, retries, what waits for its conditions; nothing due is good too'],
    ['execute --dry-run', 'shows what would be done, and does nothing'],
  ],
  exits: {
    1: 'a bug, or a reason without a code of its own',
    2: 'no such schedule or database',
    3: 'some of several databases failed, or a storage beside a good one',
    10: 'configuration',
    20: 'engine or database',
    21: 'storage',
    74: 'the ledger cannot be written',
    75: 'not now: conditions not met or too many backups running; repeat later (with --due what waits is good)',
    130: 'interrupted',
  },
} as const;

/** What a forced or an emergency backup passes by. */
function passedBy({ force, emergency }: Options): PassedCondition[] {
  if (force) return ['window', 'load', 'health', 'disk'];
  return emergency ? ['window', 'load', 'health'] : [];
}

function requestOf(options: Options, schedule: string | undefined): ExecuteRequest {
  const own = schedule === undefined ? 'manual' : 'scheduled';
  const wait = options.wait === true ? Infinity : (options.wait ?? null);
  return {
    ...(schedule === undefined ? {} : { scheduleId: schedule }),
    ...(options.database === undefined ? {} : { database: options.database }),
    type: options.emergency ? 'emergency' : own,
    trigger: 'cli',
    passBy: passedBy(options),
    ...(options.jobs === undefined ? {} : { jobs: options.jobs }),
    wait,
  };
}

/** The answer of nearly every minute, found without judging the configuration. */
async function nothingDue(options: GlobalOptions): Promise<Outcome | null> {
  const { openQuiet } = await import('../../wire/quiet.js');
  const quiet = await openQuiet(options);
  quiet.tick();
  return quiet.isQuiet() ? { document: { events: [] }, text: () => (options.quiet ? '' : 'nothing is due') } : null;
}

async function body(options: Options & GlobalOptions, schedule: string | undefined): Promise<Outcome> {
  const answered = options.due ? await nothingDue(options) : null;
  if (answered) return answered;
  const [{ context, loaded }, { table }] = await Promise.all([
    openWork(options, { unattended: options.due === true, alone: true }),
    import('../show/table.js'),
  ]);
  const request = requestOf(options, schedule);
  if (options.dryRun) {
    const { preview } = await import('../../core/event/preview.js');
    const plan = await preview(context, request);
    return { document: { plan }, text: (paint) => showPreview(plan, table, paint) };
  }
  const [{ notBuiltYet }, { execute }, { executeDue }] = await Promise.all([
    import('../../config/rules.js'),
    import('../../core/execute.js'),
    import('../../core/due.js'),
  ]);
  for (const sentence of notBuiltYet(loaded)) say(`warning: ${sentence}`, options);
  if (options.due) return dueOutcome(await executeDue(context), table, options);
  const { events, failure } = await execute(context, request);
  return { document: { events }, text: (paint) => showEvents(events, table, paint), failure: failure ?? undefined };
}

/** With --quiet a minute that brings nothing new says nothing: cron would send it as mail. */
async function dueOutcome(
  { events, news, verified, copied, failure }: DueDone,
  table: typeof Table.table,
  { quiet }: GlobalOptions,
): Promise<Outcome> {
  const { copiedTable, verifiedTable } = await import('../show/results.js');
  const document = { events, ...(verified.length > 0 && { verified }), ...(copied.length > 0 && { copied }) };
  const text = (paint: ChalkInstance): string => {
    if (news.length + verified.length + copied.length === 0)
      return failure || quiet ? '' : events.length > 0 ? `nothing new: ${events.length} wait for their conditions` : 'nothing is due';
    const parts = [
      news.length > 0 && showEvents(news, table, paint),
      copied.length > 0 && copiedTable(copied, paint),
      verified.length > 0 && verifiedTable(verified, paint),
    ];
    return parts.filter(Boolean).join('\n\n');
  };
  return { document, text, failure: failure ?? undefined };
}

const colours = { completed: 'green', failed: 'red', cancelled: 'yellow', running: 'cyan', pending: 'cyan' } as const;

function showEvents(events: readonly BackupEvent[], table: typeof Table.table, paint: ChalkInstance): string {
  // the error says it all
  if (events.length === 1 && events[0]?.result?.success === false) return '';
  const rows = events.map((event) => [
    event.database,
    paint[colours[event.status]](event.status),
    event.equalTo ? 'unchanged' : event.result?.success ? formatBytes(event.result.size) : '',
    event.result ? formatDuration(event.result.duration) : '',
    event.result?.backupId ?? event.result?.error ?? event.reasons?.join('; ') ?? '',
  ]);
  return table(['DATABASE', 'STATUS', 'SIZE', 'DURATION', 'BACKUP OR REASON'], rows, { width: width(), paint });
}

function showPreview(plan: Preview, table: typeof Table.table, paint: ChalkInstance): string {
  const head = `schedule ${plan.schedule ?? '(none)'}, into ${plan.storages.join(', ')}, proven before the commit to level ${plan.verify}`;
  const pages = plan.databases.map((one) => {
    const what = one.error
      ? paint.red(one.error.message)
      : `${one.databaseName ?? ''}, PostgreSQL ${one.serverVersion ?? '?'}, by ${one.client ?? '?'}, about ${one.neededBytes === null ? 'an unknown size' : formatBytes(one.neededBytes)}`;
    const rows = (one.report?.conditions ?? []).map((condition) => [
      condition.name,
      String(condition.value ?? 'unknown'),
      String(condition.limit ?? ''),
      condition.met ? paint.green('met') : condition.passedBy ? paint.yellow('passed by') : paint.red('not met'),
      condition.detail,
    ]);
    const verdict = one.report ? (one.report.met ? paint.green('it would start now') : paint.yellow('it would not start now')) : '';
    const conditions = rows.length > 0 ? table(['CONDITION', 'VALUE', 'LIMIT', 'VERDICT', 'DETAIL'], rows, { width: width(), paint }) : '';
    return [`${paint.bold(one.database)}: ${what}`, conditions, verdict].filter(Boolean).join('\n');
  });
  return [head, ...pages].join('\n\n');
}

export function executeCommand(program: Command): void {
  addCommand(program, 'execute', 'back up now: every database, or those of a schedule', help)
    .argument('[schedule]', 'a configured schedule')
    .option('--database <name>', 'only this entry of `databases`, or this member of a cluster')
    .option('--jobs <n>', 'dump by so many processes at once; needs room for the dump in the state directory', positive)
    .option('--emergency', 'passes by window, load and health')
    .option('--force', 'passes by window, load, health and the least free space')
    .option('--dry-run', 'show the plan, do nothing')
    .option('--due', 'do what is due by now: for one crontab line, every minute')
    .option('--wait [duration]', 'wait for the conditions and do the retries in this process, e.g. 2h', duration)
    .action(run(body));
}
