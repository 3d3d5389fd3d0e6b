/**
 * model: whether the clock was set while something ran. Knows no clock: it is told how far the wall clock was before the one that only
 * counts, then and now.
 */
import { formatDuration, msPerMinute } from '../units.js';

/** Less is a clock that is kept right. */
const least = 2 * msPerMinute;

/** A sentence when it was set, and nothing otherwise. A machine that slept looks the same. Both in ms. */
export function clockJump(before: number, now: number): string[] {
  const jump = now - before;
  if (Math.abs(jump) < least) return [];
  const way = jump > 0 ? 'forward' : 'back';
  return [
    `the clock was set ${way} by ${formatDuration(Math.abs(jump))} during this backup, or the machine slept: nothing is removed after it`,
  ];
}
