/**
 * config: what will surprise about the times of schedules, in the coming two years; it refuses nothing.
 */
import { occurrencesOf, irregularities, type Irregularity } from '../model/moment/occurrences.js';
import { outlookOf } from '../model/moment/outlook.js';
import { zoneOf } from '../model/moment/slots.js';
import { windowState } from '../model/moment/window.js';
import type { Schedule } from '../model/settings/settings.js';
import { msPerDay } from '../model/units.js';
import type { Config } from './schema.js';

interface Lane {
  readonly id: string;
  readonly schedule: Schedule;
  readonly zone: string;
}

const later = (now: Date, days: number): Date => new Date(now.getTime() + days * msPerDay);
const twoYears = 731;
const fiveYears = 1827;

const places = (found: readonly Irregularity[], kind: Irregularity['kind']): string =>
  found.filter((one) => one.kind === kind).map(({ wall }) => wall.replace('T', ' ')).join(', '); // prettier-ignore

function clockChanges({ id, schedule, zone }: Lane, now: Date): string[] {
  const found = irregularities(schedule, zone, now, later(now, twoYears));
  const [skipped, repeated] = [places(found, 'skipped'), places(found, 'repeated')];
  const said = [
    ...(skipped ? [`skips ${skipped} (it runs at the first minute after the gap)`] : []),
    ...(repeated ? [`repeats ${repeated} (it runs the first time alone)`] : []),
  ];
  return said.length > 0 ? [`schedules.${id}: the clock of ${found[0]?.zone ?? zone} ${said.join(' and ')}`] : [];
}

/** Windows that are tried before an occurrence is called impossible: more than a month of them. */
const tries = 40;

/** Why no occurrence ever falls in the window, nor waits for it; null: one does, or there is none. */
function neverMet({ schedule, zone }: Lane, config: Config, now: Date): string | null {
  const occurrences = occurrencesOf(schedule, zone);
  let why: string | null = null;
  let at = occurrences.next(now);
  for (let k = 0; at && k < tries; k += 1) {
    const { verdict, detail } = outlookOf(at, schedule, config, zone);
    if (verdict !== 'never') return null;
    why ??= detail;
    const { opensAt } = windowState(config.backupWindow, zone, at);
    at = occurrences.next(new Date(Math.max(at.getTime(), opensAt.getTime() - 1)));
  }
  return why;
}

/** Whether there is an end to its times, which only a calendar can have. */
function ending({ id, schedule, zone }: Lane, now: Date): string[] {
  const occurrences = occurrencesOf(schedule, zone);
  const far = later(now, fiveYears);
  if (!schedule.calendar || occurrences.next(far)) return [];
  const [last] = occurrences.previous(1, far);
  if (!last) return [`schedules.${id}: its calendar names no time`];
  return [`schedules.${id}: its calendar ${last > now ? 'ends, the last time is' : 'has ended, the last time was'} ${last.toISOString()}`];
}

function warningsOf(lane: Lane, config: Config, now: Date): string[] {
  const { id, schedule, zone } = lane;
  const some = occurrencesOf({ ...schedule, blackout: [] }, zone).next(now);
  if (some && schedule.blackout && !occurrencesOf(schedule, zone).next(now)) return [`schedules.${id}: its blackout leaves no time to run`];
  const never = neverMet(lane, config, now);
  return [
    ...(never === null ? [] : [`schedules.${id}: it can never run: it lies ${never}`]),
    ...clockChanges(lane, now),
    ...ending(lane, now),
  ];
}

/** So many of the next times are compared with those of others. */
const compared = 100;

/** Schedules that start in the same minute, each pair once. */
function collisions(lanes: readonly Lane[], now: Date): string[] {
  const owners = new Map<number, string>();
  const pairs = new Map<string, string>();
  for (const { id, schedule, zone } of lanes) {
    const occurrences = occurrencesOf(schedule, zone);
    let at = occurrences.next(now);
    for (let k = 0; at && k < compared; k += 1, at = occurrences.next(at)) {
      const other = owners.get(at.getTime());
      if (other === undefined) owners.set(at.getTime(), id);
      else if (!pairs.has(`${other} ${id}`))
        pairs.set(`${other} ${id}`, `schedules.${id}: it starts in the same minute as ${other}, first at ${at.toISOString()}`);
    }
  }
  return [...pairs.values()];
}

/** A sentence each; nothing of schedules that are off. */
export function timeWarnings(config: Config, now: Date): string[] {
  const lanes = Object.entries(config.schedules)
    .filter(([, { enabled }]) => enabled)
    .map(([id, schedule]) => ({ id, schedule, zone: zoneOf(schedule, config) }));
  return [...lanes.flatMap((lane) => warningsOf(lane, config, now)), ...collisions(lanes, now)];
}
