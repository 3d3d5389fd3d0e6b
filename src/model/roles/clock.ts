/**
 * model: the Clock role. Decisions take `now` as an argument; only `system/clock` asks the machine.
 */

export interface Clock {
  now(): Date;
  /** Milliseconds since some moment, never going back; for durations. */
  monotonic(): number;
  /** Resolves after `ms` (any length, clamped safely), rejects when the signal aborts. */
  sleep(ms: number, signal?: AbortSignal): Promise<void>;
}
