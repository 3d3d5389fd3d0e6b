/**
 * model: durations, counted in classes that grow by 2 %, so that a million of them need no more room than a thousand. Pure, and JSON.
 */
import { own } from '../own.js';

const growth = Math.log(1.02);

/** ms */
export interface Durations {
  readonly classes: Record<string, number>;
  count: number;
  sum: number;
  least: number;
  most: number;
}

export const noDurations = (): Durations => ({ classes: {}, count: 0, sum: 0, least: 0, most: 0 });

export function addDuration(into: Durations, ms: number): void {
  const key = String(Math.round(Math.log(Math.max(1, ms)) / growth));
  into.classes[key] = (own(into.classes, key) ?? 0) + 1;
  into.least = into.count === 0 ? ms : Math.min(into.least, ms);
  into.most = Math.max(into.most, ms);
  into.sum += ms;
  into.count += 1;
}

/** 0 when there is none. */
export const averageOf = ({ count, sum }: Durations): number => (count === 0 ? 0 : Math.round(sum / count));

/** The duration that `share` of them do not exceed. */
export function percentileOf({ classes, count, least, most }: Durations, share: number): number {
  let left = Math.ceil(share * count);
  const sorted = Object.entries(classes).map(([key, times]) => [Number(key), times] as const).toSorted(([a], [b]) => a - b); // prettier-ignore
  for (const [index, times] of sorted) {
    left -= times;
    if (left <= 0) return Math.round(Math.min(most, Math.max(least, Math.exp(index * growth))));
  }
  return most;
}
