/**
 * core: remembers until when nothing will be due, so that the next minutes need not ask. What it remembers is disposable.
 */
import { occurrencesOf } from '../../model/moment/occurrences.js';
import { zoneOf } from '../../model/moment/slots.js';
import { msPerMinute } from '../../model/units.js';
import type { Context } from '../context.js';
import { recall } from '../notify/outbox.js';
import type { AgendaReader } from './agenda.js';
import { askEvery, hasTriggers, watchedFiles } from './triggers.js';

/** What has no time of its own (copies, alerts, verifications) is looked at so often. */
const longest = 15 * msPerMinute;

/** Remembers the agenda, and the moment of the next duty unless an event is under way now. */
export async function remember(context: Context, reader: AgendaReader, askedAt: string | null): Promise<void> {
  const watched = watchedFiles(context);
  const mark = context.dueMemory.mark(watched);
  await reader.catchUp();
  const position = reader.position();
  const quiet = (await context.locks.eventsLeft()).length === 0 && !context.signal.aborted;
  if (position)
    context.dueMemory.remember({
      agenda: reader.agenda,
      position,
      mark,
      nextAt: quiet ? nextDue(context, reader, askedAt) : null,
      askedAt,
      watched,
    });
}

/** The first moment, not far ahead, at which something is due, ISO 8601. */
function nextDue(context: Context, { agenda }: AgendaReader, askedAt: string | null): string {
  const now = context.clock.now();
  const slots = Object.entries(context.schedules).flatMap(([id, schedule]) => {
    const since = agenda.schedules[id]?.until;
    if (!schedule.enabled || since === undefined) return [];
    return occurrencesOf(schedule, zoneOf(schedule, context.settings)).next(new Date(since)) ?? [];
  });
  const waiting = Object.values(agenda.waiting).map((notBefore) => new Date(notBefore));
  const alerts = recall(context)?.next;
  const next = askedAt === null ? 0 : Date.parse(askedAt) + askEvery;
  const asked = hasTriggers(context) ? [new Date(next > now.getTime() ? next : now.getTime() + askEvery)] : [];
  const latest = new Date(now.getTime() + longest);
  return [...slots, ...asked, ...waiting, ...(alerts === undefined ? [] : [new Date(alerts)])]
    .reduce((first, at) => (at < first ? at : first), latest)
    .toISOString();
}
