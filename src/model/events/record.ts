/**
 * model: from a ledger's lines to the state of one event. Pure; it never reads a line itself.
 */
import { isTerminal, mayFollow, type BackupEvent } from './event.js';
import type { EventRecord, LedgerRecord, LineFrame } from './ledger.js';
import { minuteOf } from '../moment/minute.js';
import { msPerDay, msPerMinute } from '../units.js';

type Written = BackupEvent & Partial<EventRecord & LineFrame>;

/** The event alone, without what a line of the ledger adds to it. */
export function eventOf(written: Written): BackupEvent {
  const { record: _record, step: _step, from: _from, v: _v, at: _at, nolock: _nolock, prev: _prev, crc: _crc, ...event } = written;
  return event;
}

/** The state that holds, of two in the order they were written: the first terminal one, unless the other may follow it. */
export const settle = (earlier: EventRecord, later: EventRecord): EventRecord =>
  isTerminal(earlier.status) && !mayFollow(earlier, later) ? earlier : later;

/** The id that a line is about, a newer version's line too. */
export function idOf(record: LedgerRecord): string | null {
  if (record.record === 'event') return record.id;
  if (record.record !== 'unknown') return null;
  const { record: kind, id } = record.content;
  return kind === 'event' && typeof id === 'string' ? id : null;
}

/** How far the clock may have been set back between an event's creation and its lines, ms. */
const clockSlack = msPerDay;

/** A line written before this cannot be about an event of that time; ISO, to be compared with a line's `at`. */
export const earliestLine = (time: number): string => new Date(Math.max(0, time - clockSlack)).toISOString();

/** When a UUIDv7 was made, ms; null for any other id. */
export function timeOfId(id: string): number | null {
  const hex = /^([0-9a-f]{8})-([0-9a-f]{4})-7/.exec(id);
  return hex ? Number.parseInt(`${hex[1]}${hex[2]}`, 16) : null;
}

/** By what an event of a slot is the only one: a retry is another attempt of it. Null: it belongs to no slot. */
export const slotClaim = ({ slot, database, attempt }: BackupEvent): string | null =>
  slot === undefined ? null : `${slot} ${database} ${attempt}`;

/** Why a slot's event is cancelled whose time passed while nothing ran. */
export const missedReason = (at: Date): string =>
  `missed: nothing ran at ${minuteOf(at)} (machine or scheduler off), and its time to be caught up is over`;
export const tellsOfMissed = ({ status, reasons = [] }: BackupEvent): boolean =>
  status === 'cancelled' && reasons[0]?.startsWith('missed: ') === true;

/** No zone is further behind UTC. */
const furthestZone = 14 * 60 * msPerMinute;

/** A line about a slot is not older than this, ISO 8601; the key tells its local time (see `moment/occurrences`). */
export function earliestOfSlot(key: string): string {
  const local = /@(\d{4}-\d{2}-\d{2}T\d{2}:\d{2})/.exec(key)?.[1];
  return local === undefined ? '' : earliestLine(Date.parse(`${local}Z`) - furthestZone);
}
