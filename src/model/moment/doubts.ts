/**
 * model: whether a clock is to be doubted: it was set while something ran, or tells what cannot be. Knows no clock: it is told.
 */
import { formatDuration, msPerMinute } from '../units.js';
import { minuteOf } from './minute.js';

/** Before this tool was written no machine can have run it. */
const earliest = Date.UTC(2025, 0, 1);

/** A sentence where the moment cannot be, and nothing otherwise. */
export const impossible = (now: Date): string[] =>
  now.getTime() < earliest ? [`it is ${minuteOf(now)} by the clock of this machine, which cannot be`] : [];

/** Less is a clock that is kept right. */
const least = 2 * msPerMinute;

/**
 * A sentence when it was set, and nothing otherwise. A machine that slept looks the same. Both are how far the wall clock was before the
 * one that only counts, ms.
 */
export function clockJump(before: number, now: number): string[] {
  const jump = now - before;
  if (Math.abs(jump) < least) return [];
  const way = jump > 0 ? 'forward' : 'back';
  return [
    `the clock was set ${way} by ${formatDuration(Math.abs(jump))} during this backup, or the machine slept: nothing is removed after it`,
  ];
}
