/**
 * model: where in the ledger the lines of a time begin, and which events go on far behind their first line: so that a page of old events is
 * read where it lies. Pure, and JSON. It keeps places, never lines.
 */
import { own } from '../own.js';
import type { LedgerLine, Position } from '../roles/ledger.js';
import { idOf, timeOfId } from './record.js';

interface Mark {
  readonly position: Position;
  /** When the line there was written, ISO 8601. */
  readonly at: string;
}

export interface Bookmarks {
  /** Lines that were taken. */
  lines: number;
  /** One for every `stride` lines. */
  marks: Mark[];
  stride: number;
  /** At which line the newest events began, by id. */
  recent: Record<string, number>;
  /** Newest lines that lie further than `reach` lines behind the first one of their event, by id. */
  late: Record<string, Position>;
  lateCount: number;
  /** Behind which listings do not look. */
  cleared: Position | null;
}

/** As many lines as the lines of an event usually lie in. */
export const reach = 2000;
const mostMarks = 4000;
const mostLate = 5000;

export const emptyBookmarks = (): Bookmarks => ({
  lines: 0,
  marks: [],
  stride: reach / 2,
  recent: {},
  late: {},
  lateCount: 0,
  cleared: null,
});

/** Takes the next line. */
export function bookmark(into: Bookmarks, { position, record }: LedgerLine): void {
  if (into.lines % into.stride === 0) into.marks.push({ position, at: record.at });
  if (into.marks.length > mostMarks) {
    into.marks = into.marks.filter((_, index) => index % 2 === 0);
    into.stride *= 2;
  }
  if (into.lines % reach === 0)
    into.recent = Object.fromEntries(Object.entries(into.recent).filter(([, line]) => into.lines - line <= reach));
  into.lines += 1;
  if (record.record === 'clear') into.cleared = position;
  const id = idOf(record);
  if (id === null) return;
  if (record.record === 'event' && record.step === 0) into.recent[id] = into.lines;
  else if (into.lines - (own(into.recent, id) ?? -Infinity) > reach) takeLate(into, id, position);
}

/** Too many are not kept at all, since some of them would not do. */
function takeLate(into: Bookmarks, id: string, position: Position): void {
  if (!Object.hasOwn(into.late, id)) into.lateCount += 1;
  if (into.lateCount > mostLate) into.late = {};
  else into.late[id] = position;
}

const isBefore = (a: Position, b: Position): boolean => a.segment < b.segment || (a.segment === b.segment && a.offset < b.offset);

/** Before this place lie all lines of the events up to this one but the late; null: it is not known, or at the end. */
export function placeBehind({ marks, stride, lateCount }: Bookmarks, eventId: string): Position | null {
  const time = timeOfId(eventId);
  if (time === null || lateCount > mostLate) return null;
  const at = new Date(time).toISOString();
  const next = marks.findLastIndex((mark) => mark.at <= at) + 1;
  return marks[next + Math.ceil(reach / stride) + 1]?.position ?? null;
}

/** Behind this place lie all lines of events that were created from `earliest` (ISO 8601) on; null: it is not known. */
export function placeBefore({ marks }: Bookmarks, earliest: string): Position | null {
  const next = marks.findIndex((mark) => mark.at >= earliest);
  return marks[next < 0 ? marks.length - 1 : next - 1]?.position ?? null;
}

/** Whether listings do not look there any more. */
export const isCleared = ({ cleared }: Bookmarks, place: Position): boolean => cleared !== null && !isBefore(cleared, place);
