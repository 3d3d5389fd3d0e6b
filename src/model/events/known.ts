/**
 * model: since when the schedules are known, by what runs them: nothing that was due before is anybody's to miss. Pure.
 */
import type { LedgerRecord } from './ledger.js';

/** Of each schedule, by which timing it is known and since when, ISO 8601. */
export type KnownSchedules = Record<string, { readonly timing: string; readonly since: string }>;

/** A schedule is known anew when its times are changed. */
export function takeKnown(known: KnownSchedules, record: LedgerRecord): void {
  if (record.record !== 'schedule' || known[record.scheduleId]?.timing === record.timing) return;
  known[record.scheduleId] = { timing: record.timing, since: record.at };
}

/**
 * Since when a schedule is expected to run; `beginning`, that of the records, where nothing has run any schedule yet. Null: what runs the
 * others has not seen it so far, so that it can have missed nothing.
 */
export function knownSince(known: KnownSchedules, scheduleId: string, beginning: Date | null): Date | null {
  const own = known[scheduleId];
  if (own) return new Date(own.since);
  return Object.keys(known).length === 0 ? beginning : null;
}
