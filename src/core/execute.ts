/**
 * core: `execute`, top to bottom: a request becomes one event a database, and each event one backup or one reason.
 */
import type { Database } from '../model/roles/engine.js';
import { asFailure, type Failure } from '../model/errors.js';
import type { BackupEvent, EventType, PassedCondition } from '../model/events/event.js';
import { decideRetry } from '../model/events/retry.js';
import { backUp } from './backup/backup.js';
import { mendCopies } from './copies.js';
import { withClaim } from './event/claim.js';
import { elapsed, type Context } from './context.js';
import { awaitConditions } from './event/gate.js';
import { makePlan, type Plan } from './event/plan.js';
import { makeRoom, pruneAfter } from './prune.js';
import { notNow, shortfall, summarize, type Outcome } from './event/outcome.js';
import { cancelled, completed, failed, openEvent, record, retryOf } from './event/record.js';

export interface ExecuteRequest {
  readonly scheduleId?: string;
  /** One entry of `databases`, or one member of a cluster. */
  readonly database?: string;
  readonly type: EventType;
  readonly trigger: string;
  readonly passBy: readonly PassedCondition[];
  /** How long to wait for conditions and to do retries in this process, ms; null: not at all. */
  readonly wait: number | null;
}

export interface Executed {
  readonly events: readonly BackupEvent[];
  /** What went wrong, with the exit code; null when everything went well. */
  readonly failure: Failure | null;
}

/** Backs up every database of the request, one after the other; the failure of one does not stop the rest. */
export async function execute(context: Context, request: ExecuteRequest): Promise<Executed> {
  const plan = await makePlan(context, request);
  const deadline = request.wait === null ? null : context.clock.monotonic() + request.wait;
  const outcomes: Outcome[] = [];
  for (const target of plan.targets) {
    if (context.signal.aborted) break;
    outcomes.push(
      ...('failure' in target
        ? [await refused(context, request, target)]
        : await persist(context, request, plan, target.database, deadline)),
    );
  }
  if (request.type !== 'emergency') await mendBefore(context, outcomes);
  const stopped = context.signal.aborted ? asFailure(context.signal.reason, 'interrupted') : null;
  return { events: outcomes.map(({ event }) => event), failure: stopped ?? summarize(outcomes) };
}

/** After a good backup: the copies that earlier ones lack. What fails is tried again later, and is nothing against this one. */
async function mendBefore(context: Context, outcomes: readonly Outcome[]): Promise<void> {
  if (context.signal.aborted || !outcomes.some(({ event }) => event.status === 'completed')) return;
  const except = new Set(outcomes.flatMap(({ event }) => event.missing ?? []));
  for (const { storage, failure } of (await mendCopies(context, { except })).problems)
    context.log('warn', `storage "${storage}" lacks a copy still: ${failure.message}`);
}

/** One database, with its retries when this process waits for them. */
async function persist(
  context: Context,
  request: ExecuteRequest,
  plan: Plan,
  database: Database,
  deadline: number | null,
): Promise<Outcome[]> {
  const id = context.newId();
  const first = await withClaim(
    context,
    id,
    async () => {
      const event = await openEvent(context, id, request, database.name);
      return work(context, plan, database, event, deadline);
    },
    wentWell,
  );
  const outcomes = [first];
  for (let last: Outcome | undefined = first; last?.retry && deadline !== null; last = outcomes.at(-1)) {
    const { retry } = last;
    const pause = Date.parse(retry.notBefore ?? retry.timestamp) - context.clock.now().getTime();
    if (context.clock.monotonic() + pause > deadline || context.signal.aborted) break;
    const detail = `attempt ${retry.attempt} at ${retry.notBefore}`;
    context.announce({ kind: 'step', step: 'retry', database: database.name, detail });
    await context.clock.sleep(Math.max(0, pause), context.signal).catch(() => {});
    if (context.signal.aborted) break;
    outcomes.push(await attempt(context, plan, database, retry, deadline));
  }
  return outcomes;
}

/** An event that was opened before, a retry. */
export async function attempt(
  context: Context,
  plan: Pick<Plan, 'schedule' | 'storages'>,
  database: Database,
  event: BackupEvent,
  deadline: number | null,
): Promise<Outcome> {
  return withClaim(context, event.id, () => work(context, plan, database, event, deadline), wentWell);
}

/** Else something may still lie in a storage that is away. */
const wentWell = ({ failure }: Outcome): boolean => failure === null;

/** One event from its opening to its end: the steps that `docs/reliability.md` tells. */
async function work(
  context: Context,
  plan: Pick<Plan, 'schedule' | 'storages'>,
  database: Database,
  opened: BackupEvent,
  deadline: number | null,
): Promise<Outcome> {
  let event = opened;
  const started = context.clock.monotonic();
  try {
    await makeRoom(context, plan.storages);
    const gate = await awaitConditions(context, { event, database, plan, passBy: new Set(event.passBy), deadline });
    ({ event } = gate);
    if ('reasons' in gate)
      return { event: await cancelled(context, event, gate.reasons), failure: notNow(event, gate.reasons), retry: null };
    try {
      event = await record(context, { ...event, status: 'running', ...(gate.warnings.length > 0 ? { warnings: gate.warnings } : {}) });
      const made = await backUp(context, { event, database, plan, healthIssues: gate.healthIssues, neededBytes: gate.neededBytes });
      event = await completed(context, event, made, elapsed(context, started));
      const pruned = await pruneAfter(context, event, plan.storages);
      return { event, failure: shortfall(context.settings, event, made) ?? pruned, retry: null };
    } finally {
      gate.place.release();
    }
  } catch (error) {
    return conclude(context, event, asFailure(error), elapsed(context, started));
  }
}

/** Closes a failed event and leaves its retry, when repeating can help. */
async function conclude(context: Context, event: BackupEvent, failure: Failure, duration: number): Promise<Outcome> {
  if (failure.code === 'ledger') throw failure;
  if (context.signal.aborted) {
    const reason = asFailure(context.signal.reason, 'interrupted');
    return { event: await cancelled(context, event, [reason.message], duration), failure: reason, retry: null };
  }
  const closed = await failed(context, event, failure, duration);
  const decision = decideRetry(context.settings, closed, failure.class, context.clock.now(), context.random());
  const retry = decision && (await retryOf(context, closed, decision.notBefore));
  return { event: closed, failure, retry };
}

/** A database that could not even be named, because its server did not answer. */
async function refused(context: Context, request: ExecuteRequest, target: { entry: string; failure: Failure }): Promise<Outcome> {
  const id = context.newId();
  return withClaim(context, id, async () => conclude(context, await openEvent(context, id, request, target.entry), target.failure, 0));
}
