/** model/moment/occurrences: cron in a zone against a count by hand, minute by minute, over every kind of clock change. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { clockChangeAt, irregularities, occurrencesOf, slotKey, type Timed } from '../../../src/model/moment/occurrences.js';
import { clockChanges, wallOf, wallText } from '../../../src/model/moment/wall.js';

const hour = 3_600_000;
const zones = [
  'UTC',
  'Europe/Berlin',
  'America/New_York',
  'Australia/Lord_Howe',
  'America/Sao_Paulo',
  'Asia/Kolkata',
  'Pacific/Chatham',
  'Africa/Casablanca',
  'America/St_Johns',
  'Pacific/Apia',
];

function upTo(timed: Timed, zone: string, from: string | Date, until: string | Date): string[] {
  const occurrences = occurrencesOf(timed, zone);
  const found: string[] = [];
  for (let at = occurrences.next(new Date(from)); at && at <= new Date(until); at = occurrences.next(at)) found.push(at.toISOString());
  return found;
}
const first = (timed: Timed, zone: string, from: string) => occurrencesOf(timed, zone).next(new Date(from))?.toISOString();

describe('a clock change', () => {
  it.each([
    ['30 2 * * *', 'Europe/Berlin', '2026-03-28T12:00Z', '2026-03-29T01:00:00.000Z'],
    ['15 2 * * *', 'Australia/Lord_Howe', '2026-10-03T12:00Z', '2026-10-03T15:30:00.000Z'],
    ['0 0 * * *', 'America/Sao_Paulo', '2018-11-03T12:00Z', '2018-11-04T03:00:00.000Z'],
    ['45 2 * * *', 'Pacific/Chatham', '2026-09-26T00:00Z', '2026-09-26T14:00:00.000Z'],
    ['0 10 30 12 *', 'Pacific/Apia', '2011-12-29T12:00Z', '2011-12-30T10:00:00.000Z'],
  ])('%s in %s: a skipped time runs at the first minute behind the gap', (cron, zone, from, at) => {
    expect(first({ cron }, zone, from)).toBe(at);
    expect(clockChangeAt({ cron }, zone, new Date(at))).toBe('skipped');
  });

  it('runs a repeated time the first time alone', () => {
    const cron = '30 2 * * *';
    expect(upTo({ cron }, 'Europe/Berlin', '2026-10-24T12:00Z', '2026-10-26T12:00Z')).toEqual([
      '2026-10-25T00:30:00.000Z',
      '2026-10-26T01:30:00.000Z',
    ]);
    expect(clockChangeAt({ cron }, 'Europe/Berlin', new Date('2026-10-25T00:30Z'))).toBe('repeated');
    expect(clockChangeAt({ cron }, 'Europe/Berlin', new Date('2026-10-26T01:30Z'))).toBeNull();
  });

  it('runs times that meet behind a gap once', () => {
    expect(upTo({ cron: '*/20 * * * *' }, 'Europe/Berlin', '2026-03-29T00:39Z', '2026-03-29T01:20Z')).toEqual([
      '2026-03-29T00:40:00.000Z',
      '2026-03-29T01:00:00.000Z',
      '2026-03-29T01:20:00.000Z',
    ]);
  });

  it('is told before it comes', () => {
    const found = irregularities({ cron: '30 2 * * *' }, 'Europe/Berlin', new Date('2026-01-01'), new Date('2028-01-01'));
    expect(found.map(({ kind, wall }) => `${kind} ${wall}`)).toEqual([
      'skipped 2026-03-29T02:30',
      'repeated 2026-10-25T02:30',
      'skipped 2027-03-28T02:30',
      'repeated 2027-10-31T02:30',
    ]);
    expect(irregularities({ cron: '30 3 * * *' }, 'Europe/Berlin', new Date('2026-01-01'), new Date('2028-01-01'))).toEqual([]);
    expect(irregularities({ cron: '30 2 * * *' }, 'Asia/Kolkata', new Date('2026-01-01'), new Date('2028-01-01'))).toEqual([]);
  });
});

const crons = fc.oneof(
  fc.tuple(fc.nat(59), fc.nat(23)).map(([minute, at]) => `${minute} ${at} * * *`),
  fc.constantFrom('*/15 * * * *', '0 * * * *', '30 0-4 * * *', '10,40 1-3 * * *', '0 0 1 * *', '0 2 * * 0', '5 1 29 2 *', '0 2 L * *'),
);
const changesOf = new Map(zones.map((zone) => [zone, clockChanges(zone, Date.UTC(2009, 0, 1), Date.UTC(2031, 0, 1))]));
/** Near the clock changes of a zone, where something can go wrong. */
const moments = fc.tuple(fc.constantFrom(...zones), fc.nat(200), fc.integer({ min: -30 * hour, max: 30 * hour })).map(([zone, k, off]) => {
  const changes = changesOf.get(zone) ?? [];
  const near = changes.length === 0 ? Date.UTC(2026, 5, 1) : (changes[k % changes.length]?.at ?? 0);
  return { zone, from: new Date(near + off) };
});

