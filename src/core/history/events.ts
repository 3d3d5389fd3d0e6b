/**
 * core: what the ledger tells: listings, one event, figures, the chain. All but `clearEvents` write nothing.
 */
import type { Actor } from '../../model/access/actor.js';
import { Failure } from '../../model/errors.js';
import { isTerminal, mayFollow, type BackupEvent } from '../../model/events/event.js';
import { isCleared, placeBehind, reach, type Bookmarks } from '../../model/events/bookmarks.js';
import type { LedgerRecord } from '../../model/events/ledger.js';
import type { LedgerDamage, LedgerLine, Position } from '../../model/roles/ledger.js';
import { nearest } from '../../model/settings/nearest.js';
import { earliestLine, eventOf, idOf, timeOfId } from '../../model/events/record.js';
import { isWanted, timeline, type EventQuery, type TimelineEvent } from '../../model/events/timeline.js';
import { own } from '../../model/own.js';
import { asSeen, candidates, isDead, type Sight } from './liveness.js';
import type { LedgerReader } from './reader.js';
import { keptStatistics, statistics } from './statistics.js';

const undamaged = (): LedgerDamage => ({ corruptLines: 0, tornTail: false, gaps: 0 });

export interface EventPage {
  readonly events: readonly TimelineEvent[];
  /** The cursor of the next page; null on the last one. */
  readonly next: string | null;
  /** What was met on the way to this page. */
  readonly damage: LedgerDamage;
}

interface Page extends EventPage {
  /** How many lines were read before the cursor's event; null: it was not met. */
  readonly before: number | null;
}

/** A line before this cannot be about the cursor's event; ISO 8601. */
const earliestOfCursor = (cursor: string | undefined): string => earliestLine(timeOfId(cursor ?? '') ?? 0);

async function readPage(sight: Sight, query: EventQuery, place: { before?: Position; late?: Bookmarks['late'] } = {}): Promise<Page> {
  const damage = undamaged();
  const events: TimelineEvent[] = [];
  let [lines, before] = [0, query.cursor === undefined ? 0 : null];
  let earliest = earliestOfCursor(query.cursor);
  async function* counted(): AsyncGenerator<LedgerLine> {
    for await (const line of sight.ledger.readBackwards(damage, place.before)) {
      // of a time that is to come: a clock that was ahead wrote it, and it may lie behind older lines
      if (lines === 0 && line.record.at < earliest) earliest = '';
      if (before === null && line.record.at < earliest) return;
      lines += 1;
      yield line;
    }
  }
  for await (const event of timeline(counted(), query.since?.getTime())) {
    if (before === null) {
      if (event.id === query.cursor) before = lines;
      continue;
    }
    const seen = await asSeen(sight, await newest(sight, event, place.late));
    if (!isWanted(seen, query)) continue;
    const last = events.at(-1);
    if (last && events.length === query.limit) return { events, next: last.id, damage, before };
    events.push(seen);
  }
  return { events, next: null, damage, before };
}

/** The event by its last line, where that lies far behind the others. */
async function newest({ ledger }: Sight, event: TimelineEvent, late: Bookmarks['late'] = {}): Promise<TimelineEvent> {
  const place = own(late, event.id);
  if (!place) return event;
  for await (const { record } of ledger.read(undefined, place)) {
    if (idOf(record) !== event.id) return event;
    if (record.record !== 'event') return { ...event, newerVersion: true };
    return isTerminal(event.status) && !mayFollow(event, record) ? event : eventOf(record);
  }
  return event;
}

/** One page of events, newest first; `reader`, where one is kept, finds old ones at once. Throws `usage` for a cursor that is no event's id. */
export async function listEvents(sight: Sight, query: EventQuery, reader?: LedgerReader): Promise<EventPage> {
  const { before, ...page } = (reader && (await deepPage(sight, query, reader))) ?? (await readPage(sight, query));
  if (before === null)
    throw new Failure('usage', `the cursor "${query.cursor}" is no event`, { hint: 'take the `next` of the page before' });
  return page;
}

