/**
 * core: `execute`, top to bottom: a request becomes one event a database, and each event one backup or one reason.
 */
import type { Database } from '../model/roles/engine.js';
import { asFailure, Failure } from '../model/errors.js';
import type { BackupEvent, EventType, PassedCondition } from '../model/events/event.js';
import { decideRetry, expandedReason } from '../model/events/retry.js';
import { clockJump } from '../model/moment/jump.js';
import { redact } from '../model/redact.js';
import { backUp } from './backup/backup.js';
import { causeOf } from './backup/cause.js';
import { mendCopies } from './copies.js';
import { whileClaimed, withClaim } from './event/claim.js';
import { elapsed, type Context } from './context.js';
import { doneElsewhere } from './event/elsewhere.js';
import { equalBackup } from './event/unchanged.js';
import { observe } from './observe.js';
import { awaitConditions } from './event/gate.js';
import { isPatience, refrain, type Wait } from './event/patience.js';
import { makePlan, type Plan, type PlanTarget } from './event/plan.js';
import { andNotify, atEnd, notify } from './notify.js';
import { beat } from './notify/beat.js';
import { withLastResort } from './notify/direct.js';
import { makeRoom, pruneAfter } from './prune.js';
import { shortfall, summarize, type Outcome } from './event/outcome.js';
import { cancelled, completed, failed, openEvent, openPart, record, retryOf, unchanged } from './event/record.js';
import { minuteOf } from '../model/moment/minute.js';

export interface ExecuteRequest {
  readonly scheduleId?: string;
  /** One entry of `databases`, or one member of a cluster. */
  readonly database?: string;
  readonly type: EventType;
  readonly trigger: string;
  readonly passBy: readonly PassedCondition[];
  /** Processes that dump at once, whatever the schedule says. */
  readonly jobs?: number;
  /** How long to wait for conditions and to do retries in this process, ms; null: not at all. */
  readonly wait: number | null;
}

export interface Executed {
  readonly events: readonly BackupEvent[];
  /** Those of which there is something new to tell. */
  readonly news: readonly BackupEvent[];
  /** What went wrong, with the exit code; null when everything went well. */
  readonly failure: Failure | null;
}

/** Backs up every database of the request, one after the other; the failure of one does not stop the rest. Alerts come last. */
export const execute = (context: Context, request: ExecuteRequest): Promise<Executed> =>
  withLastResort(context, () => andNotify(context, () => executeAll(context, request)));

async function executeAll(context: Context, request: ExecuteRequest): Promise<Executed> {
  const plan = await makePlan(context, request);
  const deadline = request.wait === null ? null : context.clock.monotonic() + request.wait;
  const outcomes: Outcome[] = [];
  for (const target of plan.targets) {
    if (context.signal.aborted) break;
    outcomes.push(...(await persist(context, request, plan, target, deadline)));
  }
  if (request.type !== 'emergency') await mendBefore(context, outcomes);
  const stopped = context.signal.aborted ? asFailure(context.signal.reason, 'interrupted') : null;
  const events = outcomes.map(({ event }) => event);
  return { events, news: events, failure: stopped ?? summarize(outcomes) };
}

/** After a good backup: the copies that earlier ones lack. What fails is tried again later, and is nothing against this one. */
async function mendBefore(context: Context, outcomes: readonly Outcome[]): Promise<void> {
  if (context.signal.aborted || !outcomes.some(({ event }) => event.status === 'completed')) return;
  const except = new Set(outcomes.flatMap(({ event }) => event.missing ?? []));
  for (const { storage, failure } of (await mendCopies(context, { except })).problems)
    context.log('warn', `storage "${storage}" lacks a copy still: ${failure.message}`);
}

/** One database, or an entry whose server did not answer, with its retries when this process waits for them. */
async function persist(
  context: Context,
  request: ExecuteRequest,
  plan: Plan,
  target: PlanTarget,
  deadline: number | null,
): Promise<Outcome[]> {
  const id = context.newId();
  const first = await withClaim(
    context,
    id,
    async () => {
      const event = await openEvent(context, id, request, 'failure' in target ? target.entry : target.database.name);
      return 'failure' in target ? conclude(context, event, target.failure, 0) : work(context, plan, target.database, event, deadline);
    },
    wentWell,
  );
  const outcomes = [first];
  if (deadline === null) return outcomes;
  for (const last of outcomes) {
    if (!last.retry || !(await awaitRetry(context, last.retry, deadline))) continue;
    outcomes.push(...(await resume(context, last.retry, deadline)));
  }
  return outcomes;
}

/** Sleeps until a retry's time; false when that is too late. */
async function awaitRetry(context: Context, retry: BackupEvent, deadline: number): Promise<boolean> {
  const pause = Date.parse(retry.notBefore ?? retry.timestamp) - context.clock.now().getTime();
  if (context.clock.monotonic() + pause > deadline || context.signal.aborted) return false;
  const detail = `attempt ${retry.attempt} at ${minuteOf(retry.notBefore ?? retry.timestamp)}`;
  context.announce({ kind: 'step', step: 'retry', database: retry.database, detail });
  await notify(context, atEnd);
  await context.clock.sleep(Math.max(0, pause), context.signal).catch(() => {});
  return !context.signal.aborted;
}

/**
 * Works on an event that was opened before: a retry, a slot's. One of a whole entry is replaced by one for each of its databases.
 * None when another process works on it, or ended it.
 */
