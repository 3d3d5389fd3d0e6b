/**
 * model: how far the backups of each database were proven, before they were committed and by every verification since. Pure.
 */
import { levelRank, type Level } from '../backup/level.js';
import { own } from '../own.js';
import type { LedgerRecord } from '../events/ledger.js';

export interface Proven {
  readonly database: string;
  /** The highest that any of its backups was proven to; null: none was. */
  readonly level: Level | null;
  /** When that was done last, ISO 8601, and with which backup. */
  readonly at: string | null;
  readonly backupId: string | null;
}

/** Takes the records of a ledger, oldest first. */
export class ProvenLevels {
  /** By database; JSON. */
  readonly highest: Record<string, Proven>;

  constructor(highest: Record<string, Proven> = {}) {
    this.highest = highest;
  }

  take(record: LedgerRecord): void {
    if (record.record === 'event' && record.status === 'completed')
      this.raise(record.database, record.proven ?? null, record.at, record.result?.backupId ?? null);
    if (record.record === 'verification' && record.ok) this.raise(record.database, record.level, record.at, record.backupId);
  }

  /** Of each database that has backups, by name. */
  figures(): Proven[] {
    return Object.values(this.highest).toSorted((a, b) => (a.database < b.database ? -1 : 1));
  }

  private raise(database: string, level: Level | null, at: string, backupId: string | null): void {
    if (levelRank(level) < levelRank(own(this.highest, database)?.level)) return;
    this.highest[database] = level === null ? { database, level, at: null, backupId: null } : { database, level, at, backupId };
  }
}
