/**
 * core: what the ledger's newest lines tell of schedules: their last runs, and how long they take. Writes nothing.
 */
import { isTerminal, type BackupEvent, type EventStatus } from '../../model/events/event.js';
import { eventOf } from '../../model/events/record.js';
import { asSeen, type Sight } from '../history/liveness.js';

/** How many lines are read, from the newest on: enough for months, and at once. */
const mostLines = 20_000;
/** The median of so many runs tells how long the next one takes. */
const sampled = 9;

export interface LastRun {
  readonly eventId: string;
  readonly database: string;
  /** ISO 8601. */
  readonly timestamp: string;
  readonly status: EventStatus;
}

export interface Past {
  /** The newest event of a schedule; null: there is none. */
  lastRun(scheduleId: string): LastRun | null;
  /** ms for these databases, one after the other; null: none of them was ever backed up by it. */
  expectedDuration(scheduleId: string, entries: readonly string[]): number | null;
}

function median(numbers: readonly number[]): number {
  const sorted = numbers.toSorted((a, b) => a - b);
  const middle = Math.floor(sorted.length / 2);
  const [low = 0, high = 0] = [sorted[Math.ceil(sorted.length / 2) - 1], sorted[middle]];
  return Math.round((low + high) / 2);
}

/** Whether a database is an entry of the configuration or a member of its cluster. */
const isOf = (entries: readonly string[], database: string): boolean =>
  entries.some((entry) => database === entry || database.startsWith(`${entry}--`));

export async function readPast(sight: Sight): Promise<Past> {
  const last = new Map<string, BackupEvent>();
  const durations = new Map<string, Map<string, number[]>>();
  const take = (event: BackupEvent) => {
    const { scheduleId, database, status, result } = event;
    if (scheduleId === undefined) return;
    const known = last.get(scheduleId);
    // the newest event by its creation; its newest line comes first
    if (!known || known.timestamp < event.timestamp) last.set(scheduleId, event);
    if (status !== 'completed' || !result || event.equalTo !== undefined) return;
    const databases = durations.get(scheduleId) ?? new Map<string, number[]>();
    durations.set(scheduleId, databases);
    const own = databases.get(database) ?? [];
    databases.set(database, own);
    if (own.length < sampled) own.push(result.duration);
  };
  let count = 0;
  for await (const { record } of sight.ledger.readBackwards()) {
    if (record.record === 'event' && (isTerminal(record.status) || record.notBefore === undefined)) take(eventOf(record));
    count += 1;
    if (count >= mostLines) break;
  }
  for (const [scheduleId, event] of last) last.set(scheduleId, await asSeen(sight, event));
  return {
    lastRun(scheduleId) {
      const event = last.get(scheduleId);
      return event ? { eventId: event.id, database: event.database, timestamp: event.timestamp, status: event.status } : null;
    },
    expectedDuration(scheduleId, entries) {
      const own = [...(durations.get(scheduleId) ?? [])].filter(([database]) => isOf(entries, database));
      return own.length === 0 ? null : own.reduce((sum, [, each]) => sum + median(each), 0);
    },
  };
}
