/**
 * core: how long an event has taken, and whether the wall clock is to be doubted. It stops nothing.
 */
import { clockJump, impossible } from '../../model/moment/doubts.js';
import { elapsed, type Context } from '../context.js';

export interface Stopwatch {
  /** Whole ms. */
  elapsed(): number;
  /** A sentence when the clock was set meanwhile, one when it tells what cannot be, and nothing otherwise. */
  doubts(): string[];
}

export function startWatch(context: Pick<Context, 'clock'>): Stopwatch {
  const { clock } = context;
  const started = clock.monotonic();
  const offset = clock.now().getTime() - started;
  return {
    elapsed: () => elapsed(context, started),
    doubts: () => {
      const now = clock.now();
      return [...clockJump(offset, now.getTime() - clock.monotonic()), ...impossible(now)];
    },
  };
}
