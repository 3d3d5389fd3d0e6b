/**
 * core: what every schedule and every database of it have come to, for the metrics. Asks no server: the members of a cluster are those that
 * were backed up of late.
 */
import type { Backup } from '../../model/backup/backup.js';
import { isTerminal, type BackupEvent } from '../../model/events/event.js';
import { expectedAt, longestInterval } from '../../model/events/expectation.js';
import type { LedgerLine } from '../../model/roles/ledger.js';
import { eventOf } from '../../model/events/record.js';
import { occurrencesOf } from '../../model/moment/occurrences.js';
import { zoneOf } from '../../model/moment/slots.js';
import { begunOf, type Tally } from '../../model/metrics/tally.js';
import type { RoutineState } from '../../model/metrics/samples.js';
import type { Schedule } from '../../model/settings/settings.js';
import { msPerDay } from '../../model/units.js';
import type { Context } from '../context.js';
import { knownSince } from '../../model/events/known.js';
import type { History } from '../history/history.js';

export interface Known {
  readonly lines: readonly LedgerLine[];
  readonly tally: Tally;
  readonly history: History;
  readonly backups: readonly Backup[];
  /** Names of the storages that were listed whole. */
  readonly listed: ReadonlySet<string>;
}

type Asking = Pick<Context, 'settings' | 'schedules' | 'databases' | 'storages' | 'clock'>;

/** Every schedule with each of its databases, and each database by hand. */
export function routinesOf(context: Asking, known: Known): RoutineState[] {
  const events = eventsOf(known.lines);
  const scheduled = Object.entries(context.schedules).flatMap(([id, schedule]) =>
    (schedule.databases ?? context.databases)
      .flatMap((entry) => membersOf(context, known, entry, { id, schedule }))
      .map((database) => routineOf(context, known, { id, schedule, database }, events)),
  );
  const isOf = (entry: string) => (database: string) => database === entry || database.startsWith(`${entry}--`);
  const byHand = context.databases.flatMap((entry) => {
    const members = [...new Set(scheduled.map(({ database }) => database))].filter(isOf(entry));
    return members.length > 0 ? members : [entry];
  });
  return [...scheduled, ...byHand.map((database) => routineOf(context, known, { id: null, schedule: null, database }, events))];
}

const eventsOf = (lines: readonly LedgerLine[]): BackupEvent[] =>
  lines.flatMap(({ record }) => (record.record === 'event' ? [eventOf(record)] : []));

/** The databases of an entry: itself, or the members of a cluster; one that is left out while others are backed up was dropped. */
function membersOf(
  { settings, clock }: Asking,
  { tally, backups }: Known,
  entry: string,
  { id, schedule }: { readonly id: string; readonly schedule: Schedule },
): string[] {
  const begun = Object.keys(tally.begun).flatMap((key) => {
    const [scheduleId, database] = JSON.parse(key) as [string | null, string]; // as `tally` makes it
    return scheduleId === id ? [database] : [];
  });
  const stored = backups.flatMap(({ scheduleId, database }) => (scheduleId === id ? [database] : []));
  const members = [...new Set([...begun, ...stored])].filter((database) => database.startsWith(`${entry}--`));
  const timeOf = (database: string) => Date.parse(begunOf(tally, id, database) ?? '') || 0;
  const newest = Math.max(0, ...members.map(timeOf));
  const patience = 2 * longestInterval(schedule, zoneOf(schedule, settings), clock.now()) + msPerDay;
  const current = members.filter((database) => timeOf(database) >= newest - patience).toSorted();
  return current.length > 0 ? current : [entry];
}

interface Routine {
  readonly id: string | null;
  readonly schedule: Schedule | null;
  readonly database: string;
}

function routineOf(context: Asking, known: Known, { id, schedule, database }: Routine, all: readonly BackupEvent[]): RoutineState {
  const isIts = (one: { readonly scheduleId?: string | null; readonly database: string }) =>
    (one.scheduleId ?? null) === id && one.database === database;
  const events = all.filter(isIts);
  const own = known.backups.filter(isIts);
  const newest = own.find(({ suspect }) => !suspect) ?? null;
  const completed = events.findLast(({ status }) => status === 'completed');
  const ended = events.findLast(({ status }) => status === 'completed' || status === 'failed');
  // a storage that cannot be listed may hold what the ledger remembers
  const remembered = known.listed.size < context.storages.length ? (completed?.timestamp ?? null) : null;
  // found as it was at that backup, and none made anew
  const equal = known.history.lastEqual.get(`${id} ${database}`);
  const good = equal && equal.backupId === newest?.backupId ? equal.at : newest?.timestamp;
  const lastGood = [good, remembered].flatMap((at) => (at == null ? [] : [at])).toSorted().at(-1); // prettier-ignore
  const unended = events.filter(({ id: event, status }) => !isTerminal(status) && !known.history.deadRuns.includes(event));
  const pending = unended.filter(({ status }) => status === 'pending');
  return {
    scheduleId: id,
    database,
    ...timesOf(context, known, { id, schedule, database }, lastGood === undefined ? null : new Date(lastGood)),
    newest,
    suspect: own[0]?.suspect ?? false,
    lastEnd: ended ? { good: ended.status === 'completed' } : null,
    lastCompleted: completed?.result ?? null,
    retries: pending.filter(({ type }) => type === 'retry').length,
    waiting: pending.filter(({ type, reasons = [] }) => type !== 'retry' && reasons.length > 0).length,
    running: unended.filter(({ status }) => status === 'running').length,
    stored: Object.fromEntries(
      context.storages.map(({ name }) => [
        name,
        known.listed.has(name) ? own.filter(({ storages }) => storages.includes(name)).length : null,
      ]),
    ),
  };
}

function timesOf({ settings, clock }: Asking, { history }: Known, { id, schedule }: Routine, lastGood: Date | null) {
  const now = clock.now();
  if (!schedule?.enabled || !settings.enabled) return { lastGood, expected: null, next: null };
  return {
    lastGood,
    expected: expectedAt(schedule, settings, lastGood, knownSince(history.known, id ?? '', history.beginning) ?? now),
    next: occurrencesOf(schedule, zoneOf(schedule, settings)).next(now),
  };
}
