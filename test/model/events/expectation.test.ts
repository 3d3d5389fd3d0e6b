/** model/expectation: by when a backup should be there. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { expectedAt, expectedBy, isOverdue } from '../../../src/model/events/expectation.js';

const day = 86_400_000;
const settings = { timezone: 'Europe/Berlin', backupWindow: { start: '01:00', end: '06:00' }, intelligentScheduling: true };
const always = { ...settings, backupWindow: { start: '00:00', end: '00:00' } };
const daily = { cron: '0 2 * * *', enabled: true };
const slotOf = (now: string, cron = daily.cron, given = settings) =>
  expectedBy({ cron, enabled: true }, given, new Date(now))?.slot.toISOString();

describe('expectedBy', () => {
  it('gives a slot time until its window closed, and an hour for the backup itself', () => {
    expect(slotOf('2026-03-03T05:59:00Z')).toBe('2026-03-02T01:00:00.000Z');
    expect(slotOf('2026-03-03T06:02:00Z')).toBe('2026-03-03T01:00:00.000Z');
  });

  it('gives it an hour where nothing waits', () => {
    const impatient = { ...settings, intelligentScheduling: false };
    for (const given of [always, impatient]) {
      expect(slotOf('2026-03-03T01:59:00Z', daily.cron, given)).toBe('2026-03-02T01:00:00.000Z');
      expect(slotOf('2026-03-03T02:01:00Z', daily.cron, given)).toBe('2026-03-03T01:00:00.000Z');
    }
  });

  it('follows the zone across its clock changes, and the zone of the schedule before the general one', () => {
    expect(slotOf('2026-03-29T12:00:00Z')).toBe('2026-03-29T01:00:00.000Z');
    expect(slotOf('2026-03-30T12:00:00Z')).toBe('2026-03-30T00:00:00.000Z');
    expect(expectedBy({ ...daily, timezone: 'Asia/Tokyo' }, always, new Date('2026-03-03T12:00:00Z'))?.slot.toISOString()).toBe(
      '2026-03-02T17:00:00.000Z',
    );
  });

  it('measures the interval before the slot', () => {
    expect(expectedBy({ cron: '0 2 * * 1-5', enabled: true }, settings, new Date('2026-03-02T12:00:00Z'))?.interval).toBe(3 * day);
  });

  it('expects nothing of a schedule that is off or never comes', () => {
    expect(expectedBy({ ...daily, enabled: false }, settings, new Date())).toBeNull();
    expect(expectedBy({ cron: '0 0 30 2 *', enabled: true }, settings, new Date())).toBeNull();
  });
});

describe('isOverdue', () => {
  const overdue = (lastGood: string | null, now: string, beginning: string | null = '2026-01-01', cron = daily.cron) => {
    const expectation = expectedBy({ cron, enabled: true }, settings, new Date(now));
    return (
      expectation &&
      isOverdue(expectation, lastGood === null ? null : new Date(lastGood), beginning === null ? null : new Date(beginning), new Date(now))
    );
  };

  it('comes with the first slot that passed without a good backup', () => {
    expect(overdue('2026-03-02T01:00:05Z', '2026-03-02T12:00:00Z')).toBe(false);
    expect(overdue('2026-03-02T01:00:05Z', '2026-03-03T05:00:00Z')).toBe(false);
    expect(overdue('2026-03-02T01:00:05Z', '2026-03-03T06:30:00Z')).toBe(true);
  });

  it('knows weekends, and takes a backup made a little early', () => {
    expect(overdue('2026-03-06T01:00:05Z', '2026-03-08T12:00:00Z', undefined, '0 2 * * 1-5')).toBe(false);
    expect(overdue('2026-03-06T00:30:00Z', '2026-03-08T12:00:00Z', undefined, '0 2 * * 1-5')).toBe(false);
    expect(overdue('2026-03-05T01:00:00Z', '2026-03-08T12:00:00Z', undefined, '0 2 * * 1-5')).toBe(true);
  });

  it('says never succeeded only after a slot that came after the beginning of the records', () => {
    expect(overdue(null, '2026-03-02T12:00:00Z', null)).toBe(false);
    expect(overdue(null, '2026-03-02T12:00:00Z', '2026-03-02T02:00:00Z')).toBe(false);
    expect(overdue(null, '2026-03-03T12:00:00Z', '2026-03-02T02:00:00Z')).toBe(true);
  });
});

describe('expectedAt', () => {
  const minute = 60_000;
  const beginning = new Date('2026-01-01T00:00:00Z');
  const crons = ['0 2 * * *', '*/15 * * * *', '30 23 * * *', '0 3 * * 0', '0 4 1 * *', '0 2 * * 1-5'];
  const given = fc.record({
    cron: fc.constantFrom(...crons),
    settings: fc.constantFrom(settings, always, { ...settings, intelligentScheduling: false }),
    lastGood: fc.option(fc.integer({ min: 0, max: 500 * 24 * 60 }), { nil: null }),
  });

  it('is the moment from which on nothing else would be overdue', () => {
    fc.assert(
      fc.property(given, ({ cron, settings: chosen, lastGood }) => {
        const schedule = { cron, enabled: true };
        const good = lastGood === null ? null : new Date(beginning.getTime() + lastGood * minute);
        const at = expectedAt(schedule, chosen, good, beginning);
        const overdue = (time: number) => {
          const now = new Date(time);
          const expectation = expectedBy(schedule, chosen, now);
          return expectation !== null && isOverdue(expectation, good, beginning, now);
        };
        expect(at).not.toBeNull();
        expect(overdue(Number(at) - 2 * minute)).toBe(false);
        expect(overdue(Number(at) + 2 * minute)).toBe(true);
      }),
      { numRuns: 60 },
    );
  });

  it('is none for what is off, or never comes again', () => {
    expect(expectedAt({ ...daily, enabled: false }, settings, null, beginning)).toBeNull();
    expect(expectedAt({ cron: '0 0 30 2 *', enabled: true }, settings, null, beginning)).toBeNull();
    expect(expectedAt({ cron: '0 0 30 2 *', enabled: true }, settings, beginning, beginning)).toBeNull();
  });
});
