/**
 * model: an event in words, the same wherever a person reads of it. Pure; how a moment is written is an argument.
 */
import type { Impact, Load } from '../moment/observation.js';
import { formatBytes, formatDuration } from '../units.js';
import type { BackupEvent } from './event.js';
import type { LedgerRecord } from './ledger.js';
import type { TimelineEvent } from './timeline.js';

/** Of an ISO 8601 moment. */
type TimeOf = (iso: string) => string;

/** What a person wants to know about it beside its state; empty when there is nothing. */
export function noteOf(event: TimelineEvent, timeOf: TimeOf): string {
  const { status, result, reasons, warnings, waits, notBefore, recovered, newerVersion } = event;
  if (newerVersion) return 'written by a newer version of this tool';
  if (result?.error) return result.error;
  if (status === 'pending' && reasons && reasons.length > 0) return `waits for ${reasons.join('; ')}`;
  if (status === 'running' && waits) return `waits for ${waits}`;
  if (status === 'pending' && notBefore) return `due ${timeOf(notBefore)}`;
  if (reasons && reasons.length > 0) return reasons.join('; ');
  if (recovered) return 'recovered after its process died';
  return warnings && warnings.length > 0 ? warnings.join('; ') : '';
}

export const durationOf = ({ result }: BackupEvent): string => (result && result.duration > 0 ? formatDuration(result.duration) : '');
export const sizeOf = ({ result, equalTo }: BackupEvent): string =>
  equalTo ? 'unchanged' : result?.success ? formatBytes(result.size) : '';

/** What an ended event came to, else why it is as it is. */
export function outcomeOf(event: TimelineEvent, timeOf: TimeOf): string {
  const figures = event.result?.success ? `${sizeOf(event)} in ${durationOf(event)}` : '';
  return [figures, noteOf(event, timeOf)].filter(Boolean).join('; ');
}

type Fact = readonly [name: string, value: string | number | null | undefined];

/** What it cost the database. */
function impactFacts(impact: Impact | undefined): Fact[] {
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

/** Everything about it but its state and its error; what is not known is left out. */
export function eventFacts(event: BackupEvent, timeOf: TimeOf): (readonly [name: string, value: string])[] {
  const { metadata } = event;
  const known: readonly Fact[] = [
    ['database', event.database],
    ['type', event.type],
    ['schedule', event.scheduleId],
    ['trigger', event.trigger],
    ['cause', event.cause],
    ['created', timeOf(event.timestamp)],
    ['not before', event.notBefore && timeOf(event.notBefore)],
    ['attempt', event.attempt],
    ['retry of', event.retryOf],
    ['backup', event.result?.backupId],
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
  return known.flatMap(([name, value]) => (value === null || value === undefined || value === '' ? [] : [[name, String(value)] as const]));
}

/** One line of an event's history: a state, or what became of telling of it. */
export function stepOf(record: LedgerRecord, timeOf: TimeOf): string {
  if (record.record === 'event') return record.waits && record.status === 'running' ? `running, waits for ${record.waits}` : record.status;
  if (record.record !== 'delivery') return 'unknown (newer version)';
  const { channel, ok, dead, detail, notBefore } = record;
  if (ok) return `told ${channel}: ${detail}`;
  return `${channel} not told${dead ? ', given up' : ''}: ${detail}${notBefore ? `; again ${timeOf(notBefore)}` : ''}`;
}
