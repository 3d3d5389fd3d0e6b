/**
 * core: `execute --due` runs the retries whose time has come; cheap when none has.
 */
import { asFailure } from '../model/errors.js';
import type { BackupEvent } from '../model/event.js';
import type { Context } from './context.js';
import { dueRetries } from './due-retries.js';
import { attempt, type Executed } from './execute.js';
import { summarize, type Outcome } from './outcome.js';
import { makePlan } from './plan.js';
import { failed } from './record.js';

/** What is due, done. */
export async function executeDue(context: Context): Promise<Executed> {
  const outcomes: Outcome[] = [];
  for (const event of await dueRetries(context)) {
    if (context.signal.aborted) break;
    outcomes.push(await retry(context, event));
  }
  const stopped = context.signal.aborted ? asFailure(context.signal.reason, 'interrupted') : null;
  return { events: outcomes.map(({ event }) => event), failure: stopped ?? summarize(outcomes) };
}

/** A retry whose database or schedule is no longer configured fails for good. */
async function retry(context: Context, event: BackupEvent): Promise<Outcome> {
  try {
    const plan = await makePlan(context, event);
    const [target] = plan.targets;
    if (target && 'database' in target) return await attempt(context, plan, target.database, event, null);
    throw target?.failure ?? new Error(`${event.database} is no longer configured`);
  } catch (error) {
    const failure = asFailure(error, 'configuration');
    if (failure.code === 'ledger') throw failure;
    return { event: await failed(context, event, failure, 0), failure, retry: null };
  }
}
