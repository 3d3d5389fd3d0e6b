/**
 * core: remembers until when nothing will be due, so that the next minutes need not ask. What it remembers is disposable.
 */
import { occurrencesOf } from '../../model/moment/occurrences.js';
import { zoneOf } from '../../model/moment/slots.js';
import { msPerMinute } from '../../model/units.js';
import type { Context } from '../context.js';
import { recall } from '../notify/outbox.js';
import type { AgendaReader } from './agenda.js';

/** What has no time of its own (copies, alerts, verifications) is looked at so often. */
const longest = 15 * msPerMinute;

/** Remembers the agenda, and the moment of the next duty unless an event is under way now. */
export async function remember(context: Context, reader: AgendaReader): Promise<void> {
  const mark = context.dueMemory.mark();
  await reader.catchUp();
  const position = reader.position();
  const quiet = (await context.locks.eventsLeft()).length === 0 && !context.signal.aborted;
  if (position) context.dueMemory.remember({ agenda: reader.agenda, position, mark, nextAt: quiet ? nextDue(context, reader) : null });
}

/** The first moment, not far ahead, at which something is due, ISO 8601. */
function nextDue(context: Context, { agenda }: AgendaReader): string {
  const now = context.clock.now();
  const slots = Object.entries(context.schedules).flatMap(([id, schedule]) => {
    const since = agenda.schedules[id]?.until;
    if (!schedule.enabled || since === undefined) return [];
    return occurrencesOf(schedule, zoneOf(schedule, context.settings)).next(new Date(since)) ?? [];
  });
  const waiting = Object.values(agenda.waiting).map((notBefore) => new Date(notBefore));
  const alerts = recall(context)?.next;
  const latest = new Date(now.getTime() + longest);
  return [...slots, ...waiting, ...(alerts === undefined ? [] : [new Date(alerts)])]
    .reduce((first, at) => (at < first ? at : first), latest)
    .toISOString();
}
