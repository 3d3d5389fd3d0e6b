/**
 * core: `schedule list` and `schedule next`: which schedules there are, and what they will do when. Writes nothing.
 */
import { Failure } from '../../model/errors.js';
import { onBothClocks, type TwoClocks } from '../../model/moment/local.js';
import { clockChangeAt, occurrencesOf } from '../../model/moment/occurrences.js';
import { outlookOf, type Outlook } from '../../model/moment/outlook.js';
import { zoneOf } from '../../model/moment/slots.js';
import { nearest } from '../../model/settings/nearest.js';
import type { Retention, Schedule } from '../../model/settings/settings.js';
import { whenInWords } from '../../model/settings/when.js';
import { formatDuration } from '../../model/units.js';
import type { Context } from '../context.js';
import type { Sight } from '../history/liveness.js';
import { readPast, type LastRun, type Past } from './past.js';

/** A Context has it; the listings make it without one. */
export interface Plans extends Sight, Pick<Context, 'clock' | 'settings' | 'schedules' | 'databases'> {
  readonly storages: readonly { readonly name: string }[];
}

export interface ScheduleRow {
  readonly id: string;
  readonly enabled: boolean;
  /** In words. */
  readonly when: string;
  readonly cron: string | null;
  readonly calendar: { readonly rule?: string; readonly file?: string; readonly at: string } | null;
  readonly blackout: readonly string[];
  readonly zone: string;
  readonly databases: readonly string[];
  readonly storages: readonly string[];
  readonly retention: Retention;
  readonly next: TwoClocks | null;
  readonly lastRun: LastRun | null;
  /** ms; null: it is not known yet. */
  readonly expectedDuration: number | null;
}

export async function listSchedules(plans: Plans): Promise<ScheduleRow[]> {
  const past = await readPast(plans);
  const { settings, databases, storages } = plans;
  const now = plans.clock.now();
  return Object.entries(plans.schedules).map(([id, schedule]) => {
    const zone = zoneOf(schedule, settings);
    const next = schedule.enabled && settings.enabled ? occurrencesOf(schedule, zone).next(now) : null;
    return {
      id,
      enabled: schedule.enabled && settings.enabled,
      when: whenInWords(schedule),
      cron: schedule.cron ?? null,
      calendar: schedule.calendar ?? null,
      blackout: schedule.blackout ?? [],
      zone,
      databases: schedule.databases ?? databases,
      storages: schedule.storages ?? storages.map(({ name }) => name),
      retention: schedule.retention ?? settings.retention,
      next: next && onBothClocks(next, zone),
      lastRun: past.lastRun(id),
      expectedDuration: past.expectedDuration(id, schedule.databases ?? databases),
    };
  });
}

export interface Upcoming extends TwoClocks {
  readonly scheduleId: string;
  readonly zone: string;
  /** ms; null: it is not known yet. */
  readonly expectedDuration: number | null;
  /** When it would start: later than its time where it waits for the window; null: it cannot. */
  readonly startsAt: string | null;
  readonly outlook: Outlook['verdict'];
  /** What is unusual about it, a sentence each: a clock change, the window, an overlap. */
  readonly notes: readonly string[];
}

/** The configured schedule. Throws `not-found` naming the nearest. */
export function scheduleOf(schedules: Plans['schedules'], id: string): Schedule {
  const schedule = Object.hasOwn(schedules, id) ? schedules[id] : undefined;
  if (schedule) return schedule;
  const near = nearest(id, Object.keys(schedules));
  throw new Failure('not-found', `there is no schedule "${id}"`, {
    hint: near.length > 0 ? `did you mean ${near.join(', ')}?` : 'no schedule is configured',
  });
}

interface Slot {
  readonly scheduleId: string;
  readonly schedule: Schedule;
  readonly zone: string;
  readonly at: Date;
}

/** The next `count` slots of all schedules in the order of time. */
function nextSlots(plans: Plans, ids: readonly string[], count: number): Slot[] {
  const lanes = ids.flatMap((scheduleId) => {
    const schedule = scheduleOf(plans.schedules, scheduleId);
    if (!schedule.enabled || !plans.settings.enabled) return [];
    const zone = zoneOf(schedule, plans.settings);
    const occurrences = occurrencesOf(schedule, zone);
    return [{ scheduleId, schedule, zone, occurrences, at: occurrences.next(plans.clock.now()) }];
  });
  const slots: Slot[] = [];
  while (slots.length < count) {
    const due = lanes.filter((lane) => lane.at !== null).toSorted((a, b) => Number(a.at) - Number(b.at));
    const [lane] = due;
    if (!lane?.at) break;
    const { scheduleId, schedule, zone, at } = lane;
    slots.push({ scheduleId, schedule, zone, at });
    lane.at = lane.occurrences.next(at);
  }
  return slots;
}

/** A run that is expected, by its beginning and end. */
interface Run {
  readonly scheduleId: string;
  readonly from: number;
  readonly until: number;
}

const changes = { skipped: 'clock change: moved behind the hour that is skipped', repeated: 'clock change: the first of two' } as const;

function upcomingOf(slot: Slot, plans: Plans, past: Past, runs: Run[]): Upcoming {
  const { scheduleId, schedule, zone, at } = slot;
  const expectedDuration = past.expectedDuration(scheduleId, schedule.databases ?? plans.databases);
  const change = clockChangeAt(schedule, zone, at);
  const { verdict, startsAt, detail } = outlookOf(at, schedule, plans.settings, zone);
  const notes = [...(change ? [changes[change]] : []), ...(detail ? [verdict === 'never' ? `cannot run: ${detail}` : detail] : [])];
  if (startsAt) {
    const from = startsAt.getTime();
    const others = runs.filter((run) => from === run.from || (from > run.from && from < run.until));
    notes.push(...others.map((run) => overlap(run, scheduleId, from)));
    runs.push({ scheduleId, from, until: from + (expectedDuration ?? 0) });
  }
  return {
    scheduleId,
    zone,
    ...onBothClocks(at, zone),
    expectedDuration,
    startsAt: startsAt?.toISOString() ?? null,
    outlook: verdict,
    notes,
  };
}

function overlap(run: Run, scheduleId: string, from: number): string {
  const who = run.scheduleId === scheduleId ? 'its run before' : run.scheduleId;
  return from === run.from ? `same minute as ${who}` : `overlaps ${who}, which takes ${formatDuration(run.until - run.from)}`;
}

/** Of all schedules that are on, or of one. Throws `not-found`. */
export async function upcoming(plans: Plans, { count, schedule }: { count: number; schedule?: string | undefined }): Promise<Upcoming[]> {
  if (schedule !== undefined) scheduleOf(plans.schedules, schedule);
  const slots = nextSlots(plans, schedule === undefined ? Object.keys(plans.schedules) : [schedule], count);
  const past = await readPast(plans);
  const runs: Run[] = [];
  return slots.map((slot) => upcomingOf(slot, plans, past, runs));
}
