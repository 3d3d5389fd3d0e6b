/**
 * model: what backups cost their databases, summed over many of them. Pure.
 */
import type { Impact } from '../moment/observation.js';
import type { BackupEvent } from '../events/event.js';

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

/** Sums over the events that were watched; JSON. */
export interface CostSums {
  watched: number;
  confined: number;
  gaveWay: number;
  longestBlocked: number;
  readonly transactions: Change;
  readonly latency: Change;
}

interface Change {
  before: number;
  during: number;
}

export const noCost = (): CostSums => ({
  watched: 0,
  confined: 0,
  gaveWay: 0,
  longestBlocked: 0,
  transactions: { before: 0, during: 0 },
  latency: { before: 0, during: 0 },
});

function addChange(into: Change, { before, during }: Impact, name: 'transactionsPerSecond' | 'latency'): void {
  if (!before || !during || before[name] === 0) return;
  into.before += before[name];
  into.during += during[name];
}

/** Takes an event that is ended. */
export function addCost(into: CostSums, { impact, result }: Pick<BackupEvent, 'impact' | 'result'>): void {
  if (!impact) return;
  into.watched += 1;
  if (typeof impact.core === 'number') into.confined += 1;
  if (result?.code === 'gave-way') into.gaveWay += 1;
  into.longestBlocked = Math.max(into.longestBlocked, impact.longestBlocked);
  addChange(into.transactions, impact, 'transactionsPerSecond');
  addChange(into.latency, impact, 'latency');
}

const percentOf = ({ before, during }: Change): number | null => (before === 0 ? null : Math.round((100 * (during - before)) / before));

/** Null: nothing was watched. */
export const costOf = ({ transactions, latency, ...sums }: CostSums): Cost | null =>
  sums.watched === 0 ? null : { ...sums, transactions: percentOf(transactions), latency: percentOf(latency) };
