/**
 * core: `execute --due` runs the retries whose time has come, and makes copies that are owed; cheap when none has.
 */
import type { Database } from '../model/roles/engine.js';
import { asFailure, Failure } from '../model/errors.js';
import type { BackupEvent } from '../model/events/event.js';
import type { Context } from './context.js';
import { mendOwed } from './due/copies.js';
import { dueRetries } from './due/retries.js';
import { attempt, execute, type Executed } from './execute.js';
import { summarize, type Outcome } from './event/outcome.js';
import { makePlan, type Plan } from './event/plan.js';
import { cancelled, failed } from './event/record.js';

/** What is due, done. */
export async function executeDue(context: Context): Promise<Executed> {
  const outcomes: Outcome[] = [];
  const failures: Failure[] = [];
  const events: BackupEvent[] = [];
  for (const event of await dueRetries(context)) {
    if (context.signal.aborted) break;
    const plan = await makePlan(context, event).catch((error: unknown) => asFailure(error, 'configuration'));
    if (plan instanceof Failure) outcomes.push(await giveUp(context, event, plan));
    else if (isMember(plan, event)) outcomes.push(await attempt(context, plan, plan.targets[0].database, event, null));
    else {
      const again = await expand(context, event);
      events.push(...again.events);
      if (again.failure) failures.push(again.failure);
    }
  }
  const mended = context.signal.aborted ? null : await mendOwed(context);
  const stopped = context.signal.aborted ? asFailure(context.signal.reason, 'interrupted') : null;
  const failure = stopped ?? summarize(outcomes) ?? failures[0] ?? mended;
  return { events: [...outcomes.map(({ event }) => event), ...events], failure };
}

type Single = Plan & { readonly targets: readonly [{ readonly database: Database }] };

/** Whether the plan is exactly the event's one database. */
function isMember(plan: Plan, event: BackupEvent): plan is Single {
  const [target, another] = plan.targets;
  return target !== undefined && 'database' in target && !another && target.database.name === event.database;
}

/** A retry whose database or schedule is no longer configured fails for good. */
async function giveUp(context: Context, event: BackupEvent, failure: Failure): Promise<Outcome> {
  return { event: await failed(context, event, failure, 0), failure, retry: null };
}

/** A cluster whose server did not answer at the first try, so that its databases had no events of their own. */
async function expand(context: Context, event: BackupEvent): Promise<Executed> {
  await cancelled(context, event, [`${event.database} is tried again, each of its databases by an event of its own`]);
  const { scheduleId, database, passBy = [] } = event;
  return execute(context, {
    ...(scheduleId === undefined ? {} : { scheduleId }),
    database,
    type: 'retry',
    trigger: 'retry',
    passBy,
    wait: null,
  });
}
