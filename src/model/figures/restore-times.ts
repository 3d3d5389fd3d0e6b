/**
 * model: how long a database takes to come back, measured by every whole restore and every verification by one. Pure.
 */
import { own } from '../own.js';
import type { LedgerRecord } from '../events/ledger.js';

/** Times ms, sizes stored bytes. */
export interface RestoreTime {
  readonly database: string;
  /** How many were measured. */
  readonly count: number;
  readonly last: number;
  /** When the last one was, ISO 8601. */
  readonly at: string;
  readonly median: number;
  /** Stored bytes a second, of the last one; null where it was too short to tell. */
  readonly bytesPerSecond: number | null;
  /** What the newest backup would take, at the pace of the last one. */
  readonly predicted: number;
}

interface Measured {
  readonly duration: number;
  readonly size: number;
  readonly at: string;
}

/** By database; JSON. */
export interface Measurements {
  readonly measured: Record<string, readonly Measured[]>;
  /** Stored bytes of the newest backup. */
  readonly sizes: Record<string, number>;
}

/** Newest ones that the median is of. */
const most = 100;
/** Below this a duration says more about starting than about bytes, ms. */
const tooShort = 10;

const middle = (sorted: readonly number[]): number => {
  const half = sorted.length >> 1;
  const [a = 0, b = a] = sorted.length % 2 === 1 ? [sorted[half]] : [sorted[half - 1], sorted[half]];
  return Math.round((a + b) / 2);
};

/** Takes the records of a ledger, oldest first. */
export class RestoreTimes {
  readonly state: Measurements;

  constructor(state: Measurements = { measured: {}, sizes: {} }) {
    this.state = state;
  }

  take(record: LedgerRecord): void {
    if (record.record === 'event' && record.status === 'completed' && record.equalTo === undefined)
      this.state.sizes[record.database] = record.result?.size ?? 0;
    const isRestore = record.record === 'restore' || (record.record === 'verification' && record.level === 'restore');
    if (!isRestore || !record.ok || record.size === undefined) return;
    const { duration, size, at } = record;
    const { measured } = this.state;
    measured[record.database] = [...(own(measured, record.database) ?? []), { duration, size, at }].slice(-most);
  }

  /** Of each database that was restored once, by name. */
  figures(): RestoreTime[] {
    return Object.entries(this.state.measured)
      .toSorted(([a], [b]) => (a < b ? -1 : 1))
      .flatMap(([database, all]) => {
        const last = all.at(-1);
        if (!last) return [];
        const today = own(this.state.sizes, database) ?? last.size;
        return [
          {
            database,
            count: all.length,
            last: last.duration,
            at: last.at,
            median: middle(all.map(({ duration }) => duration).toSorted((a, b) => a - b)),
            bytesPerSecond: last.duration < tooShort ? null : Math.round((last.size / last.duration) * 1000),
            predicted: last.size === 0 ? last.duration : Math.round((last.duration * today) / last.size),
          },
        ];
      });
  }
}
