/**
 * core: works on the events whose time has come: retries, slots, and what waits for its conditions. One after the other: the next
 * minute's process takes those that this one has not claimed yet.
 */
import { decideConditions } from '../../model/moment/conditions.js';
import { unmeasured } from '../../model/moment/measurement.js';
import { deadlineOf, retryDeadline, zoneOf } from '../../model/moment/slots.js';
import type { BackupEvent, PassedCondition } from '../../model/events/event.js';
import type { Context } from '../context.js';
import { whileClaimed } from '../event/claim.js';
import { settingsOf } from '../event/gate.js';
import type { Outcome } from '../event/outcome.js';
import { refrain, type Patience } from '../event/patience.js';
import { resume } from '../execute.js';
import { activeEvents } from '../history/events.js';
import type { AgendaReader } from './agenda.js';

/** The ids of events whose time has come, the oldest first. */
function due({ agenda }: AgendaReader, now: Date): string[] {
  const waiting = Object.entries(agenda.waiting).filter(([, notBefore]) => Date.parse(notBefore) <= now.getTime());
  return waiting.toSorted(([, a], [, b]) => (a < b ? -1 : 1)).map(([id]) => id);
}

/** Works on each that no other process works on. */
export async function runWaiting(context: Context, reader: AgendaReader): Promise<Outcome[]> {
  const outcomes: Outcome[] = [];
  for (const id of due(reader, context.clock.now())) {
    if (context.signal.aborted) break;
    const event = await context.ledger.find(id);
    if (event?.status === 'pending') outcomes.push(...(await tryOne(context, event)));
    else if (event?.status !== 'running') delete reader.agenda.waiting[id];
  }
  return outcomes;
}

async function tryOne(context: Context, event: BackupEvent): Promise<Outcome[]> {
  const now = context.clock.now();
  const patience = patienceOf(context, event, now);
  const over = patience !== null && now >= patience.until;
  const asked = over && patience.policy === 'run' ? passing(event) : event;
  const reasons = await standing(context, asked, over && patience.policy !== 'run');
  if (reasons === null) return resume(context, asked, patience);
  const outcome = await whileClaimed(
    context,
    event.id,
    async () => {
      const found = await context.ledger.find(event.id);
      return found?.status === 'pending' ? refrain(context, { event: found, ...reasons }, patience) : { nothing: true };
    },
    () => true,
  );
  return outcome && 'event' in outcome ? [outcome] : [];
}

/** `onDeadline: run` passes by what --force does, but for the room on the disk. */
const passing = (event: BackupEvent): BackupEvent => ({
  ...event,
  passBy: [...new Set<PassedCondition>([...(event.passBy ?? []), 'window', 'load'])],
});

/** How long an event may stay pending; null: it may not. */
function patienceOf(context: Context, event: BackupEvent, now: Date): Patience | null {
  const { settings } = context;
  if (!settings.intelligentScheduling) return null;
  const schedule = event.scheduleId === undefined ? undefined : context.schedules[event.scheduleId];
  const at = new Date(event.notBefore ?? event.timestamp);
  if ((event.slot !== undefined || event.cause !== undefined) && event.retryOf === undefined && schedule)
    return { until: deadlineOf(at, { schedule, settings }), policy: schedule.onDeadline };
  const window = event.passBy?.includes('window') ? null : settings.backupWindow;
  return { until: retryDeadline(at, { window, zone: zoneOf(schedule ?? {}, settings) }, now), policy: 'skip' };
}

interface Standing {
  readonly reasons: readonly string[];
  readonly hopeless: boolean;
}

/** Why the event cannot run, told without measuring anything; null: it is worth a look. */
async function standing(context: Context, event: BackupEvent, over: boolean): Promise<Standing | null> {
  const schedule = event.scheduleId === undefined ? null : (context.schedules[event.scheduleId] ?? null);
  const surroundings = { database: unmeasured, freeBytes: null, neededBytes: null, runningBackups: 0 };
  const request = { now: context.clock.now(), passBy: new Set(event.passBy) };
  const { met, reasons } = decideConditions(settingsOf(context, { schedule }), surroundings, request);
  if (!met) return { reasons, hopeless: !context.settings.enabled };
  if (over) return { reasons: event.reasons ?? ['nothing ran that could have tried it'], hopeless: false };
  const before = await runningBefore(context, event);
  if (!before) return null;
  const reason = `overlap: ${before.database} is still being backed up by event ${before.id} of ${before.scheduleId}, since ${before.timestamp}`;
  return { reasons: [reason], hopeless: schedule?.overlap === 'skip' };
}

/** The run of the same schedule and database that is still under way. */
async function runningBefore(context: Context, { scheduleId, database }: BackupEvent): Promise<BackupEvent | undefined> {
  if (scheduleId === undefined) return undefined;
  const active = await activeEvents(context);
  return active.find((event) => event.scheduleId === scheduleId && event.database === database);
}
