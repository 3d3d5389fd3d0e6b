/**
 * core: `execute`, top to bottom: a request becomes one event a database, and each event one backup or one reason.
 */
import type { PassBy } from '../model/conditions.js';
import type { Database } from '../model/engine.js';
import { asFailure, Failure } from '../model/errors.js';
import type { BackupEvent, EventType } from '../model/event.js';
import { decideRetry } from '../model/retry.js';
import { backUp, type Made } from './backup.js';
import { elapsed, type Context } from './context.js';
import { awaitConditions } from './gate.js';
import { makePlan, type Plan } from './plan.js';
import { cancelled, completed, failed, openEvent, record, retryOf } from './record.js';

export interface ExecuteRequest {
  readonly scheduleId?: string;
  /** One entry of `databases`, or one member of a cluster. */
  readonly database?: string;
  readonly type: EventType;
  readonly trigger: string;
  readonly force: boolean;
  /** How long to wait for conditions and to do retries in this process, ms; null: not at all. */
  readonly wait: number | null;
}

export interface Executed {
  readonly events: readonly BackupEvent[];
  /** What went wrong, with the exit code; null when everything went well. */
  readonly failure: Failure | null;
}

/** What a forced or an emergency backup passes by. */
export function passBy(request: Pick<ExecuteRequest, 'force' | 'type'>): PassBy {
  if (request.force) return new Set(['window', 'load', 'health', 'disk']);
  return request.type === 'emergency' ? new Set(['window', 'load', 'health']) : new Set();
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
  return { events: outcomes.map(({ event }) => event), failure: summarize(outcomes, plan.targets.length) };
}

interface Outcome {
  readonly event: BackupEvent;
  readonly failure: Failure | null;
  /** The retry that was left pending, or is done by `--wait`. */
  readonly retry: BackupEvent | null;
}

/** One database, with its retries when this process waits for them. */
async function persist(
  context: Context,
  request: ExecuteRequest,
  plan: Plan,
  database: Database,
  deadline: number | null,
): Promise<Outcome[]> {
  const first = await openEvent(context, request, database.name);
  const outcomes = [await attempt(context, request, plan, database, first, deadline)];
  for (let last = outcomes[0]; last?.retry && deadline !== null; last = outcomes.at(-1)) {
    const pause = Date.parse(last.retry.notBefore ?? last.retry.timestamp) - context.clock.now().getTime();
    if (context.clock.monotonic() + pause > deadline || context.signal.aborted) break;
    context.announce({
      kind: 'step',
      step: 'retry',
      database: database.name,
      detail: `attempt ${last.retry.attempt} at ${last.retry.notBefore}`,
    });
    await context.clock.sleep(Math.max(0, pause), context.signal).catch(() => {});
    if (context.signal.aborted) break;
    outcomes.push(await attempt(context, request, plan, database, last.retry, deadline));
  }
  return outcomes;
}

/** One event from its opening to its end: the steps that `docs/reliability.md` tells. */
export async function attempt(
  context: Context,
  request: Pick<ExecuteRequest, 'force' | 'type'>,
  plan: Pick<Plan, 'schedule' | 'storages'>,
  database: Database,
  opened: BackupEvent,
  deadline: number | null,
): Promise<Outcome> {
  const alive = await context.locks.claimEvent(opened.id);
  if (!alive)
    return { event: opened, failure: new Failure('not-now', `event ${opened.id} is being worked on by another process`), retry: null };
  let event = opened;
  const started = context.clock.monotonic();
  try {
    const gate = await awaitConditions(context, { event, database, plan, passBy: passBy(request), deadline });
    ({ event } = gate);
    if ('reasons' in gate)
      return { event: await cancelled(context, event, gate.reasons), failure: notNow(event, gate.reasons), retry: null };
    try {
      event = await record(context, { ...event, status: 'running', ...(gate.warnings.length > 0 ? { warnings: gate.warnings } : {}) });
      const made = await backUp(context, { event, database, plan, healthIssues: gate.healthIssues, neededBytes: gate.neededBytes });
      event = await completed(context, event, made, elapsed(context, started));
      return { event, failure: shortfall(context, event, made), retry: null };
    } finally {
      gate.place.release();
    }
  } catch (error) {
    return await conclude(context, event, asFailure(error), elapsed(context, started));
  } finally {
    alive.release();
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
  const event = await openEvent(context, request, target.entry);
  return conclude(context, event, target.failure, 0);
}

const notNow = (event: BackupEvent, reasons: readonly string[]): Failure =>
  new Failure('not-now', `${event.database}: not backed up: ${reasons.join('; ')}`);

/** A good backup that is not everything that was asked for. */
function shortfall(context: Context, event: BackupEvent, made: Made): Failure | null {
  const [missing] = made.failedStorages;
  if (missing)
    return new Failure('partial', `${event.database}: backed up, but not to every storage: ${missing.message}`, { hint: missing.hint });
  if (context.settings.failOnWarnings && made.warnings.length > 0)
    return new Failure('engine', `${event.database}: backed up with warnings, and failOnWarnings is on: ${made.warnings.join('; ')}`);
  return null;
}

/** Several databases: the failure itself when all failed alike, else `partial`. Counted by the last attempt of each. */
function summarize(outcomes: readonly Outcome[], databases: number): Failure | null {
  const last = new Map(outcomes.map((outcome) => [outcome.event.database, outcome]));
  const failures = [...last.values()].filter((outcome) => outcome.failure !== null);
  const [first] = failures;
  if (!first?.failure) return null;
  const hint = first.retry
    ? `${first.failure.hint}; attempt ${first.retry.attempt} is due ${first.retry.notBefore}: \`backup-automation execute --due\` runs it`
    : first.failure.hint;
  if (failures.length === databases)
    return new Failure(first.failure.code, first.failure.message, {
      hint,
      class: first.failure.class,
      exit: first.failure.exit,
      cause: first.failure.cause,
    });
  const names = failures.map((outcome) => outcome.event.database).join(', ');
  return new Failure('partial', `${failures.length} of ${databases} databases failed (${names}): ${first.failure.message}`, { hint });
}
