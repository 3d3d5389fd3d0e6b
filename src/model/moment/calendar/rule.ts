/**
 * model: recurrence rules (RRULE of RFC 5545, 3.3.10) of whole days: their text, and the days they name. Reads no file.
 */
import { msPerDay } from '../../units.js';

const frequencies = ['DAILY', 'WEEKLY', 'MONTHLY', 'YEARLY'] as const;
const weekdays = ['SU', 'MO', 'TU', 'WE', 'TH', 'FR', 'SA'] as const;

interface Weekday {
  /** The n-th in the month or year, from its end when negative; 0: each. */
  readonly nth: number;
  /** 0 is Sunday. */
  readonly day: number;
}

export interface Rule {
  readonly frequency: (typeof frequencies)[number];
  readonly interval: number;
  /** How many there are at all, counted from the first day; null: without end. */
  readonly count: number | null;
  /** As it stands there: `20261231`, `20261231T235959Z`. */
  readonly until: string | null;
  readonly weekStart: number;
  readonly byMonth: readonly number[];
  readonly byWeek: readonly number[];
  readonly byYearDay: readonly number[];
  readonly byMonthDay: readonly number[];
  readonly byDay: readonly Weekday[];
  readonly bySetPosition: readonly number[];
}

const refuse = (why: string): never => {
  throw new RangeError(why);
};

/** Whole numbers from -most (or 1) to most, none of them 0. */
function numbers(parts: ReadonlyMap<string, string>, name: string, most: number, negative = true): number[] {
  const text = parts.get(name);
  if (text === undefined) return [];
  return text.split(',').map((one) => {
    const number = Number(one);
    const good = /^[+-]?\d{1,5}$/.test(one) && number !== 0 && Math.abs(number) <= most && (negative || number > 0);
    return good ? number : refuse(`${name}=${one} is no whole number ${negative ? `from -${most} to -1 or 1 to` : 'from 1 to'} ${most}`);
  });
}

const known = ['FREQ', 'INTERVAL', 'COUNT', 'UNTIL', 'WKST', 'BYMONTH', 'BYWEEKNO', 'BYYEARDAY', 'BYMONTHDAY', 'BYDAY', 'BYSETPOS'];

function partsOf(text: string): Map<string, string> {
  const parts = new Map<string, string>();
  for (const part of text
    .trim()
    .replace(/^RRULE:/i, '')
    .toUpperCase()
    .split(';')) {
    const [, name = '', value = ''] = /^([A-Z]+)=(.+)$/.exec(part) ?? refuse(`"${part.slice(0, 40)}" is not written NAME=VALUE`);
    if (/^BY(HOUR|MINUTE|SECOND)$/.test(name)) refuse(`${name} is not taken: the time of day is told beside the rule`);
    if (!known.includes(name)) refuse(`there is no ${name}`);
    if (parts.has(name)) refuse(`${name} is there twice`);
    parts.set(name, value);
  }
  return parts;
}

function weekdayOf(text: string): Weekday {
  const [, nth = '', name = ''] = /^([+-]?\d{1,2})?([A-Z]{2})$/.exec(text) ?? [];
  const day = weekdays.findIndex((one) => one === name);
  const bad = day < 0 || (nth !== '' && (Number(nth) === 0 || Math.abs(Number(nth)) > 53));
  return bad ? refuse(`BYDAY=${text} is no day of the week, e.g. MO, 1MO or -1FR`) : { nth: Number(nth), day };
}

/** What the table of RFC 5545 does not allow with a frequency. */
function refuseMisfits({ frequency, byWeek, byYearDay, byMonthDay, byDay, bySetPosition, count, until }: Rule): void {
  if (byWeek.length > 0 && frequency !== 'YEARLY') refuse('BYWEEKNO needs FREQ=YEARLY');
  if (byYearDay.length > 0 && frequency !== 'YEARLY') refuse('BYYEARDAY needs FREQ=YEARLY');
  if (byMonthDay.length > 0 && frequency === 'WEEKLY') refuse('BYMONTHDAY does not go with FREQ=WEEKLY');
  const nth = byDay.some((one) => one.nth !== 0);
  if (nth && (frequency === 'DAILY' || frequency === 'WEEKLY' || byWeek.length > 0))
    refuse('the n-th day of the week needs FREQ=MONTHLY or YEARLY, without BYWEEKNO');
  if (bySetPosition.length > 0 && byWeek.length + byYearDay.length + byMonthDay.length + byDay.length === 0)
    refuse('BYSETPOS needs another BY... beside it');
  if (count !== null && until !== null) refuse('either COUNT or UNTIL');
}

