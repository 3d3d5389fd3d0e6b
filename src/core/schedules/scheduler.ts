/**
 * core: what starts `execute --due` every minute: set up when it was tried in the scheduler's own environment, looked after, taken away.
 */
import { createHash } from 'node:crypto';
import { Failure } from '../../model/errors.js';
import type { SchedulerRecord } from '../../model/events/ledger.js';
import type { SchedulerFacts } from '../../model/health/scheduler.js';
import type { Installed, Scheduler, Ticks, Trial } from '../../model/roles/scheduler.js';
import type { Context } from '../context.js';

export interface InstallRequest {
  /** `cron`, `systemd`; null: the first that this machine has. */
  readonly kind: string | null;
  /** Also when the trial fails. */
  readonly force: boolean;
  /** `cli:<user>`. */
  readonly by: string;
}

/** One step of the rehearsal that was run as the scheduler would run it. */
export interface TrialStep {
  readonly name: string;
  readonly ok: boolean;
  readonly detail: string;
}

export interface InstalledEntry extends Installed {
  readonly kind: string;
  readonly steps: readonly TrialStep[];
}

const digest = (text: string): string => createHash('sha256').update(text).digest('hex');

/** The scheduler that was asked for, or the first to be had. Throws `scheduler` with the reason of each. */
async function choose({ schedulers }: Context, kind: string | null): Promise<Scheduler> {
  const reasons: string[] = [];
  for (const scheduler of schedulers.filter((one) => kind === null || one.kind === kind)) {
    const { available, detail } = await scheduler.probe();
    if (available) return scheduler;
    reasons.push(`${scheduler.kind}: ${detail}`);
  }
  throw new Failure('scheduler', reasons.length > 0 ? reasons.join('; ') : `there is no scheduler "${kind}"`, {
    hint: `there are: ${schedulers.map((one) => one.kind).join(', ')}; or leave \`backup-automation serve --schedule\` running, or run \`backup-automation execute --due --quiet\` every minute by other means`,
  });
}

interface Rehearsed {
  readonly ok?: boolean;
  readonly steps?: readonly TrialStep[];
  readonly error?: { readonly message?: string };
}

function read({ stdout }: Trial): Rehearsed {
  try {
    return JSON.parse(stdout) as Rehearsed;
  } catch {
    return {};
  }
}

/** Why a rehearsal that was run as the scheduler would did not end well; null: it did. */
function problemOf(trial: Trial, { ok, steps = [], error }: Rehearsed): string | null {
  if (trial.exitCode === 0 && ok === true) return null;
  const failed = steps.filter((step) => !step.ok).map(({ name, detail }) => `${name}: ${detail}`);
  const said = trial.stderr.trim().split('\n').slice(-3).join(' ');
  return failed.length > 0 ? failed.join('; ') : (error?.message ?? (said || `exit code ${trial.exitCode}`));
}

/** Rehearses as the scheduler would, then installs. Throws `scheduler`, having changed nothing, when the rehearsal fails. */
export async function installEntry(context: Context, { kind, force, by }: InstallRequest): Promise<InstalledEntry> {
  const { entry } = context;
  const scheduler = await choose(context, kind);
  const trial = await scheduler.attempt(entry, ['test', '--json', '--quiet'], context.signal);
  const rehearsed = read(trial);
  const problem = problemOf(trial, rehearsed);
  if (problem !== null && !force)
    throw new Failure('scheduler', `started as ${scheduler.kind} would start it, \`backup-automation test\` fails: ${problem}`, {
      hint: 'it gets none of the variables of your shell: name a file of NAME=VALUE lines with --environment; or install all the same with --force',
    });
  const installed = await scheduler.install(entry);
  const fact = { record: 'scheduler', kind: scheduler.kind, id: entry.id, by } as const;
  await context.ledger.appendFact({ ...fact, installed: true, sha256: digest(installed.text) });
  return { ...installed, kind: scheduler.kind, steps: rehearsed.steps ?? [] };
}

/** From every scheduler that has it; resolves to their kinds. */
export async function removeEntry(context: Context, by: string): Promise<string[]> {
  const { id } = context.entry;
  const removed: string[] = [];
  for (const scheduler of context.schedulers) {
    if (!(await scheduler.probe()).available || !(await scheduler.remove(id))) continue;
    removed.push(scheduler.kind);
    await context.ledger.appendFact({ record: 'scheduler', installed: false, kind: scheduler.kind, id, sha256: null, by });
  }
  return removed;
}

export interface FoundEntry extends Installed {
  readonly kind: string;
  /** Made for this configuration; else for another one of the same user. */
  readonly own: boolean;
}

/** What stands in every scheduler that this machine has. */
export async function findEntries({ schedulers, entry }: Context): Promise<FoundEntry[]> {
  const found: FoundEntry[] = [];
  for (const scheduler of schedulers) {
    if (!(await scheduler.probe()).available) continue;
    found.push(...(await scheduler.list()).map((one) => ({ ...one, kind: scheduler.kind, own: one.id === entry.id })));
  }
  return found;
}

/** For `health` and `schedule check`: what stands there, what the ledger says should, and when we were last started. */
export async function schedulerFacts(
  context: Context,
  remembered: SchedulerRecord | null,
  entries?: readonly FoundEntry[],
): Promise<SchedulerFacts> {
  const own = (entries ?? (await findEntries(context))).filter((one) => one.own);
  const ticks: Ticks = context.ticks();
  return {
    now: context.clock.now(),
    remembered: remembered?.installed === true ? { kind: remembered.kind, sha256: remembered.sha256 } : null,
    found: own.map(({ kind, place, text, problem }) => ({ kind, place, sha256: digest(text), problem })),
    ticks,
    needed: Object.values(context.schedules).some(({ enabled }) => enabled),
  };
}
