/**
 * core: how long an event has taken, and whether the wall clock was set meanwhile. It stops nothing.
 */
import { clockJump } from '../../model/moment/jump.js';
import { elapsed, type Context } from '../context.js';

export interface Stopwatch {
  /** Whole ms. */
  elapsed(): number;
  /** A sentence when the clock was set, and nothing otherwise. */
  jump(): string[];
}

export function startWatch(context: Pick<Context, 'clock'>): Stopwatch {
  const { clock } = context;
  const started = clock.monotonic();
  const offset = clock.now().getTime() - started;
  return {
    elapsed: () => elapsed(context, started),
    jump: () => clockJump(offset, clock.now().getTime() - clock.monotonic()),
  };
}
