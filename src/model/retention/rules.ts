/**
 * model: the rules of retention: newest, daily, weekly, monthly, yearly, within, and the minimum that wins over them all. Pure.
 *
 * A day's, week's, month's or year's backup is the newest one of it, by the wall clock of the schedule's zone (grandfather, father, son).
 */
import type { Retention } from '../settings/settings.js';
import { msPerDay } from '../units.js';

export interface RetentionPolicy extends Omit<Retention, 'minimum'> {
  /** Good backups that always stay. */
  readonly minimum: number;
  /** IANA zone in which days begin. */
  readonly zone: string;
  /** The longest time between two backups of the schedule, ms; null: they are taken by hand. */
  readonly interval: number | null;
}

/** Why the rules keep a backup, and until when, ms since 1970; null: not to be told. */
export interface Keeping {
  readonly reasons: readonly string[];
  readonly until: number | null;
}

interface Dated {
  readonly backupId: string;
  readonly timestamp: string;
}

const periods = { daily: 'keepDaily', weekly: 'keepWeekly', monthly: 'keepMonthly', yearly: 'keepYearly' } as const;
type Period = keyof typeof periods;
const lengths: Record<Period, number> = { daily: 1, weekly: 7, monthly: 31, yearly: 366 };

/** Months are 31 days and years 366, so that "within" never means less than it says. */
const unitDays: Readonly<Record<string, number>> = { d: 1, w: 7, m: 31, y: 366 };
const withinMs = (text: string): number => Number.parseInt(text, 10) * (unitDays[text.slice(-1)] ?? 0) * msPerDay;

const formats = new Map<string, Intl.DateTimeFormat>();

/** `2026-01-31` by the wall clock of a zone. Throws RangeError for an unknown one. */
function dayIn(zone: string, time: number): string {
  const format =
    formats.get(zone) ?? new Intl.DateTimeFormat('sv-SE', { timeZone: zone, year: 'numeric', month: '2-digit', day: '2-digit' });
  formats.set(zone, format);
  return format.format(time);
}

/** ISO 8601 week of a day, `2026-W05`: the week of its Thursday. */
function weekOf(day: string): string {
  const date = new Date(`${day}T00:00:00Z`);
  date.setUTCDate(date.getUTCDate() + 3 - ((date.getUTCDay() + 6) % 7));
  const first = Date.UTC(date.getUTCFullYear(), 0, 1);
  return `${date.getUTCFullYear()}-W${String(Math.floor((date.getTime() - first) / (7 * msPerDay)) + 1).padStart(2, '0')}`;
}

const nameOf: Record<Period, (day: string) => string> = {
  daily: (day) => day,
  weekly: weekOf,
  monthly: (day) => day.slice(0, 7),
  yearly: (day) => day.slice(0, 4),
};

/** Whether a policy says anything beside its minimum. */
export const isEmpty = (policy: RetentionPolicy): boolean =>
  [policy.keepLast, policy.keepWithin, ...Object.values(periods).map((key) => policy[key])].every((rule) => rule === undefined);

/** What each rule keeps of the good backups, newest first, by id. Those that only the minimum keeps are told so. */
export function applyRules(good: readonly Dated[], policy: RetentionPolicy): Map<string, Keeping> {
  const { interval, keepLast = 0, keepWithin, minimum, zone } = policy;
  const keeping = new Map<string, Keeping>();
  const newest = Date.parse(good[0]?.timestamp ?? '');
  const add = ({ backupId }: Dated, reason: string, until: number | null) => {
    const known = keeping.get(backupId) ?? { reasons: [], until: -Infinity };
    keeping.set(backupId, {
      reasons: [...known.reasons, reason],
      until: until === null || known.until === null ? null : Math.max(known.until, until),
    });
  };
  /** When it will no longer be among so many, if a backup is made every `step` ms. */
  const pushedOut = (left: number, step: number): number | null => (interval === null ? null : newest + left * Math.max(interval, step));
  good.slice(0, keepLast).forEach((one, index) => add(one, `last ${index + 1} of ${keepLast}`, pushedOut(keepLast - index, 0)));
  if (keepWithin !== undefined)
    for (const one of good) {
      const until = Date.parse(one.timestamp) + withinMs(keepWithin);
      if (until >= newest) add(one, `within ${keepWithin}`, until);
    }
  const days = good.map(({ timestamp }) => dayIn(zone, Date.parse(timestamp)));
  for (const period of Object.keys(periods) as Period[]) {
    const wanted = policy[periods[period]] ?? 0;
    const seen = new Set<string>();
    for (const [index, one] of good.entries()) {
      if (seen.size >= wanted) break;
      const name = nameOf[period](days[index] ?? '');
      if (seen.has(name)) continue;
      add(one, `${period} ${name}`, pushedOut(wanted - seen.size, lengths[period] * msPerDay));
      seen.add(name);
    }
  }
  for (const [index, one] of good.slice(0, minimum).entries())
    if (!keeping.has(one.backupId)) add(one, `minimum ${minimum} wins over the rules`, pushedOut(minimum - index, 0));
  return keeping;
}
