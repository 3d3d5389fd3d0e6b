/**
 * core: the retry of a failed event: left pending for whoever comes by, or waited for in this process.
 */
import type { Failure } from '../../model/errors.js';
import type { BackupEvent } from '../../model/events/event.js';
import { decideRetry } from '../../model/events/retry.js';
import { minuteOf } from '../../model/moment/minute.js';
import type { Context } from '../context.js';
import { atEnd, notify } from '../notify.js';

/** When to try again, as the event will say; empty where repeating cannot help. */
export function whenAgain(context: Context, { attempt }: BackupEvent, failure: Failure): Pick<BackupEvent, 'retryAt'> {
  const decision = decideRetry(context.settings, attempt, failure, context.clock.now(), context.random());
  return decision ? { retryAt: decision.notBefore.toISOString() } : {};
}

/** Sleeps until a retry's time; false when that is later than `deadline`, monotonic ms. */
export async function awaitRetry(context: Context, retry: BackupEvent, deadline: number): Promise<boolean> {
  const notBefore = retry.notBefore ?? retry.timestamp;
  const pause = Date.parse(notBefore) - context.clock.now().getTime();
  if (context.clock.monotonic() + pause > deadline || context.signal.aborted) return false;
  const detail = `attempt ${retry.attempt} at ${minuteOf(notBefore)}`;
  context.announce({ kind: 'step', step: 'retry', database: retry.database, detail });
  await notify(context, atEnd);
  await context.clock.sleep(Math.max(0, pause), context.signal).catch(() => {});
  return !context.signal.aborted;
}
