/**
 * model: the text of an iCalendar file (RFC 5545) becomes the plans of its events, each with its zone. Reads no file.
 */
import { msPerDay } from '../../units.js';
import { place, wallOf } from '../wall.js';
import { oncePlan, type Plan } from './plan.js';
import { parseRule, type Rule } from './rule.js';
import { dateTimeOf, rulePlan } from './rule-plan.js';

/** Wrong text: which line of the file (from 1), and what is wrong with it. */
export class CalendarError extends Error {
  readonly line: number;

  constructor(line: number, message: string) {
    super(message);
    this.line = line;
  }
}

interface Property {
  readonly line: number;
  readonly name: string;
  readonly parameters: ReadonlyMap<string, string>;
  readonly value: string;
}

/** A plan and the zone that its wall times are in; null: the schedule's. */
export interface ZonedPlan {
  readonly plan: Plan;
  readonly zone: string | null;
}

/** Lines that begin with a blank go on the line before. */
function unfolded(text: string): { line: number; content: string }[] {
  const lines: { line: number; content: string }[] = [];
  for (const [index, content] of text.split(/\r\n|\n|\r/).entries()) {
    const last = lines.at(-1);
    if (/^[ \t]/.test(content) && last) last.content += content.slice(1);
    else if (content !== '') lines.push({ line: index + 1, content });
  }
  return lines;
}

function propertyOf({ line, content }: { line: number; content: string }): Property {
  const [, name, parameters = '', value = ''] = /^([A-Za-z0-9-]+)((?:;[A-Za-z0-9-]+=(?:"[^"]*"|[^";:])*)*):(.*)$/s.exec(content) ?? [];
  if (name === undefined) throw new CalendarError(line, `"${content.slice(0, 40)}" is not written NAME:VALUE`);
  const pairs = [...parameters.matchAll(/;([A-Za-z0-9-]+)=((?:"[^"]*"|[^";:])*)/g)];
  const map = new Map(pairs.map(([, key = '', text = '']) => [key.toUpperCase(), text.replaceAll('"', '')]));
  return { line, name: name.toUpperCase(), parameters: map, value };
}

interface Vevent {
  readonly line: number;
  readonly properties: readonly Property[];
}

/** The properties of each VEVENT; those of what lies inside it, such as alarms, are left out. */
function eventsIn(text: string): Vevent[] {
  const events: Vevent[] = [];
  const open: { name: string; line: number; properties: Property[] }[] = [];
  for (const property of unfolded(text.replace(/^\ufeff/, '')).map(propertyOf)) {
    const { line, name, value } = property;
    const what = value.trim().toUpperCase();
    if (open.length === 0 && (name !== 'BEGIN' || what !== 'VCALENDAR')) throw new CalendarError(line, 'BEGIN:VCALENDAR is missing');
    if (name === 'BEGIN') open.push({ name: what, line, properties: [] });
    else if (name === 'END') {
      const closed = open.pop();
      if (closed?.name !== what) throw new CalendarError(line, `END:${what} closes ${closed?.name}, begun in line ${closed?.line}`);
      if (what === 'VEVENT') events.push(closed);
    } else open.at(-1)?.properties.push(property);
  }
  const left = open.at(-1);
  if (left) throw new CalendarError(left.line, `BEGIN:${left.name} is never closed`);
  if (events.length === 0) throw new CalendarError(1, 'it holds no event (VEVENT)');
  return events;
}

/** A wall time and its zone: null is the schedule's own (times without a zone, and whole days at `at`). */
interface Stated {
  readonly wall: number;
  readonly zone: string | null;
}

/** Times of day of whole days, ms. */
type Daily = number;

function stated({ line, parameters, value }: Property, at: Daily): Stated[] {
  const zone = parameters.get('TZID')?.replace(/^\/(?:[^/]+\/)*?(?=[A-Z][A-Za-z_]+\/)/, '') ?? null;
  return value.split(',').map((text) => {
    try {
      const wall = dateTimeOf(text.trim());
      if (!text.includes('T')) return { wall: wall - (wall % msPerDay) + at, zone: null };
      if (text.trim().endsWith('Z')) return { wall, zone: 'UTC' };
      if (zone !== null) wallOf(0, zone);
      return { wall, zone };
    } catch (error) {
      const unknown = error instanceof RangeError && zone !== null && /time ?zone/i.test(error.message);
      throw new CalendarError(line, unknown ? `the zone "${zone}" is not known here` : (error as Error).message);
    }
  });
}

