/**
 * model: a rule of days, at a time of day, as a Plan.
 */
import { msPerDay } from '../../units.js';
import type { Plan } from './plan.js';
import { daysFrom, daysUntil, parseRule, type Rule } from './rule.js';

/** A rule from its first wall time on, until the last one (that one too). */
export function rulePlan(rule: Rule, first: number, last = Number.POSITIVE_INFINITY): Plan {
  const time = ((first % msPerDay) + msPerDay) % msPerDay;
  const firstDay = (first - time) / msPerDay;
  const dayOf = (wall: number) => Math.floor((wall - time) / msPerDay);
  return {
    *after(wall) {
      for (const day of daysFrom(rule, firstDay, dayOf(wall) + 1)) {
        const next = day * msPerDay + time;
        if (next > last) return;
        yield next;
      }
    },
    *until(wall) {
      for (const day of daysUntil(rule, firstDay, dayOf(Math.min(wall, last)))) yield day * msPerDay + time;
    },
  };
}

/** A Monday, the first of a month, of a leap year: rules that say no day of their own mean this one, and count from here. */
const beginning = Date.UTC(1968, 0, 1);

/** `20261231` (its last second), `20261231T235959` or the same with Z as a number of ms, as if it were UTC. Throws RangeError. */
export function dateTimeOf(text: string): number {
  const [, year = '', month = '', day = '', hour = '23', minute = '59', second = '59'] =
    /^(\d{4})(\d\d)(\d\d)(?:T(\d\d)(\d\d)(\d\d)Z?)?$/.exec(text) ?? [];
  const parsed = Date.parse(`${year}-${month}-${day}T${hour}:${minute}:${second}Z`);
  // Date.parse takes February 30
  if (Number.isNaN(parsed) || new Date(parsed).getUTCDate() !== Number(day)) throw new RangeError(`${text.slice(0, 40)} is no day or time`);
  return parsed;
}

/** A schedule's own rule and time of day (HH:mm). Throws RangeError saying what is wrong. */
export function plainRulePlan(text: string, at: string): Plan {
  const rule = parseRule(text);
  if (rule.count !== null) throw new RangeError('COUNT needs a first day: write it as an event in a calendar file');
  const last = rule.until === null ? undefined : dateTimeOf(rule.until);
  return rulePlan(rule, beginning + Number(at.slice(0, 2)) * 3_600_000 + Number(at.slice(3)) * 60_000, last);
}
