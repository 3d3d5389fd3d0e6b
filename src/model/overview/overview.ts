/**
 * model: whether one could restore last night's data, of each database and of all, from what was found. Pure; it measures nothing.
 */
import type { Backup, Proof } from '../backup/backup.js';
import type { HealthReport } from '../health/health.js';
import type { RoutineState, TargetState } from '../metrics/samples.js';
import type { RestoreTime } from '../figures/restore-times.js';
import { formatDuration, msPerHour } from '../units.js';
import type { Broken, Made } from './recent.js';

/** What a person would be told who asks: the worst that holds. */
export type Answer = 'proven' | 'unproven' | 'unknown' | 'suspect' | 'failed' | 'late' | 'none';

/** Of one database; times ISO 8601, durations ms, sizes bytes. */
export interface DatabaseOverview {
  readonly name: string;
  readonly answer: Answer;
  /** Why, a sentence without its full stop. */
  readonly because: string;
  readonly lastGood: string | null;
  /** The last good backup, where a storage could be listed that holds it. */
  readonly newest: Backup | null;
  readonly proven: Proof | null;
  /** When a backup of it was last restored and found equal. */
  readonly restoredAt: string | null;
  readonly next: { readonly at: string; readonly scheduleId: string } | null;
  readonly made: readonly Made[];
  readonly broken: Broken | null;
  /** What a restore would take, by what was measured. */
  readonly restoreTime: number | null;
  /** How many backups each storage holds; null: it could not be listed. */
  readonly stored: Readonly<Record<string, number | null>>;
}

export interface StorageOverview extends TargetState {
  readonly minFreeBytes: number;
  /** For how many more backups of every database there is room; null: not known. */
  readonly room: number | null;
}

export interface Overview {
  readonly answer: Answer;
  readonly title: string;
  readonly detail: string;
  readonly databases: readonly DatabaseOverview[];
  readonly storages: readonly StorageOverview[];
  readonly health: HealthReport | null;
}

export interface DatabaseFacts {
  readonly name: string;
  /** Of every schedule, and by hand. */
  readonly routines: readonly RoutineState[];
  /** From when on its last good backup is too old; null: nothing says so. */
  readonly expected: Date | null;
  /** When a backup of it was last due; null: none was yet. */
  readonly due: Date | null;
  readonly restoredAt: string | null;
  readonly made: readonly Made[];
  readonly broken: Broken | null;
}

export interface OverviewFacts {
  readonly now: Date;
  readonly databases: readonly DatabaseFacts[];
  readonly targets: readonly TargetState[];
  readonly minFreeBytes: number;
  readonly restoreTimes: readonly RestoreTime[];
  readonly health: HealthReport | null;
}

/** Where no schedule says how old the last backup may be: a night and what it takes. */
const usualAge = 26 * msPerHour;

/** The worse, the later. */
const order: readonly Answer[] = ['proven', 'unproven', 'unknown', 'suspect', 'failed', 'late', 'none'];
const worst = (answers: readonly Answer[]): Answer => answers.reduce((a, b) => (order.indexOf(b) > order.indexOf(a) ? b : a), 'proven');

const newestOf = (routines: readonly RoutineState[]): Backup | null =>
  routines.reduce<Backup | null>((best, { newest }) => (newest && (!best || newest.backupId > best.backupId) ? newest : best), null);

const lastGoodOf = (routines: readonly RoutineState[]): Date | null =>
  routines.reduce<Date | null>((best, { lastGood }) => (lastGood && (!best || lastGood > best) ? lastGood : best), null);

function nextOf(routines: readonly RoutineState[]): DatabaseOverview['next'] {
  const coming = routines.flatMap(({ next, scheduleId }) => (next && scheduleId !== null ? [{ at: next.toISOString(), scheduleId }] : []));
  return coming.toSorted((a, b) => (a.at < b.at ? -1 : 1))[0] ?? null;
}

/** Backups in each storage, of all routines together. */
function storedOf(routines: readonly RoutineState[]): Record<string, number | null> {
  const sums: Record<string, number | null> = {};
  for (const { stored } of routines)
    for (const [name, count] of Object.entries(stored)) {
      const known = name in sums ? (sums[name] ?? null) : 0;
      sums[name] = known === null || count === null ? null : known + count;
    }
  return sums;
}

interface Judged {
  readonly facts: DatabaseFacts;
  readonly lastGood: Date | null;
  readonly newest: Backup | null;
  readonly now: Date;
}

