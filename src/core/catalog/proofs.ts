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

/** The highest level proven of each backup since it was made, and how the newest look at each of its copies went. Takes lines newest first. */
export class Proofs {
  private readonly best = new Map<string, Proof>();
  private readonly verdicts = new Map<string, Map<string, boolean>>();

  take(record: LedgerRecord): void {
    if (record.record !== 'verification' || record.undone) return;
    const { backupId, level, ok, at } = record;
    const known = this.verdicts.get(backupId) ?? new Map<string, boolean>();
    this.verdicts.set(backupId, known);
    const storages = record.storage.split(', ');
    for (const storage of storages) if (!known.has(storage)) known.set(storage, ok);
    const stands = ok && storages.some((storage) => known.get(storage));
    if (stands && levelRank(level) > levelRank(this.best.get(backupId)?.level)) this.best.set(backupId, { level, at });
  }

  /** The highest of what was proven before the commit and since. */
  of({ backupId, proven }: Pick<Manifest, 'backupId' | 'proven'>): Proof | null {
    const later = this.best.get(backupId);
    return levelRank(later?.level) >= levelRank(proven?.level) ? (later ?? proven) : proven;
  }

  /** Whether the newest look at the copy in a storage spoke against it; what was proven of another copy holds for one that nobody looked at. Null: nobody looked at all. */
  isBad(backupId: string, storage: string): boolean | null {
    const verdict = this.verdicts.get(backupId)?.get(storage);
    return verdict === undefined ? (this.best.has(backupId) ? false : null) : !verdict;
  }

  /** Why a backup is not to be trusted, a sentence each; empty for a good one. What looked odd is cleared by a restore. */
  doubts(manifest: Pick<Manifest, 'backupId' | 'proven' | 'suspect'>, storages: readonly string[]): readonly string[] {
    if (storages.length > 0 && storages.every((storage) => this.isBad(manifest.backupId, storage))) return [failedProof];
    return this.of(manifest)?.level === 'restore' ? [] : (manifest.suspect ?? []);
  }
}
