/**
 * model: what was found becomes samples. Pure: measures nothing, and leaves no series out because there is nothing to say yet.
 */
import type { Backup } from '../backup/backup.js';
import { levelRank, levels, type Level } from '../backup/level.js';
import type { RestoreTime } from '../figures/restore-times.js';
import type { HealthReport } from '../health/health.js';
import { Page, type Family } from './exposition.js';
import { deferrals, deletions, deliveryResults, durationBounds, noSchedule, results } from './names.js';
import { begunOf, countOf, durationsOf, type Tally } from './tally.js';

/** A schedule (null: by hand) and one of its databases. Durations ms, sizes bytes. */
export interface RoutineState {
  readonly scheduleId: string | null;
  readonly database: string;
  readonly lastGood: Date | null;
  readonly expected: Date | null;
  readonly next: Date | null;
  /** The newest that is not suspect, in any storage that could be listed. */
  readonly newest: Backup | null;
  /** Whether the newest of all is suspect. */
  readonly suspect: boolean;
  /** Of the newest event that was completed, or failed; null: there is none. */
  readonly lastEnd: { readonly good: boolean } | null;
  readonly lastCompleted: { readonly duration: number; readonly size: number } | null;
  readonly retries: number;
  readonly waiting: number;
  readonly running: number;
  /** How many backups each storage holds; null: it could not be listed. */
  readonly stored: Readonly<Record<string, number | null>>;
}

export interface TargetState {
  readonly name: string;
  readonly up: boolean;
  readonly freeBytes: number | null;
  /** Null: it could not be listed. */
  readonly missing: number | null;
}

export interface ChannelMetrics {
  readonly name: string;
  readonly provenAt: string | null;
  readonly owed: number;
  readonly dead: number;
}

export interface MetricsFacts {
  readonly now: Date;
  readonly version: string;
  readonly tally: Tally;
  readonly routines: readonly RoutineState[];
  readonly interrupted: number;
  /** ISO 8601, by database and level. */
  readonly verified: Readonly<Record<string, Partial<Record<Level, string>>>>;
  readonly restoreTimes: readonly RestoreTime[];
  /** Minutes. */
  readonly maxRestoreTime: number | undefined;
  readonly targets: readonly TargetState[];
  readonly minFreeBytes: number;
  readonly channels: readonly ChannelMetrics[];
  readonly damage: { readonly corruptLines: number; readonly gaps: number };
  readonly lastTick: Date | null;
  /** Null: it could not be told. */
  readonly health: Pick<HealthReport, 'status' | 'checks'> | null;
}

/** Seconds since 1970; what never was is 0, as Prometheus has it. */
const momentOf = (at: Date | string | null | undefined): number => (at == null ? 0 : new Date(at).getTime() / 1000);
/** What is not known, or not to be, is no number. */
const orNaN = (value: number | null | undefined): number => value ?? Number.NaN;
const seconds = (ms: number | null | undefined): number => orNaN(ms) / 1000;
const flag = (is: boolean): number => (is ? 1 : 0);

/** Every metric, in the order of their table. */
export function familiesOf(facts: MetricsFacts): Family[] {
  const page = new Page();
  page.add('build_info', { version: facts.version }, 1);
  page.add('generated_timestamp_seconds', {}, momentOf(facts.now));
  for (const routine of facts.routines) {
    addRoutine(page, routine, facts.tally);
    addLast(page, routine);
    addStock(page, routine);
  }
  page.add('active_backups', {}, facts.routines.reduce((sum, { running }) => sum + running, 0)); // prettier-ignore
  page.add('interrupted_backups', {}, facts.interrupted);
  addDatabases(page, facts);
  for (const target of facts.targets) addTarget(page, target, facts);
  for (const channel of facts.channels) addChannel(page, channel, facts.tally);
  addAutomation(page, facts);
  return page.families();
}

const labelsOf = ({ scheduleId, database }: RoutineState) => ({ schedule: scheduleId ?? noSchedule, database });

