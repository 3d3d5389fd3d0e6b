/**
 * core: backups that are asked for now and made by whoever has time: their events are opened at once, so that who asked can follow
 * them, and outlive the process: what it does not come to, `execute --due` makes.
 */
import type { BackupEvent } from '../../model/events/event.js';
import { msPerDay } from '../../model/units.js';
import type { Context } from '../context.js';
import { makePlan } from './plan.js';
import { summarize } from './outcome.js';
import { openAskedEvent } from './record.js';
import { resume } from '../execute.js';
import type { Executed, ExecuteRequest } from './request.js';
import type { Sight } from '../history/liveness.js';
import { andNotify } from '../notify.js';
import { withLastResort } from '../notify/direct.js';

export interface AskedRequest extends Omit<ExecuteRequest, 'wait' | 'jobs'> {
  /** `<key>.<content>`: tells that it is the same request again; see `findAsked`. */
  readonly requestKey?: string;
}

/** One pending event a database; of an entry whose server does not answer, one for all. Throws `not-found` naming the nearest. */
export async function openAsked(context: Context, request: AskedRequest): Promise<BackupEvent[]> {
  const { targets } = await makePlan(context, request);
  const events: BackupEvent[] = [];
  for (const target of targets)
    events.push(await openAskedEvent(context, request, 'failure' in target ? target.entry : target.database.name));
  return events;
}

/** Makes the backup of one, unless another process does. Alerts come last. */
export const runAsked = (context: Context, event: BackupEvent): Promise<Executed> =>
  withLastResort(context, () =>
    andNotify(context, async () => {
      const outcomes = await resume(context, event, null);
      const events = outcomes.map((one) => one.event);
      return { events, news: events, failure: summarize(outcomes) };
    }),
  );

/** The events that a request with this key opened within a day, as they are now, in their order. */
export async function findAsked({ ledger, clock }: Sight & Pick<Context, 'clock'>, key: string): Promise<BackupEvent[]> {
  const earliest = new Date(clock.now().getTime() - msPerDay).toISOString();
  const ids: string[] = [];
  for await (const { record } of ledger.readBackwards()) {
    if (record.at < earliest) break;
    // a retry has the same key, and was not asked for
    if (record.record === 'event' && record.step === 0 && record.attempt === 1 && record.requestKey?.startsWith(`${key}.`))
      ids.unshift(record.id);
  }
  const found = await Promise.all(ids.map((id) => ledger.find(id)));
  return found.filter((event) => event !== null);
}
