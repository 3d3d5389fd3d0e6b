/**
 * model: what of a ledger is counted for ever, a `clear` or not: counters never go back. Pure, and JSON, so that it can be remembered.
 */
import { isTerminal, type BackupEvent, type EventStatus } from '../events/event.js';
import type { LedgerRecord } from '../events/ledger.js';
import type { Histogram } from './exposition.js';
import { deferrals, deletions, durationBounds } from './names.js';

export interface Tally {
  /** By the JSON of metric and labels' values. */
  readonly counts: Record<string, number>;
  /** Of completed backups, s, by the JSON of schedule and database. */
  readonly durations: Record<string, { counts: number[]; sum: number }>;
  /** When a backup was last begun, ISO 8601, likewise. */
  readonly begun: Record<string, string>;
  /** How the events ended that ended last: a line may have been written twice. */
  ended: Record<string, EventStatus>;
  /** How many of them, at least. */
  endedCount: number;
}

export const emptyTally = (): Tally => ({ counts: {}, durations: {}, begun: {}, ended: {}, endedCount: 0 });

const mostEnded = 1000;

const keyOf = (...parts: readonly (string | null)[]): string => JSON.stringify(parts);
const routineOf = ({ scheduleId, database }: Pick<BackupEvent, 'scheduleId' | 'database'>): string => keyOf(scheduleId ?? null, database);

function count({ counts }: Tally, by: number, ...parts: readonly (string | null)[]): void {
  const key = keyOf(...parts);
  counts[key] = (counts[key] ?? 0) + by;
}

/** Takes the next line. */
export function tally(into: Tally, record: LedgerRecord): void {
  if (record.record === 'event') takeEvent(into, record);
  else if (record.record === 'delivery') count(into, 1, 'delivery', record.channel, record.ok ? 'ok' : record.dead ? 'dead' : 'failed');
  else if (record.record === 'prune' && record.phase !== 'intent')
    count(into, record.backupIds.length, 'deleted', record.database, record.storage, deletions[record.phase]);
}

function takeEvent(into: Tally, event: BackupEvent): void {
  const { id, status, reasons = [], scheduleId = null, database } = event;
  const before = into.ended[id];
  if (before !== undefined && !(before === 'failed' && status === 'completed' && event.recovered === true)) return;
  if (status === 'pending') {
    for (const reason of reasons) count(into, 1, 'deferred', scheduleId, database, deferralOf(reason));
    return;
  }
  if (status !== 'cancelled') into.begun[routineOf(event)] = event.timestamp;
  if (!isTerminal(status)) return;
  count(into, 1, 'run', scheduleId, database, status);
  if (status === 'completed') time(into, event);
  into.ended[id] = status;
  into.endedCount += 1;
  if (into.endedCount < 2 * mostEnded) return;
  into.ended = Object.fromEntries(Object.entries(into.ended).slice(-mostEnded));
  into.endedCount = mostEnded;
}

function deferralOf(reason: string): string {
  const word = reason.split(':', 1)[0];
  return deferrals.find((known) => known === word) ?? 'other';
}

function time({ durations }: Tally, event: BackupEvent): void {
  const seconds = (event.result?.duration ?? 0) / 1000;
  const known = (durations[routineOf(event)] ??= { counts: Array.from({ length: durationBounds.length + 1 }, () => 0), sum: 0 });
  const found = durationBounds.findIndex((bound) => seconds <= bound);
  const index = found < 0 ? durationBounds.length : found;
  known.counts[index] = (known.counts[index] ?? 0) + 1;
  known.sum += seconds;
}

/** How often; 0 when never. */
export const countOf = ({ counts }: Tally, ...parts: readonly (string | null)[]): number => counts[keyOf(...parts)] ?? 0;

export const durationsOf = ({ durations }: Tally, scheduleId: string | null, database: string): Histogram =>
  durations[keyOf(scheduleId, database)] ?? { counts: [], sum: 0 };

/** When a backup was last begun, ISO 8601. */
export const begunOf = ({ begun }: Tally, scheduleId: string | null, database: string): string | null =>
  begun[keyOf(scheduleId, database)] ?? null;
