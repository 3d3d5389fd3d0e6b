import { describe, expect, test } from 'vitest';
import { knownSince, takeKnown, type KnownSchedules } from '../../../src/model/events/known.js';
import type { LedgerRecord } from '../../../src/model/events/ledger.js';

const beginning = new Date('2026-01-01T00:00:00.000Z');
const line = (at: string, scheduleId: string, timing = '0 2 * * *'): LedgerRecord => ({ v: 1, prev: '', at, record: 'schedule', scheduleId, timing, until: at }); // prettier-ignore
const known = (...lines: readonly LedgerRecord[]) => {
  const all: KnownSchedules = {};
  for (const one of lines) takeKnown(all, one);
  return all;
};

describe('since when a schedule is known', () => {
  test('since the first line that accounts for it, however many follow', () => {
    const all = known(line('2026-03-01T10:00:00.000Z', 'daily'), line('2026-03-02T02:00:00.000Z', 'daily'));
    expect(knownSince(all, 'daily', beginning)).toEqual(new Date('2026-03-01T10:00:00.000Z'));
  });

  test('anew when its times are changed', () => {
    const all = known(line('2026-03-01T10:00:00.000Z', 'daily'), line('2026-03-05T10:00:00.000Z', 'daily', '0 5 * * *'));
    expect(knownSince(all, 'daily', beginning)).toEqual(new Date('2026-03-05T10:00:00.000Z'));
  });

  test('one that what runs the others has not seen yet has missed nothing', () => {
    expect(knownSince(known(line('2026-03-01T10:00:00.000Z', 'daily')), 'added', beginning)).toBeNull();
  });

  test('since the records begin, where nothing ever ran a schedule', () => {
    expect(knownSince({}, 'daily', beginning)).toEqual(beginning);
  });
});
