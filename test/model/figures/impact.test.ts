/** test: what many backups cost their databases. */
import { expect, test } from 'vitest';
import { addCost, costOf, noCost } from '../../../src/model/figures/impact.js';
import type { Impact, Load } from '../../../src/model/moment/observation.js';

const load = (transactionsPerSecond: number, latency: number): Load => ({
  transactionsPerSecond,
  latency,
  connections: 1,
  cacheHitRatio: null,
  walBytesPerSecond: null,
  waiting: 0,
});
const impact = (change: Partial<Impact>): Impact => ({ before: null, during: null, longestBlocked: 0, core: null, gentle: '', ...change });

test('nothing watched, nothing told', () => {
  const sums = noCost();
  addCost(sums, {});
  expect(costOf(sums)).toBeNull();
});

test('changes weigh by what went on before; what has no before is counted, not compared', () => {
  const sums = noCost();
  addCost(sums, { impact: impact({ before: load(100, 2), during: load(90, 3), core: 1 }) });
  addCost(sums, { impact: impact({ before: load(300, 2), during: load(290, 2), longestBlocked: 1500 }) });
  addCost(sums, { impact: impact({ during: load(1, 9) }) });
  addCost(sums, {
    impact: impact({ longestBlocked: 60_000 }),
    result: { success: false, code: 'gave-way', duration: 1, size: 0 },
  });
  expect(costOf(sums)).toEqual({ watched: 4, confined: 1, gaveWay: 1, longestBlocked: 60_000, transactions: -5, latency: 25 });
});
