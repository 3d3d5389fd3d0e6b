/**
 * model: by when a schedule should have made its backup, told by its own times. Knows no clock, starts no timer.
 */
import type { Schedule, Settings } from '../settings/settings.js';
import { msPerMinute } from '../units.js';
import { occurrencesOf, type Timed } from '../moment/occurrences.js';
import { lastClosed, localZone, windowState } from '../moment/window.js';

/** After the slot, or the end of the window in which it may wait: the time that the backup itself may take. */
const grace = 60 * msPerMinute;
/** A backup made a little before its slot counts for it. */
const early = 6 * grace;

export interface Expectation {
  /** The newest occurrence whose backup should be there by now. */
  readonly slot: Date;
  /** Between it and the one before, ms. */
  readonly interval: number;
}

type ExpectationSettings = Pick<Settings, 'timezone' | 'backupWindow' | 'intelligentScheduling'>;

/** What a schedule is expected to have done by now; null before its first occurrence ever, or when it is disabled. */
export function expectedBy(
  schedule: Timed & Pick<Schedule, 'enabled' | 'timezone'>,
  settings: ExpectationSettings,
  now: Date,
): Expectation | null {
  if (!schedule.enabled) return null;
  const settled = new Date(now.getTime() - grace);
  const zone = schedule.timezone ?? settings.timezone ?? localZone();
  // a slot may wait until the window closes: only those before the last closing are settled
  const until = (settings.intelligentScheduling ? lastClosed(settings.backupWindow, zone, settled) : null) ?? settled;
  const [slot, previous] = occurrencesOf(schedule, zone).previous(2, until);
  if (!slot) return null;
  return { slot, interval: previous ? slot.getTime() - previous.getTime() : Number.POSITIVE_INFINITY };
}

/** More are not counted: a schedule of every minute, and a machine that was off for a day. */
const mostCounted = 1000;

/** How many occurrences came after a moment, up to one that is expected: the backups that were due since. 1,000 stands for more. */
export function dueSince(
  schedule: Timed & Pick<Schedule, 'timezone'>,
  { timezone }: Pick<Settings, 'timezone'>,
  since: Date,
  { slot }: Pick<Expectation, 'slot'>,
): number {
  const occurrences = occurrencesOf(schedule, schedule.timezone ?? timezone ?? localZone());
  let count = 0;
  for (let at = occurrences.next(since); at && at <= slot && count < mostCounted; at = occurrences.next(at)) count += 1;
  return count;
}

/** Whether the last good backup (null: there is none) is older than the schedule lets expect. */
export function isOverdue(expectation: Expectation, lastGood: Date | null, beginning: Date | null, now: Date): boolean {
  const { slot, interval } = expectation;
  // before anything was known of the schedule nothing could be missed
  if (lastGood === null) return beginning !== null && beginning <= slot;
  const forSlot = lastGood.getTime() >= slot.getTime() - Math.min(early, interval / 4);
  return !forSlot && now.getTime() - lastGood.getTime() > interval + grace;
}

/**
 * From when on `isOverdue` holds if no backup is made any more; `since` stands for the last good one where there is none: when the schedule
 * became known. Null: nothing is expected of it.
 */
export function expectedAt(
  schedule: Timed & Pick<Schedule, 'enabled' | 'timezone'>,
  settings: ExpectationSettings,
  lastGood: Date | null,
  since: Date,
): Date | null {
  if (!schedule.enabled) return null;
  const zone = schedule.timezone ?? settings.timezone ?? localZone();
  const occurrences = occurrencesOf(schedule, zone);
  const settledAt = (slot: Date) => new Date((closedAfter(slot, settings, zone) ?? slot).getTime() + grace);
  if (lastGood === null) {
    const first = occurrences.next(new Date(since.getTime() - 1));
    return first && settledAt(first);
  }
  for (let slot = occurrences.next(lastGood); slot;) {
    const [, previous] = occurrences.previous(2, slot);
    // with one occurrence ever, a backup before it is never too old
    if (!previous) return null;
    const interval = slot.getTime() - previous.getTime();
    const next = occurrences.next(slot);
    const at = new Date(Math.max(settledAt(slot).getTime(), lastGood.getTime() + interval + grace));
    const forSlot = lastGood.getTime() >= slot.getTime() - Math.min(early, interval / 4);
    // then the slot after it is what is asked for, which may follow sooner
    if (!forSlot && (next === null || at < settledAt(next))) return at;
    slot = next;
  }
  return null;
}

/** When the window closes in which a slot may wait; null: it does not wait, or the window never closes. */
function closedAfter(slot: Date, { backupWindow, intelligentScheduling }: ExpectationSettings, zone: string): Date | null {
  if (!intelligentScheduling) return null;
  const { open, closesAt, opensAt } = windowState(backupWindow, zone, slot);
  return open ? closesAt : windowState(backupWindow, zone, opensAt).closesAt;
}

/** How many of its last occurrences tell how far apart a schedule's are. */
const sampled = 32;

/** The longest time between two of a schedule's last occurrences, ms: over a weekend, when it runs on working days. */
export function longestInterval(timed: Timed, zone: string, now: Date): number {
  const times = occurrencesOf(timed, zone)
    .previous(sampled, now)
    .map((run) => run.getTime());
  return times.slice(1).reduce((longest, time, index) => Math.max(longest, (times[index] ?? time) - time), 0);
}