/** Throws RangeError saying what is wrong. */
export function parseRule(text: string): Rule {
  const parts = partsOf(text);
  const frequency = frequencies.find((one) => one === parts.get('FREQ'));
  if (!frequency) return refuse(`FREQ is ${parts.get('FREQ') ?? 'missing'}, one of ${frequencies.join(', ')} is needed`);
  const until = parts.get('UNTIL') ?? null;
  if (until !== null && !/^\d{8}(T\d{6}Z?)?$/.test(until)) refuse(`UNTIL=${until} is no day, e.g. 20261231`);
  const weekStart = weekdays.findIndex((one) => one === (parts.get('WKST') ?? 'MO'));
  if (weekStart < 0) refuse(`WKST=${parts.get('WKST')} is no day of the week`);
  const rule = {
    frequency,
    interval: numbers(parts, 'INTERVAL', 10_000, false)[0] ?? 1,
    count: numbers(parts, 'COUNT', 10_000, false)[0] ?? null,
    until,
    weekStart,
    byMonth: numbers(parts, 'BYMONTH', 12, false),
    byWeek: numbers(parts, 'BYWEEKNO', 53),
    byYearDay: numbers(parts, 'BYYEARDAY', 366),
    byMonthDay: numbers(parts, 'BYMONTHDAY', 31),
    byDay: parts.get('BYDAY')?.split(',').map(weekdayOf) ?? [],
    bySetPosition: numbers(parts, 'BYSETPOS', 366),
  };
  refuseMisfits(rule);
  return rule;
}

/** A day as days since 1970, and the parts of its date. */
const dayOf = (year: number, month: number, day: number): number => Date.UTC(year, month, day) / msPerDay;
function dateOf(day: number) {
  const date = new Date(day * msPerDay);
  return { year: date.getUTCFullYear(), month: date.getUTCMonth(), date: date.getUTCDate(), weekday: date.getUTCDay() };
}

const weekBegin = (day: number, weekStart: number): number => day - ((((dateOf(day).weekday - weekStart) % 7) + 7) % 7);

/** The number of a day's week in its year, and how many there are: the first has at least four days in it. */
function weekOf(day: number, weekStart: number): { week: number; weeks: number } {
  const begin = weekBegin(day, weekStart);
  const { year } = dateOf(begin + 3);
  const first = (of: number) => weekBegin(dayOf(of, 0, 4), weekStart);
  return { week: (begin - first(year)) / 7 + 1, weeks: (first(year + 1) - first(year)) / 7 };
}

/** Whether a place counted from the beginning (from 1) or the end is among those asked for; none asked for: yes. */
const isAmong = (asked: readonly number[], at: number, length: number): boolean =>
  asked.length === 0 || asked.includes(at) || asked.includes(at - length - 1);

/** The BY... that say which days; where there is none the first day does. */
function filled(rule: Rule, first: number): Rule {
  const { frequency, byMonth, byWeek, byYearDay, byMonthDay, byDay } = rule;
  if (byYearDay.length + byMonthDay.length + byDay.length > 0 || frequency === 'DAILY') return rule;
  const { month, date, weekday } = dateOf(first);
  if (frequency === 'WEEKLY' || byWeek.length > 0) return { ...rule, byDay: [{ nth: 0, day: weekday }] };
  const months = frequency === 'YEARLY' && byMonth.length === 0 ? [month + 1] : byMonth;
  return { ...rule, byMonth: months, byMonthDay: [date] };
}

