/**
 * model: the health checks of the automation itself: backups that are late, runs that died, a ledger that is damaged. Measures nothing.
 */
import { notCaged } from '../backup/level.js';
import { isOverdue, type Expectation } from '../events/expectation.js';
import { adviseAlerting, judgeAlerting, type ChannelFacts } from './alerting.js';
import type { HealthCheck } from './check.js';
import { adviseClock, judgeClock } from './clock.js';
import { adviseScheduler, judgeScheduler, type SchedulerFacts } from './scheduler.js';
import { adviseSealing, judgeSealing, type SealingFacts } from './sealing.js';
import type { LedgerDamage } from '../roles/ledger.js';
import type { RestoreTime } from '../figures/restore-times.js';
import { countOf, formatBytes, formatDuration, msPerDay, msPerMinute } from '../units.js';

/** A schedule and one of its databases. */
export interface RoutineFacts {
  readonly scheduleId: string;
  readonly database: string;
  /** Null: nothing is expected of it yet. */
  readonly expectation: Expectation | null;
  readonly lastGood: Date | null;
  /** When it became known: what was due before could not be missed; null: nothing that runs schedules has seen it yet. */
  readonly since: Date | null;
  /** How many were due since the last good one, or since it is known; one, where it is not said. */
  readonly due?: number;
  /** What keeps its newest slot from being backed up; null: nothing. */
  readonly held?: Held | null;
}

/** A slot's event that waits for its conditions, or was given up because of them. */
export interface Held {
  readonly waits: boolean;
  readonly reasons: readonly string[];
}

/** How the newest finished backup of a database went, of whatever schedule. */
export interface LastRun {
  readonly database: string;
  readonly eventId: string;
  readonly at: Date;
  /** Null: it went well. */
  readonly error: string | null;
  /** It lost the place on the server by which other hosts knew of it. */
  readonly lostPlace?: boolean;
}

export interface ProofFacts {
  readonly database: string;
  /** When one of its backups was last restored and found equal. */
  readonly restoredAt: Date | null;
  readonly everyDays: number;
}

export interface AutomationFacts {
  /** Measured, of each database that was restored once. */
  readonly restoreTimes: readonly RestoreTime[];
  /** Longest restore that will do, minutes. */
  readonly maxRestoreTime: number | undefined;
  readonly now: Date;
  /** When the last record was written, and the ids of the backups that are dated ahead. */
  readonly dates: { readonly lastRecord: Date | null; readonly future: readonly string[] };
  readonly routines: readonly RoutineFacts[];
  readonly lastRuns: readonly LastRun[];
  /** Events whose process died, ended just now or not yet. */
  readonly deadRuns: readonly string[];
  readonly proofs: readonly ProofFacts[];
  /** Why the newest proof by a restore was not caged. */
  readonly uncaged?: string | null;
  /** Stored backups that cannot be read or failed their newest verification, a sentence each. */
  readonly badBackups: readonly string[];
  /** What retention would remove and does not, a sentence each. */
  readonly heldBack: readonly string[];
  /** What a storage lacks of what it should hold. */
  readonly missingCopies: readonly { readonly storage: string; readonly backupId: string; readonly database: string }[];
  readonly damage: Readonly<LedgerDamage>;
  /** Why the ledger could not be written; null: it could, or there was nothing to write. */
  readonly unwritable: string | null;
  /** Free bytes where the ledger is; null: it cannot be told. */
  readonly stateRoom: number | null;
  /** Null: nothing is encrypted. */
  readonly sealing: SealingFacts | null;
  readonly scheduler: SchedulerFacts;
  readonly channels: readonly ChannelFacts[];
}

const ago = (then: Date, now: Date): string => `${formatDuration(Math.max(0, now.getTime() - then.getTime()))} ago`;
const good = { status: 'healthy', hint: '' } as const;

