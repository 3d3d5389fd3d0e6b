/**
 * model: what backups cost their databases, summed over many of them. Pure.
 */
import type { Impact } from '../moment/observation.js';
import type { BackupEvent } from './event.js';

/** Over the backups that were watched. Changes in % of what was just before; null where nothing could be compared. */
export interface Cost {
  readonly watched: number;
  /** Those that kept to one core. */
  readonly confined: number;
  /** Those that ended because others waited for them. */
  readonly gaveWay: number;
  /** The longest time that a session waited for one of them, ms. */
  readonly longestBlocked: number;
  readonly transactions: number | null;
  readonly latency: number | null;
}

class Change {
  private readonly name: 'transactionsPerSecond' | 'latency';
  private before = 0;
  private during = 0;

  constructor(name: 'transactionsPerSecond' | 'latency') {
    this.name = name;
  }

  add({ before, during }: Impact): void {
    if (!before || !during || before[this.name] === 0) return;
    this.before += before[this.name];
    this.during += during[this.name];
  }

  get percent(): number | null {
    return this.before === 0 ? null : Math.round((100 * (this.during - this.before)) / this.before);
  }
}

export class CostTally {
  private watched = 0;
  private confined = 0;
  private gaveWay = 0;
  private longestBlocked = 0;
  private readonly transactions = new Change('transactionsPerSecond');
  private readonly latency = new Change('latency');

  /** Takes an event that is ended. */
  add({ impact, result }: Pick<BackupEvent, 'impact' | 'result'>): void {
    if (!impact) return;
    this.watched += 1;
    if (typeof impact.core === 'number') this.confined += 1;
    if (result?.code === 'gave-way') this.gaveWay += 1;
    this.longestBlocked = Math.max(this.longestBlocked, impact.longestBlocked);
    this.transactions.add(impact);
    this.latency.add(impact);
  }

  /** Null: nothing was watched. */
  get figures(): Cost | null {
    const { watched, confined, gaveWay, longestBlocked } = this;
    if (watched === 0) return null;
    return { watched, confined, gaveWay, longestBlocked, transactions: this.transactions.percent, latency: this.latency.percent };
  }
}
