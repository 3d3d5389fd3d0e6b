/**
 * core: what `execute --due` would do now. Looks only, at little more than the ledger's newest lines: it is asked every minute.
 */
import type { BackupEvent } from '../../model/events/event.js';
import { msPerDay } from '../../model/units.js';
import type { Context } from '../context.js';
import { listEvents } from '../history/events.js';
import { isAnyCopyDue } from './owed-copies.js';
import { candidates, type Sight } from '../history/liveness.js';

type DueSight = Sight & Pick<Context, 'clock'>;

/** No retry waits longer than this, see `model/retry`. */
const longestWait = 31 * msPerDay;

/** Pending retries whose `notBefore` is past, oldest first. */
export async function dueRetries(sight: DueSight): Promise<BackupEvent[]> {
  const now = sight.clock.now();
  const { events } = await listEvents(sight, { status: 'pending', limit: 500, since: new Date(now.getTime() - longestWait) });
  return events.filter(({ notBefore }) => notBefore !== undefined && Date.parse(notBefore) <= now.getTime()).toReversed();
}

/** Whether there is neither a retry to run, nor an event that may have died, nor a copy to be made. */
export const isNothingDue = async (sight: DueSight): Promise<boolean> =>
  (await candidates(sight)).length === 0 && (await dueRetries(sight)).length === 0 && !(await isAnyCopyDue(sight));
