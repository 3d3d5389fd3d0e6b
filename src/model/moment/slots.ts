/**
 * model: which slots of a schedule are due, which were missed, and until when one may wait. Decides; opens no event.
 *
 * A slot is one occurrence of a schedule, told by its key: at most one event a database ever.
 */
import { createHash } from 'node:crypto';
import type { BackupWindow, Schedule, Settings } from '../settings/settings.js';
import { msPerDay, msPerMinute } from '../units.js';
import { contents, occurrencesOf, slotKey, type Timed } from './occurrences.js';
import { localZone, windowState } from './window.js';

export interface Slot {
  readonly key: string;
  readonly at: Date;
}

export interface SlotPlan {
  /** The newest due slot, when it may still run. */
  readonly run: Slot | null;
  /** The others, oldest first. */
  readonly missed: readonly Slot[];
}

export interface SlotTiming {
  readonly scheduleId: string;
  readonly schedule: Schedule;
  readonly settings: Pick<Settings, 'backupWindow' | 'intelligentScheduling' | 'timezone'>;
}

/** The zone in which a schedule's times are told. */
export const zoneOf = (schedule: Pick<Schedule, 'timezone'>, settings: Pick<Settings, 'timezone'>): string =>
  schedule.timezone ?? settings.timezone ?? localZone();

/** What a schedule's slots follow from: when it changes, no slot of before is missed. */
export function timingOf({ schedule, settings }: Omit<SlotTiming, 'scheduleId'>): string {
  const { enabled, cron, calendar, blackout } = schedule;
  if (!enabled) return 'off';
  const timed: Timed = schedule;
  const file = timed.calendar?.[contents];
  const held = file === undefined ? null : createHash('sha256').update(file).digest('hex');
  return JSON.stringify([zoneOf(schedule, settings), cron ?? null, calendar ?? null, held, blackout ?? null]);
}

/** After a machine was off for years so many slots are told of, the newest. */
const mostSlots = 1000;

/** Without intelligent scheduling a slot that is older was missed: cron is late by a minute or two, not more. */
const punctual = 5 * msPerMinute;

/** The slots of (`since`, `now`]; the newest runs while its deadline has not come, and the others are missed. */
export function dueSlots(timing: SlotTiming, since: Date, now: Date): SlotPlan {
  const slots = slotsBetween(timing, since, now);
  const newest = slots.at(-1);
  if (!newest) return { run: null, missed: [] };
  const waits = timing.settings.intelligentScheduling;
  const end = waits ? deadlineOf(newest.at, timing) : new Date(newest.at.getTime() + punctual);
  return now < end ? { run: newest, missed: slots.slice(0, -1) } : { run: null, missed: slots };
}

/** An hour that the clock repeats has each slot once: a key never comes again. */
function slotsBetween({ scheduleId, schedule, settings }: SlotTiming, since: Date, now: Date): Slot[] {
  const zone = zoneOf(schedule, settings);
  const occurrences = occurrencesOf(schedule, zone);
  const times: Date[] = [];
  for (let at = occurrences.next(since); at && at <= now && times.length <= mostSlots; at = occurrences.next(at)) times.push(at);
  const newest =
    times.length > mostSlots
      ? occurrences
          .previous(mostSlots, new Date(now.getTime() + 1000))
          .filter((at) => at <= now)
          .toReversed()
      : times;
  const slots: Slot[] = [];
  let last = slotKey(scheduleId, since, zone);
  for (const at of newest) {
    const key = slotKey(scheduleId, at, zone);
    if (key > last) slots.push({ key, at });
    if (key > last) last = key;
  }
  return slots;
}

/** When the slot of a moment no longer waits: the window closed, the next slot came, or it waited `maxWait`, whichever is first. */
export function deadlineOf(at: Date, { schedule, settings }: Omit<SlotTiming, 'scheduleId'>): Date {
  const zone = zoneOf(schedule, settings);
  const ends = [closing(settings, zone, at), occurrencesOf(schedule, zone).next(at)];
  if (schedule.maxWait !== undefined) ends.push(new Date(at.getTime() + schedule.maxWait * msPerMinute));
  return ends.reduce<Date>((first, end) => (end && end < first ? end : first), new Date(at.getTime() + longestWait));
}

/** When nothing else ends it. */
const longestWait = 31 * msPerDay;

/** The end of the window that is open at a moment, or opens next after it; null: it never closes. */
function closing({ backupWindow }: Pick<Settings, 'backupWindow'>, zone: string, at: Date): Date | null {
  const { open, closesAt, opensAt } = windowState(backupWindow, zone, at);
  return open ? closesAt : windowState(backupWindow, zone, opensAt).closesAt;
}

/** Where no window closes, a retry waits for its conditions a day. */
const longestRetry = msPerDay;

/** When a retry that was to run at a moment no longer waits: outside the window (null: it passes by it) it does not wait at all. */
export function retryDeadline(at: Date, { window, zone }: { window: BackupWindow | null; zone: string }, now: Date): Date {
  const latest = new Date(at.getTime() + longestRetry);
  if (!window) return latest;
  const { open, closesAt } = windowState(window, zone, now);
  return open ? (closesAt ?? latest) : now;
}