function isNamed(rule: Rule, day: number): boolean {
  const { year, month, date, weekday } = dateOf(day);
  const [monthDays, yearDays] = [dateOf(dayOf(year, month + 1, 0)).date, dayOf(year + 1, 0, 1) - dayOf(year, 0, 1)];
  if (rule.byMonth.length > 0 && !rule.byMonth.includes(month + 1)) return false;
  if (!isAmong(rule.byMonthDay, date, monthDays)) return false;
  const yearDay = day - dayOf(year, 0, 1) + 1;
  if (!isAmong(rule.byYearDay, yearDay, yearDays)) return false;
  if (rule.byWeek.length > 0) {
    const { week, weeks } = weekOf(day, rule.weekStart);
    if (!isAmong(rule.byWeek, week, weeks)) return false;
  }
  const inMonth = rule.frequency === 'MONTHLY' || rule.byMonth.length > 0;
  const [at, length] = inMonth ? [date, monthDays] : [yearDay, yearDays];
  const nths = [Math.ceil(at / 7), -Math.ceil((length - at + 1) / 7), 0];
  return rule.byDay.length === 0 || rule.byDay.some((one) => one.day === weekday && nths.includes(one.nth));
}

/** Day numbers of the k-th year, month, week or day after the first one's, up to but without the second. */
function period(rule: Rule, first: number, k: number): readonly [number, number] {
  const { year, month } = dateOf(first);
  const step = k * rule.interval;
  if (rule.frequency === 'YEARLY') return [dayOf(year + step, 0, 1), dayOf(year + step + 1, 0, 1)];
  if (rule.frequency === 'MONTHLY') return [dayOf(year, month + step, 1), dayOf(year, month + step + 1, 1)];
  const length = rule.frequency === 'WEEKLY' ? 7 : 1;
  const begin = (length === 7 ? weekBegin(first, rule.weekStart) : first) + step * length;
  return [begin, begin + length];
}

/** Which period a day lies in, or the last one before it. */
function periodOf(rule: Rule, first: number, day: number): number {
  const [from, to] = [dateOf(first), dateOf(day)];
  const years = to.year - from.year;
  const units = {
    YEARLY: () => years,
    MONTHLY: () => years * 12 + to.month - from.month,
    WEEKLY: () => (weekBegin(day, rule.weekStart) - weekBegin(first, rule.weekStart)) / 7,
    DAILY: () => day - first,
  };
  return Math.floor(units[rule.frequency]() / rule.interval);
}

/** The days of one period. */
function chosen(rule: Rule, [begin, end]: readonly [number, number]): number[] {
  const days: number[] = [];
  for (let day = begin; day < end; day += 1) if (isNamed(rule, day)) days.push(day);
  return rule.bySetPosition.length === 0 ? days : days.filter((_, index) => isAmong(rule.bySetPosition, index + 1, days.length));
}

/** A February 29 that is a given day of the week may be 40 years away. */
const horizon = 41 * 366;

/** The days from a day on, in order, none before the first; days are counted since 1970. */
export function* daysFrom(unfilled: Rule, first: number, from: number): Generator<number> {
  const rule = filled(unfilled, first);
  let left = rule.count ?? Number.POSITIVE_INFINITY;
  let last = Math.max(first, from);
  const start = rule.count === null ? periodOf(rule, first, last) : 0;
  for (let k = start; left > 0; k += 1) {
    const bounds = period(rule, first, k);
    if (bounds[0] > last + horizon) return;
    for (const day of chosen(rule, bounds)) {
      if (day < first || left <= 0) continue;
      left -= 1;
      last = day;
      if (day >= from) yield day;
    }
  }
}

/** The days until a day, that one too, the newest first. */
export function* daysUntil(unfilled: Rule, first: number, until: number): Generator<number> {
  if (unfilled.count !== null) {
    const all: number[] = [];
    for (const day of daysFrom(unfilled, first, first)) if (day <= until) all.push(day);
    yield* all.toReversed();
    return;
  }
  const rule = filled(unfilled, first);
  for (let k = periodOf(rule, first, until); k >= 0; k -= 1)
    for (const day of chosen(rule, period(rule, first, k)).toReversed()) if (day >= first && day <= until) yield day;
}
