/**
 * model: the ledger read backwards becomes events, newest first. Pure, in constant memory: an event is known whole once the
 * line that created it was seen, and is forgotten then.
 */
import type { BackupEvent, EventStatus, EventType } from './event.js';
import type { EventRecord, UnknownRecord } from './ledger.js';
import type { LedgerLine } from '../roles/ledger.js';
import { earliestLine, eventOf, idOf, settle } from './record.js';

/** `newerVersion`: a newer version of this tool wrote about it, so its state is not known here. */
export type TimelineEvent = BackupEvent & { readonly newerVersion?: true };

interface Entry {
  readonly record: EventRecord | null;
  readonly newer: UnknownRecord['content'] | null;
}

const text = (value: unknown): string => (typeof value === 'string' ? value : '');

/** What can be said of an event of which only lines of a newer version are there. */
const fromNewer = (content: UnknownRecord['content']): TimelineEvent => ({
  id: text(content['id']),
  type: 'manual',
  trigger: text(content['trigger']),
  timestamp: text(content['timestamp']),
  status: 'pending',
  metadata: { databaseLoad: null, diskSpace: null, concurrentBackups: null },
  database: text(content['database']),
  attempt: 1,
  host: text(content['host']),
  pid: 0,
  newerVersion: true,
});

function eventFrom({ record, newer }: Entry): TimelineEvent {
  if (!record) return fromNewer(newer ?? {});
  return newer ? { ...eventOf(record), newerVersion: true } : eventOf(record);
}

/** How many lines are read before it is looked whether an event's first line must have been lost. */
const patience = 1000;

/** The events that wait for their first line although lines are older than they can be: it was lost to damage. */
function overdue(open: ReadonlyMap<string, Entry>, at: string): string[] {
  const isOver = ({ record }: Entry) => record !== null && at < earliestLine(Date.parse(record.timestamp));
  return [...open].filter(([, entry]) => isOver(entry)).map(([id]) => id);
}

/**
 * Events, the newest created first, from lines given newest first. Ends at a `clear` record, and where lines are older than `since`
 * (ms) allows; of events created before that only those are given that have later lines.
 */
export async function* timeline(lines: AsyncIterable<LedgerLine>, since = 0): AsyncGenerator<TimelineEvent> {
  const open = new Map<string, Entry>();
  const earliest = earliestLine(since);
  let count = 0;
  function* take(ids: Iterable<string>): Generator<TimelineEvent> {
    for (const id of ids) {
      const entry = open.get(id);
      open.delete(id);
      if (entry) yield eventFrom(entry);
    }
  }
  for await (const { record } of lines) {
    if (record.record === 'clear' || record.at < earliest) break;
    const id = idOf(record);
    if (id !== null) {
      const known = open.get(id) ?? { record: null, newer: null };
      if (record.record === 'event') open.set(id, { ...known, record: known.record ? settle(record, known.record) : record });
      else if (record.record === 'unknown') open.set(id, { ...known, newer: record.content });
      if (record.record === 'event' && record.step === 0) yield* take([id]);
    }
    count += 1;
    if (count % patience === 0) yield* take(overdue(open, record.at));
  }
  const created = (id: string) => open.get(id)?.record?.timestamp ?? '';
  yield* take([...open.keys()].toSorted((a, b) => (created(a) < created(b) ? 1 : -1)));
}

export interface EventQuery {
  readonly limit: number;
  /** The id of an event: only what was created before it. */
  readonly cursor?: string;
  readonly status?: EventStatus;
  readonly type?: EventType;
  readonly schedule?: string;
  readonly since?: Date;
}

/** Whether an event is asked for, but for `limit` and `cursor`. */
export const isWanted = (event: BackupEvent, { status, type, schedule, since }: Omit<EventQuery, 'limit'>): boolean =>
  (status === undefined || event.status === status) &&
  (type === undefined || event.type === type) &&
  (schedule === undefined || event.scheduleId === schedule) &&
  (since === undefined || Date.parse(event.timestamp) >= since.getTime());
