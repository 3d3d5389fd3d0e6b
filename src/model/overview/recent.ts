/**
 * model: what a ledger tells of late: the last backups of each database, and the failures that nothing has made good. Pure, and JSON, so
 * that it can be remembered.
 */
import type { BackupEvent } from '../events/event.js';
import type { LedgerRecord } from '../events/ledger.js';
import { eventOf } from '../events/record.js';
import { own } from '../own.js';

/** A backup that was made; duration ms, size stored bytes. */
export interface Made {
  readonly at: string;
  readonly duration: number;
  readonly size: number;
}

/** Of a database, since its last good backup. */
export interface Broken {
  /** The newest one that failed, or was given up. */
  readonly event: BackupEvent;
  readonly count: number;
}

/** By database. */
export interface Recent {
  /** Oldest first. */
  made: Record<string, Made[]>;
  broken: Record<string, Broken>;
}

export const emptyRecent = (): Recent => ({ made: {}, broken: {} });

/** As many as a trend shows. */
const mostMade = 30;

/** What somebody wanted and did not get; another host's backup, and what a person cancelled, are no loss. */
const isLoss = ({ status, slot, reasons }: BackupEvent): boolean =>
  status === 'failed' || (status === 'cancelled' && slot !== undefined && reasons?.[0]?.startsWith('duplicate:') !== true);

/** Takes the next record. */
export function recent(into: Recent, record: LedgerRecord): void {
  if (record.record === 'clear') Object.assign(into, emptyRecent());
  if (record.record !== 'event') return;
  const { database, status, timestamp, result, equalTo } = record;
  if (status === 'completed') {
    delete into.broken[database];
    if (!result || equalTo !== undefined) return;
    const made = { at: timestamp, duration: result.duration, size: result.size };
    into.made[database] = [...(own(into.made, database) ?? []), made].slice(-mostMade);
  } else if (isLoss(record) && timestamp > (own(into.made, database)?.at(-1)?.at ?? '')) {
    const before = own(into.broken, database);
    into.broken[database] = { event: eventOf(record), count: (before?.count ?? 0) + 1 };
  }
}
