/**
 * model: the backup window, two times of day in a zone, both minutes inside. Knows no clock: `now` is an argument.
 */
import type { BackupWindow } from '../settings/settings.js';
import { msPerMinute } from '../units.js';
import { clockChanges, wallText, type ClockChange } from './wall.js';

export interface WindowState {
  readonly open: boolean;
  /** When it is closed again, the first moment outside; null when it is closed now, or never closes. */
  readonly closesAt: Date | null;
  /** When it opens next, now when it is open. */
  readonly opensAt: Date;
}

const formats = new Map<string, Intl.DateTimeFormat>();

/** The zone's wall clock, one formatter a zone: making one is slow. Throws RangeError for an unknown zone. */
function formatOf(zone: string): Intl.DateTimeFormat {
  const known = formats.get(zone);
  if (known) return known;
  const made = new Intl.DateTimeFormat('en-GB', { timeZone: zone, hourCycle: 'h23', hour: '2-digit', minute: '2-digit' });
  formats.set(zone, made);
  return made;
}

/** The machine's own zone, for where none is configured. */
export const localZone = (): string => Intl.DateTimeFormat().resolvedOptions().timeZone || 'UTC'; // none where TZ names none that there is

/** `HH:mm` of a moment in an IANA zone. */
export const timeOfDay = (now: Date, zone: string): string => formatOf(zone).format(now);

/** Whether a time of day (`HH:mm`) lies inside; equal ends are always open, a start after the end crosses midnight. */
export function isInside({ start, end }: BackupWindow, time: string): boolean {
  if (start === end) return true;
  return start < end ? start <= time && time <= end : time >= start || time <= end;
}

/** Longer than any day, with its hours put forward or back. */
const horizon = 50 * 60 * msPerMinute;

/** No gap that is looked back for is longer; Samoa's left-out day is none, since each time of day was shown on the days around it. */
const longestGap = 3 * 60 * msPerMinute;

/** A slot that the clock skips runs at the first minute behind the gap: there its window is open, and for as long as it would have been. */
function isOwed(window: BackupWindow, { at, from, until }: ClockChange, moment: number): boolean {
  const passed = Math.floor((moment - at) / msPerMinute) * msPerMinute;
  if (passed < 0 || until - from > longestGap) return false;
  for (let wall = from + passed; wall < until; wall += msPerMinute) if (isInside(window, wallText(wall).slice(11))) return true;
  return false;
}

/** Tells of moments between two whether the window is open: what counts is the time of day that the wall shows, or has just skipped. */
function look(window: BackupWindow, zone: string, from: number, until: number): (moment: number) => boolean {
  const gaps = clockChanges(zone, from - longestGap, until + msPerMinute).filter(({ kind }) => kind === 'skipped');
  return (moment) => isInside(window, timeOfDay(new Date(moment), zone)) || gaps.some((gap) => isOwed(window, gap, moment));
}

/** The window's state at a moment, exact to the minute: one that the clock skips is open right behind the gap, one that it repeats twice. */
export function windowState(window: BackupWindow, zone: string, now: Date): WindowState {
  if (window.start === window.end) return { open: true, closesAt: null, opensAt: now };
  const first = Math.floor(now.getTime() / msPerMinute) * msPerMinute;
  const isOpen = look(window, zone, first, first + horizon);
  const open = isOpen(now.getTime());
  for (let moment = first + msPerMinute; moment <= first + horizon; moment += msPerMinute)
    if (isOpen(moment) !== open)
      return open ? { open, closesAt: new Date(moment), opensAt: now } : { open, closesAt: null, opensAt: new Date(moment) };
  return { open, closesAt: null, opensAt: now };
}

/** The newest moment, not after `now`, at which the window closed; null for one that never does. */
export function lastClosed(window: BackupWindow, zone: string, now: Date): Date | null {
  if (window.start === window.end) return null;
  const last = Math.floor(now.getTime() / msPerMinute) * msPerMinute;
  const isOpen = look(window, zone, last - horizon, last);
  for (let moment = last; moment >= last - horizon; moment -= msPerMinute)
    if (!isOpen(moment) && isOpen(moment - msPerMinute)) return new Date(moment);
  return null;
}
