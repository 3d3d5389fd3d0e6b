/**
 * model: by when a schedule should have made its backup, told by its own times. Knows no clock, starts no timer.
 */
import type { Schedule, Settings } from '../settings/settings.js';
import { msPerMinute } from '../units.js';
import { occurrencesOf, type Timed } from '../moment/occurrences.js';
import { lastClosed, localZone } from '../moment/window.js';

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

/** Whether the last good backup (null: there is none) is older than the schedule lets expect. */
export function isOverdue(expectation: Expectation, lastGood: Date | null, beginning: Date | null, now: Date): boolean {
  const { slot, interval } = expectation;
  // before anything was known of the schedule nothing could be missed
  if (lastGood === null) return beginning !== null && beginning <= slot;
  const forSlot = lastGood.getTime() >= slot.getTime() - Math.min(early, interval / 4);
  return !forSlot && now.getTime() - lastGood.getTime() > interval + grace;
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