/** The same moment on the clock of another zone; times without a zone stay as they are. */
const inZone = ({ wall, zone }: Stated, wanted: string | null): number =>
  zone === null || wanted === null || zone === wanted ? wall : wallOf(place(wall, zone).moment, wanted);

const all = ({ properties }: Vevent, name: string): Property[] => properties.filter((property) => property.name === name);

function ruleOf({ line, value }: Property): Rule {
  try {
    return parseRule(value);
  } catch (error) {
    throw new CalendarError(line, `RRULE: ${(error as Error).message}`);
  }
}

/** UNTIL is said in UTC where the event has a zone. */
function lastOf({ until }: Rule, zone: string | null, line: number): number | undefined {
  if (until === null) return undefined;
  try {
    return inZone({ wall: dateTimeOf(until), zone: until.endsWith('Z') ? 'UTC' : zone }, zone);
  } catch (error) {
    throw new CalendarError(line, `UNTIL: ${(error as Error).message}`);
  }
}

/** Without those at given wall times. */
const without = (plan: Plan, excluded: ReadonlySet<number>): Plan => ({
  *after(wall) {
    for (const next of plan.after(wall)) if (!excluded.has(next)) yield next;
  },
  *until(wall) {
    for (const last of plan.until(wall)) if (!excluded.has(last)) yield last;
  },
});

const isCancelled = (event: Vevent): boolean => all(event, 'STATUS').some(({ value }) => value.trim().toUpperCase() === 'CANCELLED');

function startOf(event: Vevent, at: Daily): Stated {
  const [start] = all(event, 'DTSTART');
  const [first] = start ? stated(start, at) : [];
  if (!first) throw new CalendarError(event.line, 'the event has no DTSTART');
  return first;
}

/** An event, and what replaces some of its times (RECURRENCE-ID). */
function plansOf(event: Vevent, replacements: readonly Vevent[], at: Daily): ZonedPlan[] {
  const { wall, zone } = startOf(event, at);
  const moved = replacements.flatMap((one) => all(one, 'RECURRENCE-ID'));
  const excluded = new Set([...all(event, 'EXDATE'), ...moved].flatMap((property) => stated(property, at)).map((one) => inZone(one, zone)));
  const rules = all(event, 'RRULE').map((property) => {
    const rule = ruleOf(property);
    return rulePlan(rule, wall, lastOf(rule, zone, property.line));
  });
  const dates = all(event, 'RDATE').flatMap((property) => stated(property, at).map((one) => oncePlan(inZone(one, zone))));
  const plans = [...(rules.length === 0 ? [oncePlan(wall)] : rules), ...dates];
  return plans.map((plan) => ({ plan: without(plan, excluded), zone }));
}

/** The plans of a file's events; whole days start at `at` (HH:mm). Throws CalendarError. */
export function calendarPlans(text: string, at: string): ZonedPlan[] {
  const daily = Number(at.slice(0, 2)) * 3_600_000 + Number(at.slice(3)) * 60_000;
  const events = eventsIn(text);
  const uid = (event: Vevent) => all(event, 'UID')[0]?.value.trim() ?? '';
  for (const event of events)
    for (const { line, parameters } of all(event, 'RECURRENCE-ID'))
      if (parameters.has('RANGE')) throw new CalendarError(line, 'RECURRENCE-ID with RANGE is not taken: end the event, and begin another');
  const isReplacement = (event: Vevent) => all(event, 'RECURRENCE-ID').length > 0;
  return events
    .filter((event) => !isCancelled(event))
    .flatMap((event) => {
      if (!isReplacement(event)) {
        const replacements = events.filter((one) => isReplacement(one) && uid(one) === uid(event));
        return plansOf(event, replacements, daily);
      }
      const { wall, zone } = startOf(event, daily);
      return [{ plan: oncePlan(wall), zone }];
    });
}