function judge({ facts, lastGood, newest, now }: Judged): readonly [Answer, string] {
  const { routines, expected, due, broken } = facts;
  const unlisted = Object.entries(storedOf(routines)).flatMap(([name, count]) => (count === null ? [name] : []));
  if (!newest && unlisted.length > 0) return ['unknown', `storage ${unlisted.join(', ')} cannot be listed`];
  if (!lastGood || !newest) return ['none', routines.some(({ suspect }) => suspect) ? 'all of its backups are suspect' : 'no backup yet'];
  const age = formatDuration(now.getTime() - lastGood.getTime());
  if (expected && expected <= now) return ['late', `its last good backup is ${age} old, and newer ones are due`];
  if (!expected && now.getTime() - lastGood.getTime() > usualAge)
    return ['late', `its last good backup is ${age} old, and no schedule renews it`];
  if (broken && due && lastGood < due)
    return ['failed', `its last run ${broken.event.status === 'failed' ? 'failed' : 'was given up'}; the last good backup is ${age} old`];
  if (routines.some(({ suspect }) => suspect))
    return ['suspect', 'a newer backup is suspect: until a restore proves it, it does not count'];
  return proofOf(newest.proven);
}

function proofOf(proven: Proof | null): readonly [Answer, string] {
  if (proven?.level === 'restore') return ['proven', 'its last backup was restored and found equal'];
  if (proven?.level === 'archive') return ['proven', 'its last backup was read whole'];
  return ['unproven', `nothing but ${proven ? 'its bytes was' : 'that it was made is'} proven of its last backup`];
}

function databaseOf(facts: DatabaseFacts, { now, restoreTimes }: OverviewFacts): DatabaseOverview {
  const { name, routines, restoredAt, made, broken } = facts;
  const [lastGood, newest] = [lastGoodOf(routines), newestOf(routines)];
  const [answer, because] = judge({ facts, lastGood, newest, now });
  return {
    name,
    answer,
    because,
    lastGood: lastGood?.toISOString() ?? null,
    newest,
    proven: newest?.proven ?? null,
    restoredAt,
    next: nextOf(routines),
    made,
    broken,
    restoreTime: restoreTimes.find(({ database }) => database === name)?.predicted ?? null,
    stored: storedOf(routines),
  };
}

function storageOf(target: TargetState, databases: readonly DatabaseOverview[], minFreeBytes: number): StorageOverview {
  const each = databases.reduce((sum, { newest }) => sum + (newest?.storages.includes(target.name) ? newest.size : 0), 0);
  const free = target.freeBytes === null ? null : Math.max(0, target.freeBytes - minFreeBytes);
  return { ...target, minFreeBytes, room: free === null || each === 0 ? null : Math.floor(free / each) };
}

const titles: Readonly<Record<Answer, string>> = {
  proven: 'Yes',
  unproven: 'Probably',
  unknown: 'Not known',
  suspect: 'Not surely',
  failed: 'No',
  late: 'No',
  none: 'No',
};

/** Of several at once, where each has its own reason. */
const reasons: Readonly<Record<Exclude<Answer, 'proven'>, string>> = {
  unproven: 'nothing proves the last backups',
  unknown: 'a storage cannot be listed',
  suspect: 'the newest backups are suspect',
  failed: 'the last runs failed',
  late: 'the last good backups are too old',
  none: 'no backup yet',
};

const mostNamed = 3;

/** `crm`, `crm, shop and 4 more`, `all 6 databases`. */
function named(some: readonly DatabaseOverview[], all: readonly DatabaseOverview[]): string {
  if (some.length > 1 && some.length === all.length) return `all ${all.length} databases`;
  const names = some.map(({ name }) => name);
  const rest = names.length > mostNamed + 1 ? [`${names.length - mostNamed} more`] : [];
  const told = rest.length > 0 ? names.slice(0, mostNamed) : names;
  const [last = '', ...before] = [...told, ...rest].toReversed();
  return before.length > 0 ? `${before.toReversed().join(', ')} and ${last}` : last;
}

/** The answer for all of them together: that of the worst. */
function headline(databases: readonly DatabaseOverview[], now: Date): Pick<Overview, 'answer' | 'title' | 'detail'> {
  const answer = worst(databases.map((one) => one.answer));
  const title = titles[answer];
  const those = databases.filter((one) => one.answer === answer);
  if (answer !== 'proven')
    return { answer, title, detail: `${named(those, databases)}: ${those.length > 1 ? reasons[answer] : those[0]?.because}` };
  const oldest = databases.reduce((least, { lastGood }) => (lastGood !== null && lastGood < least ? lastGood : least), now.toISOString());
  const restored = databases.filter(({ proven }) => proven?.level === 'restore').length;
  const proof =
    restored === databases.length
      ? 'a restore has proven it'
      : restored === 0
        ? 'no restore has proven it yet'
        : `a restore has proven ${restored} of ${databases.length}`;
  const age = formatDuration(now.getTime() - Date.parse(oldest));
  return { answer, title, detail: `${named(databases, databases)} can be restored; the data is at most ${age} old, and ${proof}` };
}

export function overviewOf(facts: OverviewFacts): Overview {
  const databases = facts.databases.map((one) => databaseOf(one, facts));
  return {
    ...headline(databases, facts.now),
    databases,
    storages: facts.targets.map((target) => storageOf(target, databases, facts.minFreeBytes)),
    health: facts.health,
  };
}
