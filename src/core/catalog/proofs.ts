/**
 * core: what the ledger says was proven of backups, and the verdict on each that follows from it. Reads lines that others read for it.
 */
import type { Manifest, Proof } from '../../model/backup/backup.js';
import type { LedgerRecord } from '../../model/events/ledger.js';
import { failedProof, levelRank } from '../../model/backup/level.js';
import { msPerDay } from '../../model/units.js';

/** A clock may have been set back by this much between a backup and its verification. */
const clockSlack = msPerDay;

/** A line written before this is about no backup made at `time` (ISO 8601) or later. */
export const earliestProof = (time: string): string => new Date(Date.parse(time) - clockSlack).toISOString();

/** The highest level proven of each backup since it was made, and those whose newest verification failed. Takes lines newest first. */
export class Proofs {
  readonly best = new Map<string, Proof>();
  readonly failed = new Set<string>();

  take(record: LedgerRecord): void {
    if (record.record !== 'verification') return;
    const known = this.best.get(record.backupId);
    if (!record.ok && !known) this.failed.add(record.backupId);
    if (record.ok && !this.failed.has(record.backupId) && levelRank(record.level) > levelRank(known?.level))
      this.best.set(record.backupId, { level: record.level, at: record.at });
  }

  /** The highest of what was proven before the commit and since. */
  of({ backupId, proven }: Pick<Manifest, 'backupId' | 'proven'>): Proof | null {
    const later = this.best.get(backupId);
    return levelRank(later?.level) >= levelRank(proven?.level) ? (later ?? proven) : proven;
  }

  /** Why a backup is not to be trusted, a sentence each; empty for a good one. What looked odd is cleared by a restore. */
  doubts(manifest: Pick<Manifest, 'backupId' | 'proven' | 'suspect'>): readonly string[] {
    if (this.failed.has(manifest.backupId)) return [failedProof];
    return this.of(manifest)?.level === 'restore' ? [] : (manifest.suspect ?? []);
  }
}
