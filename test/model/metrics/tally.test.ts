/** model/metrics/tally: counters never go back, whatever a ledger holds. */
import fc from 'fast-check';
import { expect, test } from 'vitest';
import type { EventStatus } from '../../../src/model/events/event.js';
import type { LedgerRecord } from '../../../src/model/events/ledger.js';
import { begunOf, countOf, durationsOf, emptyTally, tally } from '../../../src/model/metrics/tally.js';
import { makeEvent } from '../../fixtures/ledger.js';

const frame = { v: 1, at: '2026-01-01T00:00:00Z', prev: '' };
const record = (k: number, status: EventStatus, more: object = {}): LedgerRecord => ({ record: 'event', ...makeEvent(k, status, more), step: 0, ...frame }); // prettier-ignore

test('counts how events end, once, and what they waited for', () => {
  const into = emptyTally();
  const scheduled = { scheduleId: 'daily' };
  for (const one of [
    record(1, 'pending', scheduled),
    record(1, 'pending', { ...scheduled, reasons: ['window: it is late', 'load: 90 %'] }),
    record(1, 'pending', { ...scheduled, reasons: ['something of tomorrow: 1'] }),
    record(1, 'running', scheduled),
    record(1, 'completed', { ...scheduled, result: { success: true, duration: 61_000, size: 1 } }),
    record(1, 'completed', scheduled),
    record(1, 'running', scheduled),
    record(2, 'failed', scheduled),
    record(2, 'completed', { ...scheduled, recovered: true }),
    record(3, 'cancelled'),
  ])
    tally(into, one);
  const runs = (schedule: string | null) =>
    ['completed', 'failed', 'cancelled'].map((result) => countOf(into, 'run', schedule, 'shop', result));
  expect(runs('daily')).toEqual([2, 1, 0]);
  expect(runs(null)).toEqual([0, 0, 1]);
  expect(['window', 'load', 'disk', 'other'].map((reason) => countOf(into, 'deferred', 'daily', 'shop', reason))).toEqual([1, 1, 0, 1]);
  expect(durationsOf(into, 'daily', 'shop')).toEqual({ counts: [0, 1, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0], sum: 62.002 });
  expect([begunOf(into, 'daily', 'shop'), begunOf(into, null, 'shop')]).toEqual(['2026-01-01T00:00:02.000Z', null]);
});

test('counts what was told, and what retention took', () => {
  const into = emptyTally();
  const told = { record: 'delivery', alertId: 'a', channel: 'ops', kind: 'failure', attempt: 1, detail: '', notBefore: null } as const;
  const pruned = { record: 'prune', storage: 'local', database: 'shop', scheduleId: null, backupIds: ['1', '2'] } as const;
  for (const one of [
    { ...told, ok: true, dead: false },
    { ...told, ok: false, dead: false },
    { ...told, ok: false, dead: true },
    { ...pruned, phase: 'intent' } as const,
    { ...pruned, phase: 'done' } as const,
    { ...pruned, phase: 'emptied' } as const,
  ])
    tally(into, { ...one, ...frame });
  expect(['ok', 'failed', 'dead'].map((result) => countOf(into, 'delivery', 'ops', result))).toEqual([1, 1, 1]);
  expect(['expired', 'undone', 'emptied'].map((reason) => countOf(into, 'deleted', 'shop', 'local', reason))).toEqual([2, 0, 2]);
});

test('nothing ever falls', () => {
  const statuses = fc.constantFrom<EventStatus>('pending', 'running', 'completed', 'failed', 'cancelled');
  const written = fc.tuple(fc.nat(5), statuses, fc.boolean());
  fc.assert(
    fc.property(fc.array(written, { maxLength: 60 }), (all) => {
      const into = emptyTally();
      for (const [k, status, recovered] of all) {
        const before = { ...into.counts };
        tally(into, record(k, status, { recovered, reasons: ['load: 1'] }));
        for (const [key, count] of Object.entries(before)) expect(into.counts[key]).toBeGreaterThanOrEqual(count);
      }
    }),
  );
});

test('what it remembers of ended events stays small', () => {
  const into = emptyTally();
  for (let k = 0; k < 5000; k += 1) tally(into, record(k, 'completed'));
  expect(Object.keys(into.ended).length).toBeLessThanOrEqual(2000);
  tally(into, record(4999, 'completed'));
  expect(countOf(into, 'run', null, 'shop', 'completed')).toBe(5000);
});
