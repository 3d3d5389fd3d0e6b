/**
 * core: whether an event that is not ended is still worked on. Looks only; `reconcile` is what ends the dead.
 */
import { isTerminal, type BackupEvent } from '../../model/events/event.js';
import type { EventRecord } from '../../model/events/ledger.js';
import { eventOf, settle } from '../../model/events/record.js';
import type { Context } from '../context.js';

/** What looking at events needs; a Context has it, and listings make it without one. */
export type Sight = Pick<Context, 'ledger' | 'locks'> & { readonly process: Pick<Context['process'], 'host'> };

/** Pending events that wait for their time belong to no process. */
const waits = ({ status, notBefore, slot }: BackupEvent): boolean =>
  status === 'pending' && (notBefore !== undefined || slot !== undefined);

/**
 * Whether the process that worked on the event is gone. The lock decides, whatever the pid says: another process may have got it.
 * Only before the first claim, when there is no lock yet, a process of that number on this host has the benefit of the doubt.
 */
export async function isDead(sight: Sight, event: BackupEvent): Promise<boolean> {
  if (isTerminal(event.status) || waits(event)) return false;
  if (await sight.locks.isEventAlive(event.id, event.pid)) return false;
  if (event.status === 'running' || event.host !== sight.process.host || !sight.locks.isProcess(event.pid)) return true;
  return (await sight.locks.eventsLeft()).includes(event.id);
}

/** The event as it ends when its process died. */
export const interrupted = (event: BackupEvent): BackupEvent => ({
  ...event,
  status: 'failed',
  result: {
    success: false,
    error: `interrupted: the process ${event.pid} on ${event.host} is gone: it was killed, or could not write to the state directory`,
    code: 'interrupted',
    class: 'transient',
    hint: 'repeat it with `backup-automation execute`',
    duration: 0,
    size: 0,
  },
});

/** The event as it is to be shown: one whose process died is shown as interrupted, before anything has recorded it. */
export const asSeen = async <E extends BackupEvent>(sight: Sight, event: E): Promise<E | BackupEvent> =>
  (await isDead(sight, event)) ? interrupted(event) : event;

/** Newest lines in which events are looked for that have no lock's file, because somebody removed it. */
const recentLines = 1000;

/** Ids of all events that may be under way or dead: those with a lock's file, and the unended ones of the newest lines. */
export async function candidates({ ledger, locks }: Sight): Promise<string[]> {
  const recent = new Map<string, EventRecord>();
  let count = 0;
  for await (const { record } of ledger.readBackwards()) {
    if (record.record === 'event') {
      const known = recent.get(record.id);
      recent.set(record.id, known ? settle(record, known) : record);
    }
    count += 1;
    if (count >= recentLines) break;
  }
  const unended = [...recent.values()].map(eventOf).filter((event) => !isTerminal(event.status) && !waits(event));
  return [...new Set([...(await locks.eventsLeft()), ...unended.map(({ id }) => id)])];
}