function addRoutine(page: Page, routine: RoutineState, tally: Tally): void {
  const labels = labelsOf(routine);
  const { scheduleId, database } = routine;
  page.add('backup_last_success_timestamp_seconds', labels, momentOf(routine.lastGood));
  page.add('backup_last_attempt_timestamp_seconds', labels, momentOf(begunOf(tally, scheduleId, database)));
  page.add('backup_expected_timestamp_seconds', labels, orNaN(routine.expected && momentOf(routine.expected)));
  page.add('backup_next_run_timestamp_seconds', labels, orNaN(routine.next && momentOf(routine.next)));
  for (const result of results) page.add('backup_runs_total', { ...labels, result }, countOf(tally, 'run', scheduleId, database, result));
  for (const reason of deferrals)
    page.add('backup_deferred_total', { ...labels, reason }, countOf(tally, 'deferred', scheduleId, database, reason));
  page.addHistogram('backup_duration_seconds', labels, durationBounds, durationsOf(tally, scheduleId, database));
}

function addLast(page: Page, routine: RoutineState): void {
  const labels = labelsOf(routine);
  const { lastEnd, lastCompleted, newest } = routine;
  page.add('backup_last_attempt_success', labels, orNaN(lastEnd && flag(lastEnd.good)));
  page.add('backup_last_duration_seconds', labels, seconds(lastCompleted?.duration));
  page.add('backup_size_bytes', labels, orNaN(newest?.size ?? lastCompleted?.size));
  page.add('backup_source_size_bytes', labels, orNaN(newest?.manifest.databaseSize));
  page.add('backup_retry_pending', labels, routine.retries);
  page.add('backup_waiting', labels, routine.waiting);
  page.add('backup_running', labels, routine.running);
}

function addStock(page: Page, routine: RoutineState): void {
  const labels = labelsOf(routine);
  page.add('backup_suspect', labels, flag(routine.suspect));
  page.add('backup_verified_level', labels, levelRank(routine.newest?.proven?.level) + 1);
  for (const [target, count] of Object.entries(routine.stored)) page.add('retention_backups', { ...labels, target }, orNaN(count));
}

function addDatabases(page: Page, { routines, verified, restoreTimes, targets, tally }: MetricsFacts): void {
  for (const database of new Set(routines.map((routine) => routine.database))) {
    for (const level of levels)
      page.add('backup_last_verified_timestamp_seconds', { database, level }, momentOf(verified[database]?.[level]));
    const time = restoreTimes.find((one) => one.database === database);
    page.add('restore_test_duration_seconds', { database }, seconds(time?.last));
    page.add('restore_expected_duration_seconds', { database }, seconds(time?.predicted));
    for (const { name: target } of targets)
      for (const reason of Object.values(deletions))
        page.add('retention_deleted_total', { database, target, reason }, countOf(tally, 'deleted', database, target, reason));
  }
}

function addTarget(page: Page, { name: target, up, freeBytes, missing }: TargetState, { minFreeBytes }: MetricsFacts): void {
  page.add('missing_copies', { target }, orNaN(missing));
  page.add('target_up', { target }, flag(up));
  page.add('target_free_bytes', { target }, orNaN(freeBytes));
  page.add('target_min_free_bytes', { target }, minFreeBytes);
}

function addChannel(page: Page, { name: channel, provenAt, owed, dead }: ChannelMetrics, tally: Tally): void {
  for (const result of deliveryResults)
    page.add('alert_deliveries_total', { channel, result }, countOf(tally, 'delivery', channel, result));
  page.add('alert_last_proof_timestamp_seconds', { channel }, momentOf(provenAt));
  page.add('alerts_owed', { channel }, owed);
  page.add('alerts_dead', { channel }, dead);
}

const statuses = ['healthy', 'warning', 'critical'] as const;

function addAutomation(page: Page, { maxRestoreTime, damage, lastTick, health }: MetricsFacts): void {
  page.add('restore_limit_seconds', {}, maxRestoreTime === undefined ? Number.NaN : maxRestoreTime * 60);
  page.add('ledger_damaged_lines', {}, damage.corruptLines);
  page.add('ledger_missing_segments', {}, damage.gaps);
  page.add('scheduler_last_tick_timestamp_seconds', {}, momentOf(lastTick));
  page.add('health_status', {}, orNaN(health && statuses.indexOf(health.status)));
  for (const status of ['warning', 'critical'] as const)
    page.add('health_issues', { status }, orNaN(health?.checks.filter((check) => check.status === status).length));
}
