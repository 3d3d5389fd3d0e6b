/**
 * core: an event's states, each made in one place and appended before anything goes on.
 */
import { Failure } from '../../model/errors.js';
import type { BackupEvent, EventType, PassedCondition } from '../../model/events/event.js';
import { expandedReason } from '../../model/events/retry.js';
import type { Slot } from '../../model/moment/slots.js';
import type { Firing } from '../../model/moment/triggers.js';
import type { Made } from '../backup/request.js';
import type { Context } from '../context.js';

type RecordContext = Pick<Context, 'ledger' | 'log' | 'announce' | 'newId' | 'clock'>;

/** Appends a state; null when another process ended the event meanwhile, or another event has its slot. */
async function tryRecord(context: RecordContext, event: BackupEvent): Promise<BackupEvent | null> {
  if (!(await context.ledger.appendEvent(event))) return null;
  const { id, database, status, type, attempt, result } = event;
  const about = { eventId: id, type, attempt, ...(result?.success ? { size: result.size, duration: result.duration } : {}) };
  const why = result?.error ?? event.reasons?.join('; ');
  context.log(levels[status], `backup of ${database} ${status}${why ? `: ${why}` : ''}`, about);
  context.announce({ kind: 'event', event });
  return event;
}

/** Appends a state; throws when another process ended the event meanwhile. */
export async function record(context: Context, event: BackupEvent): Promise<BackupEvent> {
  const recorded = await tryRecord(context, event);
  if (!recorded) throw new Failure('failed', `event ${event.id} was ended by another process`);
  return recorded;
}

const levels = { pending: 'info', running: 'info', completed: 'info', failed: 'error', cancelled: 'warn' } as const;

const unmeasured = { databaseLoad: null, diskSpace: null, concurrentBackups: null };

interface Opening {
  readonly scheduleId?: string;
  readonly type: EventType;
  readonly trigger: string;
  readonly passBy: readonly PassedCondition[];
}

/** The first state of an event, whose id is claimed already. */
export async function openEvent(context: Context, id: string, request: Opening, database: string): Promise<BackupEvent> {
  return record(context, opening(context, id, request, database));
}

function opening(context: Context, id: string, { scheduleId, type, trigger, passBy }: Opening, database: string): BackupEvent {
  return {
    id,
    type,
    ...(scheduleId === undefined ? {} : { scheduleId }),
    trigger,
    ...context.actor,
    ...(passBy.length > 0 ? { passBy } : {}),
    timestamp: context.clock.now().toISOString(),
    status: 'pending',
    metadata: unmeasured,
    database,
    attempt: 1,
    host: context.process.host,
    pid: context.process.pid,
  };
}

/** An event that is asked for now, and made by whoever claims it. */
export async function openAskedEvent(
  context: Context,
  request: Opening & { readonly requestKey?: string },
  database: string,
): Promise<BackupEvent> {
  const event = opening(context, context.newId(), request, database);
  return record(context, { ...event, ...(request.requestKey && { requestKey: request.requestKey }), notBefore: event.timestamp });
}

/** The event of a slot, which waits for whoever claims it; null when the slot has one already. */
export async function openSlotEvent(context: Context, scheduleId: string, slot: Slot, database: string): Promise<BackupEvent | null> {
  const event = opening(context, context.newId(), { scheduleId, type: 'scheduled', trigger: 'schedule', passBy: [] }, database);
  return tryRecord(context, { ...event, slot: slot.key, notBefore: slot.at.toISOString() });
}

/** The event of a trigger, which waits for whoever claims it. */
export async function openTriggeredEvent(
  context: Context,
  scheduleId: string,
  database: string,
  { trigger, cause }: Firing,
): Promise<void> {
  const event = opening(context, context.newId(), { scheduleId, type: 'scheduled', trigger, passBy: [] }, database);
  await tryRecord(context, { ...event, cause, notBefore: event.timestamp });
}

/** The databases' own events, of one that was opened for a whole entry; without those that another has opened meanwhile. It ends by it. */
export async function divide(context: Context, event: BackupEvent, databases: readonly string[]): Promise<BackupEvent[]> {
  const { reasons: _reasons, ...rest } = event;
  const parts: BackupEvent[] = [];
  for (const database of databases) {
    const timestamp = context.clock.now().toISOString();
    const part = { ...rest, id: context.newId(), timestamp, database, notBefore: event.notBefore ?? timestamp };
    if (await tryRecord(context, part)) parts.push(part);
  }
  await cancelled(context, event, [expandedReason(event.database)]);
  return parts;
}

/** Its conditions hold, and it has its places. */
export const running = (context: Context, event: BackupEvent, warnings: readonly string[]): Promise<BackupEvent> =>
  record(context, { ...event, status: 'running', ...(warnings.length > 0 && { warnings }) });

/** The retry that a failed event announces; null: it announces none, or has it. A retry is a new event, so that it outlives this process. */
export async function retryOf(context: RecordContext, event: BackupEvent): Promise<BackupEvent | null> {
  if (event.retryAt === undefined) return null;
  const { retryAt: notBefore, result: _result, reasons: _reasons, warnings: _warnings, impact: _impact, waits: _waits, ...rest } = event;
  return tryRecord(context, {
    ...rest,
    id: context.newId(),
    type: 'retry',
    trigger: 'retry',
    timestamp: context.clock.now().toISOString(),
    status: 'pending',
    metadata: unmeasured,
    attempt: event.attempt + 1,
    retryOf: event.retryOf ?? event.id,
    notBefore,
  });
}

export async function cancelled(context: Context, event: BackupEvent, reasons: readonly string[], duration = 0): Promise<BackupEvent> {
  return record(context, {
    ...event,
    status: 'cancelled',
    reasons,
    result: { success: false, error: reasons.join('; '), code: 'not-now', class: 'busy', duration, size: 0 },
  });
}

export async function failed(context: Context, event: BackupEvent, failure: Failure, duration: number): Promise<BackupEvent> {
  const result = {
    success: false,
    error: failure.message,
    code: failure.code,
    class: failure.class,
    hint: failure.hint,
    duration,
    size: 0,
  };
  return record(context, { ...event, status: 'failed', result });
}

/** A storage that was to hold a backup and does not. */
export const noCopy = (storage: string, why: string): string =>
  `storage "${storage}" has no copy of it, and gets one from another by the next execute: ${why}`;

/** The database is as it was: the backup before stands for this event too. */
export const unchanged = (context: Context, event: BackupEvent, equalTo: string, duration: number): Promise<BackupEvent> =>
  record(context, { ...event, status: 'completed', equalTo, result: { success: true, backupId: equalTo, duration, size: 0 } });

/** What was made, and what was noticed beside it. */
interface Completion {
  readonly made: Made;
  readonly noticed: readonly string[];
  readonly duration: number;
}

export async function completed(context: Context, event: BackupEvent, { made, noticed, duration }: Completion): Promise<BackupEvent> {
  const without = made.missing.map(({ storage, failure }) => noCopy(storage, failure.message));
  const warnings = [...(event.warnings ?? []), ...noticed, ...made.warnings, ...without];
  return record(context, {
    ...event,
    status: 'completed',
    ...(warnings.length > 0 ? { warnings } : {}),
    ...(made.proven && { proven: made.proven }),
    ...(made.missing.length > 0 ? { missing: made.missing.map(({ storage }) => storage) } : {}),
    result: { success: true, backupId: made.backupId, duration, size: made.size },
  });
}
