/**
 * system: the machine's clock, the only place that asks for the time; it never decides what the time means.
 */
import { setTimeout as delay } from 'node:timers/promises';
import type { Clock } from '../model/roles/clock.js';

/** The longest that a timer of Node takes, ms; a longer one would fire at once. */
const longestTimer = 2 ** 31 - 1;

async function sleep(ms: number, signal?: AbortSignal): Promise<void> {
  const end = performance.now() + ms;
  for (let left = ms; left > 0; left = end - performance.now()) {
    try {
      await delay(Math.min(left, longestTimer), undefined, signal ? { signal } : {});
    } catch (error) {
      signal?.throwIfAborted();
      throw error;
    }
  }
  signal?.throwIfAborted();
}

export const systemClock: Clock = {
  now: () => new Date(),
  monotonic: () => performance.now(),
  sleep,
};