function judgeRoutine(
  { scheduleId, database, expectation, lastGood, since, due = 1, held }: RoutineFacts,
  { now }: AutomationFacts,
): HealthCheck {
  const check = {
    name: 'last-backup',
    subject: `${database} (${scheduleId})`,
    value: lastGood?.toISOString() ?? null,
    limit: expectation?.slot.toISOString() ?? null,
  };
  const why = held ? `; the newest ${held.waits ? 'waits for' : 'was not made:'} ${held.reasons.join('; ')}` : '';
  const found = lastGood ? `the last good backup was made ${ago(lastGood, now)}` : 'there is no good backup of this schedule';
  if (!expectation) return { ...check, ...good, detail: `${found}; none is expected yet${why}` };
  if (!isOverdue(expectation, lastGood, since, now)) {
    const detail = `${lastGood ? found : `${found} yet; none was due since it is known`}${why}`;
    return { ...check, ...good, detail };
  }
  const detail = `${lastGood ? found : `${found}, it never succeeded`}; ${due > 1 ? `${due} were due since, the newest` : 'one was due'} ${ago(expectation.slot, now)}${why}`;
  const hint = `\`backup-automation explain ${scheduleId}\` says why, \`backup-automation execute ${scheduleId}\` makes one now`;
  return { ...check, status: 'critical', detail, hint };
}

function judgeLastRun({ database, eventId, at, error, lostPlace }: LastRun, now: Date): HealthCheck {
  const check = { name: 'last-run', subject: database, value: at.toISOString(), limit: null };
  if (error === null && lostPlace) {
    const detail = `the last run completed ${ago(at, now)}, but lost its place on the server: another host may have run beside it`;
    return { ...check, status: 'warning', detail, hint: 'look in the log of the server for who ended the session' };
  }
  if (error === null) return { ...check, ...good, detail: `the last run completed ${ago(at, now)}` };
  const hint = `\`backup-automation events show ${eventId}\``;
  return { ...check, status: 'warning', detail: `the last run failed ${ago(at, now)}: ${error}`, hint };
}

function judgeDeadRuns(deadRuns: readonly string[]): HealthCheck {
  const check = { name: 'interrupted-runs', subject: null, value: deadRuns.length, limit: 0 };
  if (deadRuns.length === 0) return { ...check, ...good, detail: 'no run was left by a process that died' };
  const detail = `${deadRuns.length} called running, but their process is gone: ${deadRuns.join(', ')}`;
  return {
    ...check,
    status: 'warning',
    detail,
    hint: '`backup-automation events show ID`; the next `backup-automation execute` closes them',
  };
}

/** With less the next events may not be written to their end, bytes. */
const leastStateRoom = 64_000_000;

function judgeLedger({ damage: { corruptLines, gaps, tornTail }, unwritable, stateRoom }: AutomationFacts): HealthCheck {
  const check = { name: 'ledger', subject: null, value: corruptLines + gaps, limit: 0 };
  if (unwritable !== null)
    return { ...check, status: 'critical', detail: unwritable, hint: 'check room, owner and mode of the state directory' };
  if (stateRoom !== null && stateRoom < leastStateRoom) {
    const detail = `the state directory has ${formatBytes(stateRoom)} left, ${formatBytes(leastStateRoom)} should be: soon no event can be recorded`;
    return { ...check, status: 'critical', detail, hint: 'make room on its file system, or set stateDirectory' };
  }
  const found = [
    corruptLines > 0 ? countOf(corruptLines, 'damaged line') : null,
    gaps > 0 ? countOf(gaps, 'missing segment') : null,
    tornTail ? 'an unfinished last line' : null,
  ].filter(Boolean);
  if (found.length === 0) return { ...check, ...good, detail: 'every line can be read' };
  const status = corruptLines + gaps > 0 ? 'critical' : 'warning';
  return { ...check, status, detail: `the ledger has ${found.join(' and ')}`, hint: '`backup-automation events verify` says where' };
}

function judgeBackups(badBackups: readonly string[]): HealthCheck {
  const check = { name: 'backups', subject: null, value: badBackups.length, limit: 0 };
  if (badBackups.length === 0) return { ...check, ...good, detail: 'every stored backup can be read' };
  return { ...check, status: 'warning', detail: badBackups.join('; '), hint: '`backup-automation verify --all` tells which are good' };
}

