/**
 * model: which storages are owed a copy of a backup, by the ledger alone, and when the next try is due. Looks at no storage.
 */
import type { LedgerRecord } from '../events/ledger.js';
import { msPerDay, msPerHour } from '../units.js';

export interface OwedCopy {
  readonly backupId: string;
  readonly database: string;
  readonly storage: string;
}

/** Older ones are left to the next `execute` and to a person. */
export const longestOwed = 31 * msPerDay;

/** After the k-th failure in a row the storage is left alone for an hour, two, four, ... and at most a day, ms. */
const pause = (failures: number): number => Math.min(msPerDay, msPerHour * 2 ** Math.max(0, failures - 1));

/** How the newest copies to a storage went: failures since the last that went well, and when the newest was. */
interface Tries {
  failures: number;
  readonly last: number;
  ended: boolean;
}

/** Takes the records of a ledger, newest first. */
export class OwedCopies {
  private readonly settled = new Set<string>();
  private readonly found: OwedCopy[] = [];
  private readonly tries = new Map<string, Tries>();

  take(record: LedgerRecord): void {
    if (record.record === 'copy') {
      if (record.ok) this.settled.add(`${record.backupId} ${record.to}`);
      const known = this.tries.get(record.to) ?? { failures: 0, last: Date.parse(record.at), ended: false };
      known.ended ||= record.ok;
      if (!known.ended) known.failures += 1;
      this.tries.set(record.to, known);
    } else if (record.record === 'event' && record.status === 'completed')
      for (const storage of record.missing ?? [])
        if (!this.settled.has(`${record.id} ${storage}`)) this.found.push({ backupId: record.id, database: record.database, storage });
  }

  /** All, newest first. */
  owed(): readonly OwedCopy[] {
    return this.found;
  }

  /** Those of storages that were not tried in vain just now. */
  due(now: Date): OwedCopy[] {
    return this.found.filter(({ storage }) => {
      const known = this.tries.get(storage);
      return !known || known.failures === 0 || now.getTime() >= known.last + pause(known.failures);
    });
  }
}
