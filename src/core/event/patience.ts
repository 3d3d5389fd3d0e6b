/**
 * core: what becomes of an event whose conditions do not hold: it stays pending, or it ends by its schedule's policy.
 */
import { Failure } from '../../model/errors.js';
import type { BackupEvent } from '../../model/events/event.js';
import type { Schedule } from '../../model/settings/settings.js';
import type { Context } from '../context.js';
import { notNow, type Outcome } from './outcome.js';
import { cancelled, failed, record } from './record.js';
import { minuteOf } from '../../model/moment/minute.js';

/** The event stays pending until a moment, tried again by later runs; what to do then. */
export interface Patience {
  readonly until: Date;
  readonly policy: Schedule['onDeadline'];
}

/** Monotonic ms until which this process waits; null: nobody waits. */
export type Wait = number | null | Patience;

export const isPatience = (wait: Wait): wait is Patience => typeof wait === 'object' && wait !== null;

interface Unmet {
  readonly event: BackupEvent;
  readonly reasons: readonly string[];
  /** No waiting helps. */
  readonly hopeless: boolean;
}

/** What is waited for, without the figures that change from look to look. */
const waitsFor = (reasons: readonly string[] = []): string => reasons.map((reason) => reason.split(':', 1)[0]).join();

/** Records the reasons once each time that something else is waited for, not at each look. */
export const told = async (context: Context, event: BackupEvent, reasons: readonly string[]): Promise<BackupEvent> =>
  waitsFor(event.reasons) === waitsFor(reasons) ? event : record(context, { ...event, reasons });

/** Ends an event whose conditions do not hold, or leaves it pending while it may wait. */
export async function refrain(context: Context, { event, reasons, hopeless }: Unmet, wait: Wait): Promise<Outcome> {
  if (hopeless || !isPatience(wait))
    return { event: await cancelled(context, event, reasons), failure: notNow(event, reasons), retry: null };
  if (context.clock.now() < wait.until) {
    const waiting = await told(context, event, reasons);
    return { event: waiting, failure: null, retry: null, isOld: waiting === event };
  }
  const late = [`deadline: its conditions did not hold until ${minuteOf(wait.until)}`, ...reasons];
  if (wait.policy !== 'fail') return { event: await cancelled(context, event, late), failure: notNow(event, late), retry: null };
  const failure = new Failure('failed', `${event.database}: not backed up: ${late.join('; ')}`, {
    hint: 'its schedule says `onDeadline: fail`',
  });
  return { event: await failed(context, event, failure, 0), failure, retry: null };
}