function judgeRetention(heldBack: readonly string[]): HealthCheck {
  const check = { name: 'retention', subject: null, value: heldBack.length, limit: 0 };
  if (heldBack.length === 0) return { ...check, ...good, detail: 'nothing that is due is held back' };
  return { ...check, status: 'warning', detail: heldBack.join('; '), hint: '`backup-automation backups prune` shows the plan' };
}

function judgeRestoreTime({ database, last, at, predicted }: RestoreTime, { maxRestoreTime, now }: AutomationFacts): HealthCheck {
  const limit = maxRestoreTime === undefined ? null : maxRestoreTime * msPerMinute;
  const check = { name: 'restore-time', subject: database, value: predicted, limit };
  const today = `the newest backup would take about ${formatDuration(predicted)}`;
  const detail = `the last restore took ${formatDuration(last)}, ${ago(new Date(at), now)}; ${today}`;
  if (limit === null || predicted <= limit) return { ...check, ...good, detail };
  const hint = 'restore with more --jobs, or on a faster machine; or raise health.maxRestoreTime';
  return { ...check, status: 'warning', detail: `${detail}, more than ${formatDuration(limit)}`, hint };
}

function judgeCopies(missing: AutomationFacts['missingCopies']): HealthCheck {
  const check = { name: 'copies', subject: null, value: missing.length, limit: 0 };
  if (missing.length === 0) return { ...check, ...good, detail: 'every storage holds what it should' };
  const named = missing.slice(0, 5).map(({ storage, backupId, database }) => `"${storage}" lacks ${backupId} of ${database}`);
  const more = missing.length > named.length ? `; ${missing.length} copies in all` : '';
  return { ...check, status: 'warning', detail: `${named.join('; ')}${more}`, hint: '`backup-automation backups copy` makes them' };
}

function advise({ database, restoredAt, everyDays }: ProofFacts, now: Date): string[] {
  const command = `\`backup-automation verify latest --database ${database}\``;
  if (restoredAt === null) return [`no backup of ${database} was proven by a restore yet: ${command}`];
  const old = now.getTime() - restoredAt.getTime() > everyDays * msPerDay;
  return old
    ? [`a backup of ${database} was last proven by a restore ${ago(restoredAt, now)}, every ${everyDays} days is asked for: ${command}`]
    : [];
}

const noBackup = 'no backup was made yet: `backup-automation execute` makes one';

/** The checks of the automation, and the advice. */
export function judgeAutomation(facts: AutomationFacts): { readonly checks: readonly HealthCheck[]; readonly advice: readonly string[] } {
  return {
    checks: [
      ...facts.routines.map((routine) => judgeRoutine(routine, facts)),
      ...facts.lastRuns.map((run) => judgeLastRun(run, facts.now)),
      judgeDeadRuns(facts.deadRuns),
      judgeBackups(facts.badBackups),
      judgeRetention(facts.heldBack),
      judgeCopies(facts.missingCopies),
      ...facts.restoreTimes.map((time) => judgeRestoreTime(time, facts)),
      judgeLedger(facts),
      judgeClock(facts.dates.lastRecord, facts.now),
      ...judgeScheduler(facts.scheduler),
      ...judgeAlerting(facts.channels, facts.now),
      ...(facts.sealing ? [judgeSealing(facts.sealing)] : []),
    ],
    advice: [
      ...facts.proofs.flatMap((proof) => advise(proof, facts.now)),
      ...(facts.proofs.length === 0 && facts.lastRuns.length === 0 ? [noBackup] : []),
      ...(facts.uncaged == null ? [] : [`${notCaged}${facts.uncaged}; see "Where it is restored" in docs/verify.md`]),
      ...adviseClock(facts.dates.future),
      ...adviseScheduler(facts.scheduler),
      ...adviseAlerting(facts.channels, facts.now),
      ...(facts.sealing ? adviseSealing(facts.sealing, facts.now) : []),
    ],
  };
}
