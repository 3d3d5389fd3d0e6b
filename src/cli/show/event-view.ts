/**
 * cli: how an event looks in a table, on a line and on a page of its own. It decides nothing.
 */
import type { ChalkInstance } from 'chalk';
import type { EventHistory } from '../../core/history/events.js';
import type { TimelineEvent } from '../../model/events/timeline.js';
import { durationOf, eventFacts, noteOf, outcomeOf, sizeOf, stepOf } from '../../model/events/words.js';
import { localMinute, localTime, localZone } from '../../model/moment/here.js';
import { harmless, width } from '../render.js';
import { facts, table } from './table.js';

const colours = { pending: 'cyan', running: 'blue', completed: 'green', failed: 'red', cancelled: 'yellow' } as const;

const statusOf = ({ status, newerVersion }: TimelineEvent, paint: ChalkInstance): string =>
  newerVersion ? paint.dim('unknown') : paint[colours[status]](status);

const longestNote = 100;
const short = (text: string): string => (text.length > longestNote ? `${text.slice(0, longestNote - 3)}...` : text);

/** A line an event, times local with the zone in the head; an outcome that is too long is cut, `events show` has all of it. */
export function eventTable(events: readonly TimelineEvent[], paint: ChalkInstance): string {
  const zone = localZone(events.map(({ timestamp }) => timestamp));
  const rows = events.map((event) => [
    localMinute(event.timestamp),
    event.id,
    event.database,
    event.scheduleId === undefined ? event.type : `${event.type} ${event.scheduleId}`,
    statusOf(event, paint),
    short(outcomeOf(event, localTime)),
  ]);
  return table([`TIME (${zone})`, 'ID', 'DATABASE', 'TYPE', 'STATUS', 'OUTCOME'], rows, { width: width(), paint, ids: 1, cutLast: true });
}

/** One event on one line. */
export function eventLine(event: TimelineEvent, paint: ChalkInstance): string {
  const words = [localTime(event.timestamp), event.id, event.database, event.type];
  const rest = [durationOf(event), sizeOf(event), short(noteOf(event, localTime))].filter(Boolean);
  return [...words.map(harmless), statusOf(event, paint), ...rest.map((text) => harmless(text.replace(/\s+/g, ' ')))].join('  ');
}

/** Everything about one event, and how it came to it. */
export function eventPage({ event, records }: EventHistory, paint: ChalkInstance): string {
  const { result } = event;
  const zoned = (iso: string) => `${localTime(iso)} ${localZone([iso])}`;
  const pairs: (readonly [string, string])[] = [
    ['id', event.id],
    ['status', statusOf(event, paint)],
    ...(result?.error ? [['error', result.error] as const] : []),
    ...(result?.hint ? [['hint', result.hint] as const] : []),
    ...eventFacts(event, zoned),
  ];
  const steps = records.map((record) => [localTime(record.at), stepOf(record, localTime)]);
  const options = { width: width(), paint };
  return `${facts(pairs, options)}\n\n${table([`TIME (${localZone(records.map(({ at }) => at))})`, 'STATUS'], steps, options)}`;
}
