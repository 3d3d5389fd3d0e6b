/**
 * model: the agenda, what a ledger's lines leave to be done: slots not accounted for, and events that wait for their time. Pure.
 */
import { isTerminal } from './event.js';
import type { LedgerRecord } from './ledger.js';

export interface Agenda {
  /** Of each schedule, up to when its slots are accounted for, and by which timing. */
  readonly schedules: Record<string, { readonly timing: string; readonly until: string }>;
  /** When the newest event of a schedule and database was created, ISO 8601, by `<schedule> <database>`. */
  readonly newest: Record<string, string>;
  /** The same of the newest completed one. */
  readonly completed: Record<string, string>;
  /** Pending events that wait for their time: when it comes, ISO 8601, by their ids. */
  readonly waiting: Record<string, string>;
}

export const emptyAgenda = (): Agenda => ({ schedules: {}, newest: {}, completed: {}, waiting: {} });

/** Takes a line into the agenda; taking it twice changes nothing. Listings end at a `clear`, the agenda does not. */
export function take(agenda: Agenda, record: LedgerRecord): void {
  if (record.record === 'schedule') agenda.schedules[record.scheduleId] = { timing: record.timing, until: record.until };
  if (record.record !== 'event') return;
  const { scheduleId, database, timestamp } = record;
  const key = `${scheduleId} ${database}`;
  if (scheduleId !== undefined && timestamp > (agenda.newest[key] ?? '')) agenda.newest[key] = timestamp;
  if (scheduleId !== undefined && record.status === 'completed' && timestamp > (agenda.completed[key] ?? ''))
    agenda.completed[key] = timestamp;
  if (record.status === 'pending' && record.notBefore !== undefined) agenda.waiting[record.id] = record.notBefore;
  else if (isTerminal(record.status) || record.status === 'running') delete agenda.waiting[record.id];
}
