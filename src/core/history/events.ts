/**
 * core: what the ledger tells: listings, one event, figures, the chain. All but `clearEvents` write nothing.
 */
import type { Actor } from '../../model/access/actor.js';
import { Failure } from '../../model/errors.js';
import type { BackupEvent } from '../../model/events/event.js';
import type { LedgerRecord } from '../../model/events/ledger.js';
import type { LedgerDamage } from '../../model/roles/ledger.js';
import { nearest } from '../../model/settings/nearest.js';
import { earliestLine, idOf } from '../../model/events/record.js';
import { ProvenLevels, type Proven } from '../../model/events/proven.js';
import { RestoreTimes, type RestoreTime } from '../../model/events/restore-times.js';
import { StatisticsFold, type Statistics, type StatisticsGroup, type StatisticsOptions } from '../../model/events/statistics.js';
import { isWanted, timeline, type EventQuery, type TimelineEvent } from '../../model/events/timeline.js';
import { asSeen, candidates, isDead, interrupted, type Sight } from './liveness.js';

const undamaged = (): LedgerDamage => ({ corruptLines: 0, tornTail: false, gaps: 0 });

export interface EventPage {
  readonly events: readonly TimelineEvent[];
  /** The cursor of the next page; null on the last one. */
  readonly next: string | null;
  /** What was met on the way to this page. */
  readonly damage: LedgerDamage;
}

/** One page of events, newest first. Throws `not-found` for a cursor that is no event's id. */
export async function listEvents(sight: Sight, query: EventQuery): Promise<EventPage> {
  const damage = undamaged();
  const events: TimelineEvent[] = [];
  let started = query.cursor === undefined;
  for await (const event of timeline(sight.ledger.readBackwards(damage), query.since?.getTime())) {
    if (!started) started = event.id === query.cursor;
    else {
      const seen = await asSeen(sight, event);
      if (!isWanted(seen, query)) continue;
      const last = events.at(-1);
      if (last && events.length === query.limit) return { events, next: last.id, damage };
      events.push(seen);
    }
  }
  if (!started) throw new Failure('not-found', `the cursor "${query.cursor}" is no event`, { hint: 'take the `next` of the page before' });
  return { events, next: null, damage };
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

export interface Figures extends Statistics {
  readonly groups?: readonly StatisticsGroup[];
  /** How long each database takes to come back. */
  readonly restores: readonly RestoreTime[];
  /** How far the backups of each database were proven. */
  readonly proven: readonly Proven[];
  readonly damage: LedgerDamage;
}

/** Figures over the whole ledger since the newest `clear`; events of dead processes count as failed. */
export async function statistics(sight: Sight, options: StatisticsOptions = {}): Promise<Figures> {
  const damage = undamaged();
  const fold = new StatisticsFold(options);
  const since = options.since?.toISOString() ?? '';
  let times = new RestoreTimes();
  let levels = new ProvenLevels();
  for await (const { record } of sight.ledger.readOutcomes(damage)) {
    fold.take(record);
    if (record.record === 'clear') {
      times = new RestoreTimes();
      levels = new ProvenLevels();
    } else if (record.at >= since) {
      times.take(record);
      levels.take(record);
    }
  }
  for (const event of fold.unended()) if (await isDead(sight, event)) fold.end(interrupted(event));
  const groups = options.groupBy && { groups: fold.groupFigures() };
  return { ...fold.figures(), ...groups, restores: times.figures(), proven: levels.figures(), damage };
}

/** Appends a record behind which listings and statistics do not look. Nothing is removed. */
export async function clearEvents(sight: Sight, actor: Actor): Promise<{ cleared: number; segments: readonly string[] }> {
  const { totalEvents: cleared } = await statistics(sight);
  await sight.ledger.appendFact({ record: 'clear', cleared, ...actor });
  return { cleared, segments: await sight.ledger.segments() };
}
