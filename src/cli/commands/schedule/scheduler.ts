/**
 * cli: `schedule install`, `remove`, `check`: what starts the schedules every minute.
 */
import type { ChalkInstance } from 'chalk';
import type { Command } from 'commander';
import type { FoundEntry, InstalledEntry } from '../../../core/schedules/scheduler.js';
import { Failure } from '../../../model/errors.js';
import { minuteOf } from '../../../model/moment/minute.js';
import { formatDuration } from '../../../model/units.js';
import type { Gap } from '../../../model/roles/scheduler.js';
import { actor } from '../../actor.js';
import { addCommand, run } from '../../command.js';
import { say, type GlobalOptions, type Outcome } from '../../render.js';
import { openLook, openWork } from '../../work.js';

interface InstallOptions extends GlobalOptions {
  readonly with?: string;
  readonly environment?: string;
  readonly force?: boolean;
}

const indented = (text: string) => text.replace(/^/gm, '  ');

function installedText({ place, text, problem, steps }: InstalledEntry, paint: ChalkInstance): string {
  const failed = steps.filter(({ ok }) => !ok);
  return [
    `${paint.green('installed')} in ${paint.bold(place)}:`,
    paint.dim(indented(text)),
    ...(problem === null ? [] : [`${paint.yellow('warning:')} ${problem}`]),
    failed.length > 0
      ? `${paint.yellow('warning:')} ${failed.length} of ${steps.length} steps of \`test\` failed in its environment`
      : `tried as it will be started: ${steps.length > 0 ? `all ${steps.length} steps of \`test\` passed` : 'not at all'}`,
    'next: `backup-automation schedule next` shows the coming runs, `backup-automation schedule check` whether they are started',
  ].join('\n');
}

async function install(options: InstallOptions): Promise<Outcome> {
  const { context } = await openWork(options, options.environment === undefined ? {} : { environmentFile: options.environment });
  const { installEntry } = await import('../../../core/schedules/scheduler.js');
  say('rehearsing in the environment of the scheduler; this takes a moment', options);
  const { kind, id, place, text, problem, steps } = await installEntry(context, {
    kind: options.with ?? null,
    force: options.force === true,
    by: actor().by,
  });
  return {
    document: { installed: { kind, id, place, text, problem }, proof: { ok: steps.length > 0 && steps.every(({ ok }) => ok), steps } },
    text: (paint) => installedText({ kind, id, place, text, problem, steps }, paint),
  };
}

async function remove(options: GlobalOptions): Promise<Outcome> {
  const { context } = await openWork(options);
  const { removeEntry } = await import('../../../core/schedules/scheduler.js');
  const removed = await removeEntry(context, actor().by);
  return {
    document: { removed },
    text: () => (removed.length > 0 ? `removed from ${removed.join(' and ')}` : 'there was nothing to remove'),
  };
}

const gapText = ({ from, until }: Gap): string =>
  `  ${minuteOf(from)} to ${minuteOf(until)} (${formatDuration(until.getTime() - from.getTime())})`;

function entryText({ own, kind, place, text, problem }: FoundEntry, paint: ChalkInstance): string[] {
  if (!own) return [paint.dim(`${kind}: another configuration's entry in ${place}`)];
  return [`${kind}: ${place}`, paint.dim(indented(text)), ...(problem === null ? [] : [`  ${paint.red(problem)}`])];
}

async function check(options: GlobalOptions): Promise<Outcome> {
  const { context } = await openLook(options);
  const [{ findEntries, schedulerFacts }, { readHistory }, { adviseScheduler, judgeScheduler }] = await Promise.all([
    import('../../../core/schedules/scheduler.js'),
    import('../../../core/history/history.js'),
    import('../../../model/health/scheduler.js'),
  ]);
  const entries = await findEntries(context);
  const facts = await schedulerFacts(context, (await readHistory(context)).scheduler, entries);
  const [judged] = judgeScheduler(facts);
  const advice = adviseScheduler(facts);
  // for health a machine may leave the schedules to another one; here it was asked for
  const bad = judged !== undefined && (advice.length > 0 || judged.status !== 'healthy');
  const { last, gaps } = facts.ticks;
  return {
    document: { ok: !bad, detail: judged?.detail ?? 'no schedule is enabled', entries, ticks: { last, gaps }, advice },
    text: (paint) =>
      [
        ...entries.flatMap((entry) => entryText(entry, paint)),
        ...(judged && !bad ? [`${paint.green('ok')}  ${judged.detail}`] : []),
        ...(judged ? [] : ['no schedule is enabled']),
        ...(bad ? [] : advice),
        ...(gaps.length > 0 ? ['not started, although it should have been:', ...gaps.map(gapText)] : []),
      ].join('\n'),
    failure: bad ? new Failure('scheduler', judged.detail, { hint: judged.hint || advice[0] }) : undefined,
  };
}

/** Adds them to the `schedule` command. */
export function schedulerCommands(schedule: Command): void {
  addCommand(schedule, 'install', 'have cron or systemd start whatever is due, every minute, after it was tried as they would start it', {
    examples: [
      [
        'schedule install',
        'writes a block of its own into the crontab of this user; repeat it after the program or the configuration moved',
      ],
      ['schedule install --environment /etc/backup.env', 'gives it the variables in a file (DATABASE_URL=...), which must be yours alone'],
      ['schedule install --with systemd', 'a timer of systemd instead of cron'],
    ],
    exits: { 1: 'it cannot be installed, or the rehearsal failed; nothing was changed', 10: 'configuration' },
  })
    .option('--with <scheduler>', 'cron or systemd; the first that this machine has when left out')
    .option('--environment <file>', 'a file of NAME=VALUE lines that becomes its environment')
    .option('--force', 'install also when the rehearsal fails')
    .action(run(install));
  addCommand(schedule, 'remove', 'take that away again; everything else in the crontab stays', {
    examples: [
      ['schedule remove', 'removes the block, or the timer, of this configuration'],
      ['schedule remove --config /etc/backup-automation.config.json', "that of another one's"],
    ],
    exits: { 1: 'the scheduler refused' },
  }).action(run(remove));
  addCommand(schedule, 'check', 'whether the schedules are started: the entry, the daemon, the minutes that were missed', {
    examples: [
      ['schedule check', 'shows what stands in cron or systemd, and when it last started something'],
      ['schedule check --json', 'the same for a script'],
    ],
    exits: { 1: 'they are not' },
  }).action(run(check));
}
