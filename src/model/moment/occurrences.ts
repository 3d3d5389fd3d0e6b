/**
 * model: the moments at which a schedule is to run, and the key of each. Knows no clock: every moment is an argument.
 */
import type { Calendar } from '../settings/timing.js';
import { msPerDay } from '../units.js';
import { freeDay, isBlackout } from './blackout.js';
import { calendarPlans } from './calendar/icalendar.js';
import { cronPlan, type Plan } from './calendar/plan.js';
import { plainRulePlan } from './calendar/rule-plan.js';
import { clockChanges, offsetOf, place, wallOf, wallText, type ClockChange } from './wall.js';

export interface Occurrences {
  /** The first after a moment; null: there is none any more. */
  next(after: Date): Date | null;
  /** The last `count` not after a moment, the newest first. */
  previous(count: number, before: Date): readonly Date[];
}

/** Under this key a calendar has what its file held when the configuration was loaded; no part of what is shown of it. */
export const contents: unique symbol = Symbol('contents');

/** What a schedule's times come from. */
export interface Timed {
  readonly cron?: string | undefined;
  readonly calendar?: (Calendar & { readonly [contents]?: string }) | undefined;
  readonly blackout?: readonly string[] | undefined;
}

/** A plan on the clock of its zone. */
interface Placed {
  readonly plan: Plan;
  readonly zone: string;
}

/** Nothing where triggers alone start it. Throws RangeError, CalendarError for what config refuses. */
function placedOf({ cron, calendar }: Timed, zone: string): Placed[] {
  const text = calendar?.[contents];
  if (calendar && text !== undefined) return calendarPlans(text, calendar.at).map((one) => ({ plan: one.plan, zone: one.zone ?? zone }));
  if (calendar?.rule !== undefined) return [{ plan: plainRulePlan(calendar.rule, calendar.at), zone }];
  return cron === undefined ? [] : [{ plan: cronPlan(cron), zone }];
}

/** A wall time that the clock skips runs at the first minute after the gap, once; one that it repeats the first time alone. */
function nextOf({ plan, zone }: Placed, after: number): number[] {
  for (const wall of plan.after(wallOf(after, zone))) {
    const { moment } = place(wall, zone);
    if (moment > after) return [moment];
  }
  return [];
}

/** The newest not after a moment. */
function newestOf({ plan, zone }: Placed, until: number): number[] {
  // while an hour is repeated, later wall times than the one shown have been there already
  const shown = Math.max(wallOf(until, zone), until + offsetOf(until - 25 * 3_600_000, zone));
  for (const wall of plan.until(shown)) {
    const { moment } = place(wall, zone);
    if (moment <= until) return [moment];
  }
  return [];
}

/** A schedule's moments in an IANA zone, its blackout days left out. */
export function occurrencesOf(timed: Timed, zone: string): Occurrences {
  const placed = placedOf(timed, zone);
  const { blackout = [] } = timed;
  /** Goes on from day to day without blackout until a moment is found. */
  const search = (from: number, found: (from: number) => number[], step: 1 | -1): number | null => {
    for (let at: number | null = from; at !== null;) {
      const moments = found(at);
      if (moments.length === 0) return null;
      const moment = step > 0 ? Math.min(...moments) : Math.max(...moments);
      const wall = wallOf(moment, zone);
      if (!isBlackout(blackout, wall)) return moment;
      const day = freeDay(blackout, wall, step);
      at = day === null ? null : place(step > 0 ? day : day + msPerDay, zone).moment - 1;
    }
    return null;
  };
  const next = (after: number) => search(after, (from) => placed.flatMap((one) => nextOf(one, from)), 1);
  const newest = (until: number) => search(until, (from) => placed.flatMap((one) => newestOf(one, from)), -1);
  return {
    next(after) {
      const found = next(after.getTime());
      return found === null ? null : new Date(found);
    },
    previous(count, before) {
      const moments: Date[] = [];
      for (let at = newest(before.getTime()); at !== null && moments.length < count; at = newest(at - 1)) moments.push(new Date(at));
      return moments;
    },
  };
}

/** `daily-backup@2026-03-29T02:00[Europe/Berlin]`: one a schedule and wall-clock minute, so that a repeated hour runs once. */
export const slotKey = (scheduleId: string, at: Date, zone: string): string =>
  `${scheduleId}@${wallText(wallOf(at.getTime(), zone))}[${zone}]`;

/** What a change of clocks does to an occurrence: it was moved behind a gap, or its hour is repeated; null: nothing. */
export function clockChangeAt(timed: Timed, zone: string, at: Date): ClockChange['kind'] | null {
  for (const one of placedOf(timed, zone))
    for (const wall of one.plan.until(wallOf(at.getTime(), one.zone))) {
      const { moment, change } = place(wall, one.zone);
      if (moment !== at.getTime()) break;
      if (change !== null) return change;
    }
  return null;
}

/** A time of a schedule that a change of clocks skips or repeats. */
export interface Irregularity {
  readonly kind: ClockChange['kind'];
  /** The wall time, `2026-03-29T02:30`; the first one, where it is several. */
  readonly wall: string;
  readonly zone: string;
}

/** All between two moments, one a change of clocks. */
export function irregularities(timed: Timed, zone: string, from: Date, until: Date): Irregularity[] {
  return placedOf(timed, zone).flatMap((one) =>
    clockChanges(one.zone, from.getTime(), until.getTime()).flatMap((change) => {
      const [wall] = one.plan.after(change.from - 1000);
      if (wall === undefined || wall >= change.until || isBlackout(timed.blackout ?? [], wall)) return [];
      return [{ kind: change.kind, wall: wallText(wall), zone: one.zone }];
    }),
  );
}
