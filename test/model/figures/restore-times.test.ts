/**
 * test: the measured restore times, from lines of the ledger.
 */
import { expect, test } from 'vitest';
import type { LedgerRecord } from '../../../src/model/events/ledger.js';
import { RestoreTimes } from '../../../src/model/figures/restore-times.js';

const at = (hour: number): string => new Date(Date.UTC(2026, 0, 1, hour)).toISOString();
const line = (content: object): LedgerRecord => ({ database: 'shop', ok: true, ...content }) as unknown as LedgerRecord;
const verified = (hour: number, duration: number, size: number, more: object = {}) =>
  line({ record: 'verification', level: 'restore', duration, size, at: at(hour), ...more });

function figures(...lines: LedgerRecord[]) {
  const times = new RestoreTimes();
  for (const one of lines) times.take(one);
  return times.figures();
}

test('the last, the median, the pace, and what the newest backup would take', () => {
  const made = line({ record: 'event', status: 'completed', result: { size: 4000 }, at: at(5) });
  const restored = line({ record: 'restore', compared: true, duration: 500, size: 2000, at: at(3) });
  expect(figures(verified(1, 100, 1000), verified(2, 300, 1000), restored, made)).toEqual([
    { database: 'shop', count: 3, last: 500, at: at(3), median: 300, bytesPerSecond: 4000, predicted: 1000 },
  ]);
  expect(figures(verified(1, 100, 1000), verified(2, 300, 1000))).toMatchObject([{ median: 200 }]);
});

test('only whole restores that went well count', () => {
  const others = [
    verified(1, 1, 1, { level: 'archive' }),
    verified(1, 1, 1, { ok: false }),
    line({ record: 'restore', duration: 1, at: at(1) }),
  ];
  expect(figures(...others)).toEqual([]);
  expect(figures(...others, verified(2, 5, 1000))).toMatchObject([{ count: 1, bytesPerSecond: null }]);
});