/** A page far from the tail; null: it has to be read from there. */
async function deepPage(sight: Sight, query: EventQuery, reader: LedgerReader): Promise<Page | null> {
  if (query.cursor === undefined) return null;
  const { bookmarks } = (await reader.read()).fold.state;
  const before = placeBehind(bookmarks, query.cursor);
  if (!before || isCleared(bookmarks, before)) return null;
  const page = await readPage(sight, query, { before, late: bookmarks.late });
  return page.before !== null && page.before >= reach ? page : null;
}

export interface EventHistory {
  readonly event: BackupEvent;
  /** Its lines, and who was told of it, oldest first. */
  readonly records: readonly LedgerRecord[];
}

/** The moment before which no line about an id that begins so can have been written. */
function earliestOf(prefix: string): string {
  const digits = prefix.replaceAll('-', '').slice(0, 12);
  return /^[0-9a-f]*$/.test(digits) ? earliestLine(Number.parseInt(digits.padEnd(12, '0'), 16)) : '';
}

/** One event as it is now, by its whole id; null: there is none. */
export async function seenEvent(sight: Sight, id: string): Promise<BackupEvent | null> {
  const event = await sight.ledger.find(id);
  return event && asSeen(sight, event);
}

/** How many ids are remembered to name the nearest. */
const mostRemembered = 1000;

/** One event by its id or a beginning of it that no other has. Throws `not-found` naming the nearest. */
export async function showEvent(sight: Sight, id: string): Promise<EventHistory> {
  const found = new Map<string, LedgerRecord[]>();
  const others = new Set<string>();
  const lines: LedgerRecord[] = [];
  const earliest = earliestOf(id);
  for await (const { record } of sight.ledger.readBackwards()) {
    const about = idOf(record);
    if ((record.record === 'delivery' && record.alertId.startsWith(id)) || about?.startsWith(id)) lines.push(record);
    if (about?.startsWith(id)) {
      const records = found.get(about) ?? [];
      found.set(about, records);
      records.push(record);
      if (about === id && record.record === 'event' && record.step === 0) break;
    } else if (about !== null && others.size < mostRemembered) others.add(about);
    if (found.size > 0 && record.at < earliest) break;
  }
  const [match, second] = [...found];
  if (!match) {
    const near = nearest(id, [...others]);
    throw new Failure('not-found', `there is no event "${id}"`, {
      hint: near.length > 0 ? `the nearest: ${near.join(', ')}; list them with \`backup-automation events\`` : 'there are no events yet',
    });
  }
  if (second) throw new Failure('not-found', `"${id}" is the beginning of ${found.size} events`, { hint: 'type more of it' });
  const [whole, records] = match;
  const event = await timeline(replay(records)).next();
  if (event.done) throw new Failure('internal', `event ${whole} was lost while reading`);
  const isIts = (record: LedgerRecord) =>
    idOf(record) === whole || (record.record === 'delivery' && record.alertId.startsWith(`${whole}:`));
  return { event: await asSeen(sight, event.value), records: lines.filter(isIts).toReversed() };
}

async function* replay(records: readonly LedgerRecord[]) {
  for (const record of records) yield { position: { segment: 0, offset: 0 }, record };
}

/** The backups that run now, newest first. */
export async function activeEvents(sight: Sight): Promise<BackupEvent[]> {
  const events: BackupEvent[] = [];
  for (const id of await candidates(sight)) {
    const event = await sight.ledger.find(id);
    if (event?.status === 'running' && !(await isDead(sight, event))) events.push(event);
  }
  return events.toSorted((a, b) => (a.timestamp < b.timestamp ? 1 : -1));
}

/** Appends a record behind which listings and statistics do not look. Nothing is removed. */
export async function clearEvents(
  sight: Sight,
  actor: Actor,
  reader?: LedgerReader,
): Promise<{ cleared: number; segments: readonly string[] }> {
  const { totalEvents: cleared } = await (reader ? keptStatistics(sight, reader) : statistics(sight));
  await sight.ledger.appendFact({ record: 'clear', cleared, ...actor });
  return { cleared, segments: await sight.ledger.segments() };
}