export async function resume(context: Context, event: BackupEvent, wait: Wait): Promise<Outcome[]> {
  const plan = await makePlan(context, event).catch((error: unknown) => asFailure(error, 'configuration'));
  const parts: BackupEvent[] = [];
  const outcome = await whileClaimed(
    context,
    event.id,
    async (): Promise<Outcome | Skipped> => {
      const found = await context.ledger.find(event.id);
      if (found?.status !== 'pending') return { skipped: true };
      const ours = { ...found, ...(event.passBy && { passBy: event.passBy }), host: context.process.host, pid: context.process.pid };
      if (plan instanceof Failure) return { event: await failed(context, ours, plan, 0), failure: plan, retry: null };
      const [target] = plan.targets;
      if (target && 'failure' in target) return conclude(context, ours, target.failure, 0);
      if (target?.database.name === event.database) return work(context, plan, target.database, ours, wait);
      parts.push(...(await divide(context, ours, plan)));
      return { skipped: true };
    },
    (result) => 'skipped' in result || wentWell(result),
  );
  if (outcome && !('skipped' in outcome)) return [outcome];
  const outcomes: Outcome[] = [];
  for (const part of parts) if (!context.signal.aborted) outcomes.push(...(await resume(context, part, wait)));
  return outcomes;
}

interface Skipped {
  readonly skipped: true;
}

/** A cluster whose databases had no events of their own yet, because its server did not answer. */
async function divide(context: Context, event: BackupEvent, { targets }: Plan): Promise<BackupEvent[]> {
  const names = targets.flatMap((target) => ('database' in target ? [target.database.name] : []));
  const parts: BackupEvent[] = [];
  for (const name of names) {
    const part = await openPart(context, event, name);
    if (part) parts.push(part);
  }
  await cancelled(context, event, [expandedReason(event.database)]);
  return parts;
}

/** Else something may still lie in a storage that is away. */
const wentWell = ({ event, failure }: Outcome): boolean => failure === null || event.status === 'pending';

/** One event from its opening to its end: the steps that `docs/reliability.md` tells. */
async function work(
  context: Context,
  plan: Pick<Plan, 'schedule' | 'storages' | 'jobs'>,
  database: Database,
  opened: BackupEvent,
  wait: Wait,
): Promise<Outcome> {
  let event = opened;
  const started = context.clock.monotonic();
  const offset = context.clock.now().getTime() - started;
  try {
    await makeRoom(context, plan.storages);
    const deadline = isPatience(wait) ? null : wait;
    const gate = await awaitConditions(context, { event, database, plan, passBy: new Set(event.passBy), deadline });
    ({ event } = gate);
    if ('reasons' in gate) return await refrain(context, gate, wait);
    try {
      const elsewhere = await doneElsewhere(context, event, plan.storages);
      if (elsewhere) return { event: await cancelled(context, event, [elsewhere]), failure: null, retry: null };
      event = await record(context, { ...event, status: 'running', ...warned({}, gate.warnings) });
      beat(context, event, { phase: 'start' });
      const { healthIssues, neededBytes } = gate;
      const mark = await context.engine.mark(database).catch(() => null);
      const equal = await equalBackup(context, { event, plan, healthIssues, mark });
      if (equal) {
        event = await unchanged(context, event, equal, elapsed(context, started));
        beat(context, event, { phase: 'success' });
        return { event, failure: null, retry: null };
      }
      const request = { event, database, plan, healthIssues, neededBytes, mark };
      const deed = (watched: Context) => backUp(watched, request);
      const made = await observe(context, request, deed, (impact) => (event = { ...event, impact })).catch(async (error: unknown) => {
        throw await causeOf(context, database, error);
      });
      const jump = clockJump(offset, context.clock.now().getTime() - context.clock.monotonic());
      event = await completed(
        context,
        { ...event, ...warned(event, [...gate.place.troubles(), ...jump]) },
        made,
        elapsed(context, started),
      );
      beat(context, event, { phase: 'success' });
      const pruned = jump.length > 0 ? null : await pruneAfter(context, event, plan.storages);
      return { event, failure: shortfall(context.settings, event, made) ?? pruned, retry: null };
    } finally {
      await gate.place.release();
    }
  } catch (error) {
    return conclude(context, event, asFailure(error), elapsed(context, started));
  }
}

/** Warnings beside those that an event has. */
const warned = ({ warnings = [] }: Pick<BackupEvent, 'warnings'>, more: readonly string[]): Pick<BackupEvent, 'warnings'> =>
  warnings.length + more.length > 0 ? { warnings: [...warnings, ...more] } : {};

/** Closes a failed event and leaves its retry, when repeating can help. */
async function conclude(context: Context, event: BackupEvent, failure: Failure, duration: number): Promise<Outcome> {
  if (failure.code === 'ledger') throw failure;
  if (context.signal.aborted) {
    const reason = asFailure(context.signal.reason, 'interrupted');
    return { event: await cancelled(context, event, [reason.message], duration), failure: reason, retry: null };
  }
  const decision = decideRetry(context.settings, event.attempt, failure, context.clock.now(), context.random());
  const closed = await failed(context, { ...event, ...(decision && { retryAt: decision.notBefore.toISOString() }) }, failure, duration);
  const retry = await retryOf(context, closed);
  beat(context, closed, { phase: 'fail', exit: failure.exit, text: redact(failure.message) });
  return { event: closed, failure, retry };
}
