/**
 * core: opens the events of due slots, and records the missed ones. It runs none of them.
 *
 * A schedule's `until` advances only after its slots have their events: whoever dies before leaves them to the next, and the ledger
 * refuses a second event of a slot.
 */
import type { BackupEvent } from '../../model/events/event.js';
import { missedReason } from '../../model/events/record.js';
import { dueSlots, timingOf, type Slot, type SlotPlan } from '../../model/moment/slots.js';
import type { Schedule } from '../../model/settings/settings.js';
import { msPerMinute } from '../../model/units.js';
import type { Context } from '../context.js';
import { makePlan } from '../event/plan.js';
import { cancelled, openSlotEvent } from '../event/record.js';
import type { AgendaReader } from './agenda.js';
import { minuteOf } from '../../model/moment/minute.js';

/** More missed slots of one schedule than these are one record, not events. */
const mostMissed = 10;

/** Of every schedule; resolves to the events of missed slots. */
export async function openSlots(context: Context, { agenda }: AgendaReader): Promise<BackupEvent[]> {
  const missed: BackupEvent[] = [];
  for (const [scheduleId, schedule] of Object.entries(context.schedules)) {
    if (context.signal.aborted) break;
    const known = agenda.schedules[scheduleId];
    const timing = timingOf({ schedule, settings: context.settings });
    const now = context.clock.now();
    const account = (until: Date) => context.ledger.appendFact({ record: 'schedule', scheduleId, timing, until: until.toISOString() });
    // what came before a schedule was known, was changed, or the clock was put right, is nobody's to miss
    if (known?.timing !== timing || isAhead(known.until, now)) {
      if (known || schedule.enabled) await account(now);
      continue;
    }
    if (!schedule.enabled) continue;
    const plan = dueSlots({ scheduleId, schedule, settings: context.settings }, new Date(known.until), now);
    const newest = plan.run ?? plan.missed.at(-1);
    if (!newest) continue;
    missed.push(...(await openAll(context, { scheduleId, schedule }, plan)));
    await account(newest.at);
  }
  return missed;
}

const isAhead = (until: string, now: Date): boolean => Date.parse(until) > now.getTime() + msPerMinute;

/** The events of a plan, the missed ones ended; these are what it resolves to. */
async function openAll(
  context: Context,
  { scheduleId, schedule }: { scheduleId: string; schedule: Schedule },
  { run, missed }: SlotPlan,
): Promise<BackupEvent[]> {
  const databases = await databasesOf(context, scheduleId, schedule);
  const ended: BackupEvent[] = [];
  if (missed.length > mostMissed)
    for (const database of databases)
      await recordMissed(context, scheduleId, database, await untold(context, scheduleId, database, missed));
  else
    for (const slot of missed)
      for (const database of databases) {
        const event = await openSlotEvent(context, scheduleId, slot, database);
        if (event) ended.push(await cancelled(context, event, [missedReason(slot.at)]));
      }
  if (run) for (const database of databases) await openSlotEvent(context, scheduleId, run, database);
  return ended;
}

/** The databases of a schedule; an entry whose server does not answer stands for its own. */
async function databasesOf(context: Context, scheduleId: string, schedule: Schedule): Promise<string[]> {
  try {
    const { targets } = await makePlan(context, { scheduleId });
    return targets.map((target) => ('failure' in target ? target.entry : target.database.name));
  } catch {
    // its events will tell why
    return [...(schedule.databases ?? context.databases)];
  }
}

/** Without those that a process told of which died before it said how far it had come. */
async function untold(context: Context, scheduleId: string, database: string, missed: readonly Slot[]): Promise<Slot[]> {
  const rest = new Map(missed.map((slot) => [slot.key, slot]));
  for await (const { record } of context.ledger.read()) {
    if (record.record === 'event' && record.slot !== undefined && record.database === database) rest.delete(record.slot);
    if (record.record !== 'missed' || record.scheduleId !== scheduleId || record.database !== database) continue;
    for (const { key, at } of missed) if (record.from <= at.toISOString() && at.toISOString() <= record.until) rest.delete(key);
  }
  return [...rest.values()];
}

async function recordMissed(context: Context, scheduleId: string, database: string, missed: readonly Slot[]): Promise<void> {
  const [first, last] = [missed[0], missed.at(-1)];
  if (!first || !last) return;
  const [from, until] = [first.at.toISOString(), last.at.toISOString()];
  const [firstSlot, lastSlot] = [first.key, last.key];
  await context.ledger.appendFact({ record: 'missed', scheduleId, database, count: missed.length, from, until, firstSlot, lastSlot });
  context.log('warn', `${missed.length} slots of ${scheduleId} were missed for ${database}`, { from, until });
  context.announce({
    kind: 'warning',
    database,
    message: `${missed.length} slots of ${scheduleId} were missed, ${minuteOf(first.at)} to ${minuteOf(last.at)}`,
  });
}
