/**
 * core: `execute`, top to bottom: a request becomes one event a database, and each event one backup or one reason.
 */
import { asFailure, Failure } from '../model/errors.js';
import type { BackupEvent } from '../model/events/event.js';
import { redact } from '../model/redact.js';
import type { Database } from '../model/roles/engine/dump.js';
import { backUp } from './backup/backup.js';
import { tellCause } from './backup/cause.js';
import type { Context } from './context.js';
import { mendAfter } from './copies.js';
import { whileClaimed, withClaim } from './event/claim.js';
import { doneElsewhere } from './event/elsewhere.js';
import { awaitConditions } from './event/gate.js';
import { shortfall, summarize, type Outcome } from './event/outcome.js';
import { isPatience, refrain, type Wait } from './event/patience.js';
import { makePlan, type Plan, type PlanTarget } from './event/plan.js';
import { cancelled, completed, divide, failed, openEvent, retryOf, running, unchanged } from './event/record.js';
import type { Executed, ExecuteRequest } from './event/request.js';
import { awaitRetry, whenAgain } from './event/retry.js';
import { startWatch } from './event/stopwatch.js';
import { equalBackup } from './event/unchanged.js';
import { andNotify } from './notify.js';
import { beat } from './notify/beat.js';
import { withLastResort } from './notify/direct.js';
import { observe } from './observe.js';
import { makeRoom, pruneAfter } from './prune.js';

/** Backs up every database of the request, one after the other; the failure of one does not stop the rest. Alerts come last. */
export const execute = (context: Context, request: ExecuteRequest): Promise<Executed> =>
  withLastResort(context, () => andNotify(context, () => executeAll(context, request)));

async function executeAll(context: Context, request: ExecuteRequest): Promise<Executed> {
  const plan = await makePlan(context, request);
  const deadline = request.wait === null ? null : context.clock.monotonic() + request.wait;
  const outcomes: Outcome[] = [];
  for (const target of plan.targets) {
    if (context.signal.aborted) break;
    const first = await begin(context, request, plan, target, deadline);
    outcomes.push(...(deadline === null ? [first] : await withRetries(context, first, deadline)));
  }
  if (request.type !== 'emergency') await mendAfter(context, outcomes);
  const stopped = context.signal.aborted ? asFailure(context.signal.reason, 'interrupted') : null;
  const events = outcomes.map(({ event }) => event);
  return { events, news: events, failure: stopped ?? summarize(outcomes) };
}

/** Opens the event of one database, or of an entry whose server did not answer, and works on it. */
async function begin(context: Context, request: ExecuteRequest, plan: Plan, target: PlanTarget, wait: Wait): Promise<Outcome> {
  const id = context.newId();
  const name = 'failure' in target ? target.entry : target.database.name;
  const deed = async () => attempt(context, plan, target, await openEvent(context, id, request, name), wait);
  return withClaim(context, id, deed, isClean);
}

/** Else something may still lie in a storage that is away. */
const isClean = ({ event, failure }: Outcome): boolean => failure === null || event.status === 'pending';

const attempt = (context: Context, plan: Plan, target: PlanTarget, event: BackupEvent, wait: Wait): Promise<Outcome> =>
  'failure' in target ? conclude(context, event, target.failure, 0) : work(context, plan, target.database, event, wait);

/** One event from its opening to its end: the steps that `docs/reliability.md` tells. */
async function work(context: Context, plan: Plan, database: Database, opened: BackupEvent, wait: Wait): Promise<Outcome> {
  let event = opened;
  const watch = startWatch(context);
  try {
    await makeRoom(context, plan.storages);
    const deadline = isPatience(wait) ? null : wait;
    const gate = await awaitConditions(context, { event, database, plan, passBy: new Set(event.passBy), deadline });
    ({ event } = gate);
    if ('reasons' in gate) return await refrain(context, gate, wait);
    try {
      const elsewhere = await doneElsewhere(context, event, plan.storages);
      if (elsewhere) return { event: await cancelled(context, event, [elsewhere]), failure: null, retry: null };
      event = await running(context, event, gate.warnings);
      beat(context, event, { phase: 'start' });

      const { healthIssues, neededBytes } = gate;
      const mark = await context.engine.mark(database).catch(() => null);
      const request = { event, database, plan, healthIssues, neededBytes, mark };
      const equal = await equalBackup(context, request);
      if (equal) {
        event = await unchanged(context, event, equal, watch.elapsed());
        beat(context, event, { phase: 'success' });
        return { event, failure: null, retry: null };
      }
      const deed = (watched: Context) => backUp(watched, request);
      const made = await observe(context, request, deed, (impact) => (event = { ...event, impact })).catch(tellCause(context, database));

      const doubts = watch.doubts();
      event = await completed(context, event, { made, noticed: [...gate.place.troubles(), ...doubts], duration: watch.elapsed() });
      beat(context, event, { phase: 'success' });
      const pruned = doubts.length > 0 ? null : await pruneAfter(context, event, plan.storages);
      return { event, failure: shortfall(context.settings, event, made) ?? pruned, retry: null };
    } finally {
      await gate.place.release();
    }
  } catch (error) {
    return conclude(context, event, asFailure(error), watch.elapsed());
  }
}

/** Closes a failed event and leaves its retry, when repeating can help. */
async function conclude(context: Context, event: BackupEvent, failure: Failure, duration: number): Promise<Outcome> {
  if (failure.code === 'ledger') throw failure;
  if (context.signal.aborted) {
    const reason = asFailure(context.signal.reason, 'interrupted');
    return { event: await cancelled(context, event, [reason.message], duration), failure: reason, retry: null };
  }
  const closed = await failed(context, { ...event, ...whenAgain(context, event, failure) }, failure, duration);
  const retry = await retryOf(context, closed);
  beat(context, closed, { phase: 'fail', exit: failure.exit, text: redact(failure.message) });
  return { event: closed, failure, retry };
}

/** Waits here for the retries of an attempt, one after the other, while there is time. */
async function withRetries(context: Context, first: Outcome, deadline: number): Promise<Outcome[]> {
  const outcomes = [first];
  for (const { retry } of outcomes)
    if (retry && (await awaitRetry(context, retry, deadline))) outcomes.push(...(await resume(context, retry, deadline)));
  return outcomes;
}

/**
 * Works on an event that was opened before: a retry, a slot's. One of a whole entry is replaced by one for each of its databases.
 * None when another process works on it, or ended it.
 */
export async function resume(context: Context, event: BackupEvent, wait: Wait): Promise<Outcome[]> {
  const plan = await makePlan(context, event).catch((error: unknown) => asFailure(error, 'configuration'));
  let parts: readonly BackupEvent[] = [];
  const deed = async (): Promise<Outcome[]> => {
    const found = await context.ledger.find(event.id);
    if (found?.status !== 'pending') return [];
    const ours = { ...found, ...(event.passBy && { passBy: event.passBy }), host: context.process.host, pid: context.process.pid };
    if (plan instanceof Failure) return [{ event: await failed(context, ours, plan, 0), failure: plan, retry: null }];
    const [target] = plan.targets;
    if (target && ('failure' in target || target.database.name === event.database))
      return [await attempt(context, plan, target, ours, wait)];
    const names = plan.targets.flatMap((one) => ('database' in one ? [one.database.name] : []));
    parts = await divide(context, ours, names);
    return [];
  };
  const outcomes = (await whileClaimed(context, event.id, deed, (ended) => ended.every(isClean))) ?? [];
  for (const part of parts) if (!context.signal.aborted) outcomes.push(...(await resume(context, part, wait)));
  return outcomes;
}