describe('every cron expression', () => {
  it('goes strictly forward, each wall-clock minute once, and backward the same way', () => {
    fc.assert(
      fc.property(crons, moments, (cron, { zone, from }) => {
        const occurrences = occurrencesOf({ cron }, zone);
        const forward: Date[] = [];
        let at = from;
        for (let k = 0; k < 8; k += 1) {
          const next = occurrences.next(at);
          if (!next) break;
          expect(next.getTime()).toBeGreaterThan(at.getTime());
          forward.push(next);
          at = next;
        }
        expect(new Set(forward.map((one) => slotKey('s', one, zone))).size).toBe(forward.length);
        expect(occurrences.previous(forward.length, at)).toEqual(forward.toReversed());
        const [before] = occurrences.previous(1, from);
        if (before) expect([before.getTime() <= from.getTime(), occurrences.next(before)]).toEqual([true, forward[0]]);
      }),
      { numRuns: 300 },
    );
  });

  it('comes to what a count of the minutes says', () => {
    // a minute is due when the wall clock shows one of its times for the first time, or has just jumped over one
    const byHand = (times: readonly string[], zone: string, from: number, until: number): string[] => {
      const seen = new Set<number>();
      const due: string[] = [];
      let last = Number.NEGATIVE_INFINITY;
      for (let at = from - 30 * hour; at <= until; at += 60_000) {
        const wall = wallOf(at, zone);
        let hit = false;
        for (let minute = Math.max(last + 60_000, wall - 26 * hour); minute <= wall; minute += 60_000) {
          if (times.includes(wallText(minute).slice(11)) && !seen.has(minute)) hit = seen.add(minute).has(minute);
        }
        if (at === from - 30 * hour) hit = false;
        last = Math.max(last, wall);
        if (hit && at > from) due.push(new Date(at).toISOString());
      }
      return due;
    };
    fc.assert(
      fc.property(fc.nat(59), fc.nat(4), moments, (minute, at, { zone, from }) => {
        const start = Math.floor(from.getTime() / 60_000) * 60_000;
        const times = [at, at + 1].map((one) => `0${one}:${String(minute).padStart(2, '0')}`);
        const until = start + 30 * hour;
        const cron = `${minute} ${at},${at + 1} * * *`;
        expect(upTo({ cron }, zone, new Date(start), new Date(until))).toEqual(byHand(times, zone, start, until));
      }),
      { numRuns: 40 },
    );
  });
});

describe('blackout', () => {
  const blackout = ['12-24/01-02', '2026-05-01'];
  it('leaves days out, in both directions, across New Year too', () => {
    const occurrences = occurrencesOf({ cron: '0 2 * * *', blackout }, 'Europe/Berlin');
    expect(occurrences.next(new Date('2026-12-23T12:00Z'))?.toISOString()).toBe('2027-01-03T01:00:00.000Z');
    expect(occurrences.previous(2, new Date('2027-01-03T12:00Z')).map((at) => at.toISOString())).toEqual([
      '2027-01-03T01:00:00.000Z',
      '2026-12-23T01:00:00.000Z',
    ]);
    expect(occurrences.next(new Date('2026-04-30T12:00Z'))?.toISOString()).toBe('2026-05-02T00:00:00.000Z');
    expect(occurrences.next(new Date('2027-04-30T12:00Z'))?.toISOString()).toBe('2027-05-01T00:00:00.000Z');
  });

  it('of every day leaves nothing', () => {
    const occurrences = occurrencesOf({ cron: '* * * * *', blackout: ['01-01/12-31'] }, 'Europe/Berlin');
    expect([occurrences.next(new Date('2026-01-01')), occurrences.previous(3, new Date('2026-01-01'))]).toEqual([null, []]);
  });
});

it('has none where triggers alone start it', () => {
  const occurrences = occurrencesOf({}, 'UTC');
  expect([occurrences.next(new Date(0)), occurrences.previous(1, new Date(0))]).toEqual([null, []]);
});

it('has none left where its rule has ended', () => {
  const occurrences = occurrencesOf({ calendar: { rule: 'FREQ=DAILY;UNTIL=20260301', at: '02:00' } }, 'Europe/Berlin');
  expect(occurrences.next(new Date('2026-03-01T00:59Z'))?.toISOString()).toBe('2026-03-01T01:00:00.000Z');
  expect(occurrences.next(new Date('2026-03-01T01:00Z'))).toBeNull();
  expect(occurrences.previous(1, new Date('2027-01-01')).map((at) => at.toISOString())).toEqual(['2026-03-01T01:00:00.000Z']);
});
