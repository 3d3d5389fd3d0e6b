/**
 * model: the backup window, two times of day in a zone, both minutes inside. Knows no clock: `now` is an argument.
 */
import { msPerMinute } from '../units.js';
import type { BackupWindow } from '../settings/settings.js';

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
export const localZone = (): string => Intl.DateTimeFormat().resolvedOptions().timeZone;

/** `HH:mm` of a moment in an IANA zone. */
export const timeOfDay = (now: Date, zone: string): string => formatOf(zone).format(now);

/** Whether a time of day (`HH:mm`) lies inside; equal ends are always open, a start after the end crosses midnight. */
export function isInside({ start, end }: BackupWindow, time: string): boolean {
  if (start === end) return true;
  return start < end ? start <= time && time <= end : time >= start || time <= end;
}

/** Longer than any day, with its hours put forward or back: a window that a clock change swallows opens the day after. */
const horizon = 50 * 60;

/**
 * The window's state at a moment. Exact across changes of the clock: what counts is the time of day that the wall shows, minute by
 * minute, so that a swallowed hour opens nothing and a repeated one opens twice.
 */
export function windowState(window: BackupWindow, zone: string, now: Date): WindowState {
  const open = isInside(window, timeOfDay(now, zone));
  if (window.start === window.end) return { open, closesAt: null, opensAt: now };
  const change = changeAfter(window, zone, now, open);
  return open ? { open, closesAt: change, opensAt: now } : { open, closesAt: null, opensAt: change ?? now };
}

/** The first minute after `now` in which the window is in the other state. */
function changeAfter(window: BackupWindow, zone: string, now: Date, open: boolean): Date | null {
  const minute = Math.floor(now.getTime() / msPerMinute);
  for (let ahead = 1; ahead <= horizon; ahead += 1) {
    const moment = new Date((minute + ahead) * msPerMinute);
    if (isInside(window, timeOfDay(moment, zone)) !== open) return moment;
  }
  return null;
}

/** The newest moment, not after `now`, at which the window closed; null for one that never does. */
export function lastClosed(window: BackupWindow, zone: string, now: Date): Date | null {
  if (window.start === window.end) return null;
  const minute = Math.floor(now.getTime() / msPerMinute);
  const openAt = (at: number): boolean => isInside(window, timeOfDay(new Date(at * msPerMinute), zone));
  for (let back = 0; back <= horizon; back += 1)
    if (!openAt(minute - back) && openAt(minute - back - 1)) return new Date((minute - back) * msPerMinute);
  return null;
}
