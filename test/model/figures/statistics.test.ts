/**
 * test: figures out of records read forwards, against counting by hand.
 */
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { EventStatus } from '../../../src/model/events/event.js';
import type { LedgerRecord } from '../../../src/model/events/ledger.js';
import { StatisticsFold, type StatisticsOptions } from '../../../src/model/figures/statistics.js';
import { makeEvent } from '../../fixtures/ledger.js';

const frame = { v: 1, at: '2026-01-01T00:00:00.000Z', prev: '' };
const state = (k: number, status: EventStatus, more: object = {}): LedgerRecord => ({
  record: 'event',
  ...makeEvent(k, status),
  step: 1,
  from: 'running',
  ...frame,
  ...more,
});
const whole = (k: number, end: EventStatus, more: object = {}): LedgerRecord[] => [
  state(k, 'pending', more),
  state(k, 'running', more),
  state(k, end, more),
];
const clear: LedgerRecord = { record: 'clear', cleared: 0, by: 'test', ...frame };
const took = (duration: number, size = 0) => ({ result: { success: true, duration, size } });

function foldOf(records: readonly LedgerRecord[], options?: StatisticsOptions): StatisticsFold {
  const fold = new StatisticsFold(options);
  for (const record of records) fold.take(record);
  return fold;
}
const figures = (records: readonly LedgerRecord[], options?: StatisticsOptions) => foldOf(records, options).figures();

test('nothing', () => {
  expect(figures([])).toMatchObject({
    totalEvents: 0,
    successRate: null,
    averageDuration: 0,
    activeBackups: 0,
    lastSuccess: null,
    duration: null,
  });
});

test('the figures of the specification', () => {
  const records = [
    ...whole(1, 'completed', took(1000, 10)),
    ...whole(2, 'completed', took(3000, 30)),
    ...whole(3, 'failed'),
    ...whole(4, 'cancelled'),
    state(5, 'running'),
    state(6, 'pending'),
  ];
  expect(figures(records)).toMatchObject({
    totalEvents: 6,
    successfulEvents: 2,
    failedEvents: 1,
    successRate: 66.67,
    averageDuration: 2000,
    activeBackups: 1,
    cancelledEvents: 1,
    pendingEvents: 1,
    totalSize: 40,
    averageSize: 20,
    lastSuccess: frame.at,
  });
});

describe('odd ledgers', () => {
  test('a failed event that was recovered is completed, also when its failure is long ago', () => {
    const recovery = state(1, 'completed', { recovered: true, from: 'failed' });
    const others = Array.from({ length: 3000 }, (_, k) => whole(k + 2, 'failed')).flat();
    expect(figures([...whole(1, 'failed'), recovery])).toMatchObject({ totalEvents: 1, successfulEvents: 1, failedEvents: 0 });
    expect(figures([...whole(1, 'failed'), ...others, recovery])).toMatchObject({
      totalEvents: 3001,
      successfulEvents: 1,
      failedEvents: 3000,
    });
  });

  test('a contradicting end and a line written twice do not count', () => {
    expect(figures([...whole(1, 'completed'), state(1, 'failed'), state(1, 'completed')])).toMatchObject({
      totalEvents: 1,
      successfulEvents: 1,
      failedEvents: 0,
    });
  });

  test('an event whose beginning was lost counts', () => {
    expect(figures([state(1, 'completed')])).toMatchObject({ totalEvents: 1, successfulEvents: 1 });
  });

  test('behind a clear nothing counts, but what goes on after it', () => {
    const records = [...whole(1, 'failed'), state(2, 'running'), state(3, 'running'), clear];
    expect(figures(records)).toMatchObject({ totalEvents: 0, failedEvents: 0, activeBackups: 2 });
    expect(foldOf(records).figures(new Set([makeEvent(2, 'running').id]))).toMatchObject({
      totalEvents: 1,
      failedEvents: 1,
      activeBackups: 1,
    });
    expect(figures([...records, state(2, 'completed')])).toMatchObject({ totalEvents: 1, successfulEvents: 1, activeBackups: 1 });
  });
});

test('an event whose process died can be ended by whoever looks', () => {
  const fold = foldOf([state(1, 'pending'), state(1, 'running')]);
  expect(fold.figures(new Set(fold.unended().map(({ id }) => id)))).toMatchObject({ totalEvents: 1, failedEvents: 1, activeBackups: 0 });
});

test('since, and groups', () => {
  const records = [
    ...whole(1, 'completed', { database: 'a' }),
    ...whole(500, 'failed', { database: 'b' }),
    state(501, 'running', { database: 'b' }),
  ];
  expect(figures(records, { since: new Date(Date.UTC(2026, 0, 1, 0, 5)) })).toMatchObject({ totalEvents: 2, failedEvents: 1 });
  expect(foldOf(records, { by: ['database'] }).groupFigures('database')).toMatchObject([
    { key: 'a', totalEvents: 1, successfulEvents: 1, activeBackups: 0 },
    { key: 'b', totalEvents: 2, failedEvents: 1, activeBackups: 1 },
  ]);
});

test('property: counts agree with the last states, and percentiles with sorting, within 1 %', () => {
  const end = fc.constantFrom<EventStatus>('pending', 'running', 'completed', 'failed', 'cancelled');
  const events = fc.array(fc.record({ end, duration: fc.integer({ min: 1, max: 10_000_000 }) }), { maxLength: 60 });
  fc.assert(
    fc.property(events, fc.integer(), (given, seed) => {
      // each event's lines in order, the events mixed
      const queues = given.map(({ end: last, duration }, k) => whole(k, last, took(duration)));
      const records: LedgerRecord[] = [];
      for (let turn = Math.abs(seed); queues.some((queue) => queue.length > 0); turn = (turn * 31 + 7) % 1_000_003) {
        const left = queues.filter((queue) => queue.length > 0);
        records.push(...(left[turn % left.length]?.splice(0, 1) ?? []));
      }
      const found = figures(records);
      const of = (status: EventStatus) => given.filter((one) => one.end === status).length;
      expect([found.totalEvents, found.successfulEvents, found.failedEvents]).toEqual([given.length, of('completed'), of('failed')]);
      expect([found.cancelledEvents, found.pendingEvents, found.activeBackups]).toEqual([of('cancelled'), of('pending'), of('running')]);
      const durations = given.filter((one) => one.end === 'completed').map(({ duration }) => duration);
      const sorted = durations.toSorted((a, b) => a - b);
      for (const [share, value] of [
        [0.5, found.duration?.p50],
        [0.95, found.duration?.p95],
      ] as const) {
        const exact = sorted[Math.ceil(share * sorted.length) - 1];
        if (exact !== undefined) expect(Math.abs((value ?? 0) - exact)).toBeLessThanOrEqual(exact * 0.0101 + 1);
      }
    }),
  );
});
