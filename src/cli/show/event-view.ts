/**
 * cli: how an event looks in a table, on a line and on a page of its own. It decides nothing.
 */
import type { ChalkInstance } from 'chalk';
import type { EventHistory } from '../../core/history/events.js';
import type { BackupEvent } from '../../model/events/event.js';
import type { Impact, Load } from '../../model/moment/observation.js';
import type { LedgerRecord } from '../../model/events/ledger.js';
import type { TimelineEvent } from '../../model/events/timeline.js';
import { formatBytes, formatDuration } from '../../model/units.js';
import { localMinute, localTime, localZone } from '../../model/moment/here.js';
import { harmless, width } from '../render.js';
import { facts, table } from './table.js';

const colours = { pending: 'cyan', running: 'blue', completed: 'green', failed: 'red', cancelled: 'yellow' } as const;

const statusOf = ({ status, newerVersion }: TimelineEvent, paint: ChalkInstance): string =>
  newerVersion ? paint.dim('unknown') : paint[colours[status]](status);

/** What a person wants to know about it beside its state. */
function noteOf({ status, result, reasons, warnings, notBefore, recovered, newerVersion }: TimelineEvent): string {
  if (newerVersion) return 'written by a newer version of this tool';
  if (result?.error) return result.error;
  if (status === 'pending' && reasons && reasons.length > 0) return `waits for ${reasons.join('; ')}`;
  if (status === 'pending' && notBefore) return `due ${localTime(notBefore)}`;
  if (reasons && reasons.length > 0) return reasons.join('; ');
  if (recovered) return 'recovered after its process died';
  return warnings && warnings.length > 0 ? warnings.join('; ') : '';
}

const longestNote = 100;
const short = (text: string): string => (text.length > longestNote ? `${text.slice(0, longestNote - 3)}...` : text);
const durationOf = ({ result }: BackupEvent): string => (result && result.duration > 0 ? formatDuration(result.duration) : '');
const sizeOf = ({ result, equalTo }: BackupEvent): string => (equalTo ? 'unchanged' : result?.success ? formatBytes(result.size) : '');

/** What an ended event came to, else why it is as it is. */
const outcomeOf = (event: TimelineEvent): string => {
  const figures = event.result?.success ? `${sizeOf(event)} in ${durationOf(event)}` : '';
  return [figures, noteOf(event)].filter(Boolean).join('; ');
};

/** A line an event, times local with the zone in the head; an outcome that is too long is cut, `events show` has all of it. */
export function eventTable(events: readonly TimelineEvent[], paint: ChalkInstance): string {
  const zone = localZone(events.map(({ timestamp }) => timestamp));
  const rows = events.map((event) => [
    localMinute(event.timestamp),
    event.id,
    event.database,
    event.scheduleId === undefined ? event.type : `${event.type} ${event.scheduleId}`,
    statusOf(event, paint),
    short(outcomeOf(event)),
  ]);
  return table([`TIME (${zone})`, 'ID', 'DATABASE', 'TYPE', 'STATUS', 'OUTCOME'], rows, { width: width(), paint, ids: 1, cutLast: true });
}

/** One event on one line. */
export function eventLine(event: TimelineEvent, paint: ChalkInstance): string {
  const words = [localTime(event.timestamp), event.id, event.database, event.type];
  const rest = [durationOf(event), sizeOf(event), short(noteOf(event))].filter(Boolean);
  return [...words.map(harmless), statusOf(event, paint), ...rest.map((text) => harmless(text.replace(/\s+/g, ' ')))].join('  ');
}

/** What it cost the database, in words. */
function impactFacts(impact: Impact | undefined): (readonly [string, string | null])[] {
  if (!impact) return [];
  const { before, during, longestBlocked, gentle } = impact;
  const change = (name: keyof Load, unit: string) =>
    during?.[name] == null ? null : `${before?.[name] == null ? '' : `${before[name]} -> `}${during[name]} ${unit}`.trim();
  return [
    ['gentle', gentle],
    ['transactions', change('transactionsPerSecond', 'a second')],
    ['answers in', change('latency', 'ms')],
    ['connections', change('connections', '')],
    ['cache hits', change('cacheHitRatio', '%')],
    ['WAL', during?.walBytesPerSecond == null ? null : `${formatBytes(during.walBytesPerSecond)} a second`],
    ['others waited', longestBlocked > 0 ? `${formatDuration(longestBlocked)} at most` : null],
  ];
}

/** One line of an event's history: a state, or what became of telling of it. */
function stepOf(record: LedgerRecord): string {
  if (record.record === 'event') return record.status;
  if (record.record !== 'delivery') return 'unknown (newer version)';
  const { channel, ok, dead, detail, notBefore } = record;
  if (ok) return `told ${channel}: ${detail}`;
  return `${channel} not told${dead ? ', given up' : ''}: ${detail}${notBefore ? `; again ${localTime(notBefore)}` : ''}`;
}

/** Everything about one event, and how it came to it. */
export function eventPage({ event, records }: EventHistory, paint: ChalkInstance): string {
  const { result, metadata } = event;
  const known: (readonly [string, string | number | null | undefined])[] = [
    ['id', event.id],
    ['status', statusOf(event, paint)],
    ['error', result?.error],
    ['hint', result?.hint],
    ['database', event.database],
    ['type', event.type],
    ['schedule', event.scheduleId],
    ['trigger', event.trigger],
    ['cause', event.cause],
    ['created', `${localTime(event.timestamp)} ${localZone([event.timestamp])}`],
    ['not before', event.notBefore && localTime(event.notBefore)],
    ['attempt', event.attempt],
    ['retry of', event.retryOf],
    ['backup', result?.backupId],
    ['unchanged', event.equalTo && 'the database is as it was at that backup; none was made anew'],
    ['duration', durationOf(event)],
    ['size', sizeOf(event)],
    ['load', metadata.databaseLoad === null ? null : `${metadata.databaseLoad} %`],
    ['free space', metadata.diskSpace === null ? null : `${metadata.diskSpace} GB`],
    ['other backups', metadata.concurrentBackups],
    ...impactFacts(event.impact),
    ['reasons', event.reasons?.join('; ')],
    ['warnings', event.warnings?.join('; ')],
    ['process', `${event.pid} on ${event.host}`],
  ];
  const pairs = known.flatMap(([key, value]) =>
    value === null || value === undefined || value === '' ? [] : [[key, String(value)] as const],
  );
  const steps = records.map((record) => [localTime(record.at), stepOf(record)]);
  const options = { width: width(), paint };
  return `${facts(pairs, options)}\n\n${table([`TIME (${localZone(records.map(({ at }) => at))})`, 'STATUS'], steps, options)}`;
}
