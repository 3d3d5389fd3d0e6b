/** model/window: against the wall clock itself, over zones with every kind of clock change. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { clockChanges } from '../../../src/model/moment/wall.js';
import { isInside, lastClosed, timeOfDay, windowState } from '../../../src/model/moment/window.js';

const minute = 60_000;
const zones = [
  'UTC',
  'Europe/Berlin',
  'America/New_York',
  'Australia/Lord_Howe',
  'Asia/Kathmandu',
  'America/St_Johns',
  'Pacific/Apia',
  'Africa/Casablanca',
];
const time = fc.tuple(fc.nat(23), fc.nat(59)).map(([hour, past]) => `${String(hour).padStart(2, '0')}:${String(past).padStart(2, '0')}`);
const windows = fc.record({ start: time, end: time });
const moments = fc.date({ min: new Date('2011-12-20Z'), max: new Date('2031-01-01Z'), noInvalidDate: true });

/** Written another way than the code: minutes of the day, by another call of Intl; and those of the gap that ended not long ago. */
function insideByHand({ start, end }: { start: string; end: string }, zone: string, now: Date): boolean {
  const at = (text: string): number => Number(text.slice(0, 2)) * 60 + Number(text.slice(3));
  const length = (at(end) - at(start) + 1440) % 1440;
  const isIn = (past: number): boolean => at(start) === at(end) || (past - at(start) + 1440) % 1440 <= length;
  const shown = at(now.toLocaleTimeString('de-DE', { timeZone: zone, hour: '2-digit', minute: '2-digit' }));
  const [change] = clockChanges(zone, now.getTime() - 180 * minute, now.getTime() + minute);
  if (isIn(shown) || change?.kind !== 'skipped' || change.at > now.getTime()) return isIn(shown);
  const gap = (change.until - change.from) / minute;
  const passed = Math.floor((now.getTime() - change.at) / minute);
  const owed = Array.from({ length: Math.max(0, gap - passed) }, (_, k) => (change.from / minute + passed + k) % 1440);
  return gap <= 180 && owed.some(isIn);
}

describe('windowState', () => {
  it('is open exactly when the wall clock says so, in every zone', () => {
    fc.assert(
      fc.property(windows, fc.constantFrom(...zones), moments, (window, zone, now) => {
        expect(windowState(window, zone, now).open).toBe(insideByHand(window, zone, now));
      }),
      { numRuns: 500 },
    );
  });

  it('names the first minute in which the state changes, and no minute before it differs', () => {
    fc.assert(
      fc.property(windows, fc.constantFrom(...zones), moments, (window, zone, now) => {
        const { open, closesAt, opensAt } = windowState(window, zone, now);
        const change = open ? closesAt : opensAt;
        if (open) expect(opensAt).toBe(now);
        else expect(closesAt).toBeNull();
        const until = change ? change.getTime() : now.getTime() + 1440 * minute;
        for (let at = now.getTime(); at < until; at += minute) expect(insideByHand(window, zone, new Date(at))).toBe(open);
        if (change) expect(insideByHand(window, zone, change)).toBe(!open);
      }),
      { numRuns: 15 },
    );
  });

  it('has the whole minute of both ends inside', () => {
    const window = { start: '01:00', end: '06:00' };
    const at = (text: string) => windowState(window, 'UTC', new Date(`2026-03-01T${text}Z`)).open;
    expect([at('00:59:59.999'), at('01:00:00'), at('06:00:59.999'), at('06:01:00')]).toEqual([false, true, true, false]);
  });

  it('crosses midnight, and equal ends are always open', () => {
    expect(isInside({ start: '22:00', end: '03:00' }, '23:59')).toBe(true);
    expect(isInside({ start: '22:00', end: '03:00' }, '12:00')).toBe(false);
    expect(windowState({ start: '05:00', end: '05:00' }, 'UTC', new Date(0))).toEqual({ open: true, closesAt: null, opensAt: new Date(0) });
  });

  it.each([
    ['Europe/Berlin', '2026-03-29T00:00', '02:00', '02:45', '2026-03-29T01:00', '2026-03-29T01:46'],
    ['Europe/Berlin', '2026-03-29T00:00', '02:10', '02:50', '2026-03-29T01:00', '2026-03-29T01:51'],
    ['Australia/Lord_Howe', '2026-10-03T15:00', '02:00', '02:20', '2026-10-03T15:30', '2026-10-03T15:51'],
  ])('%s: one that the clock skips is open right after the gap, as long as ever', (zone, now, start, end, opens, closes) => {
    const at = (text: string) => new Date(`${text}:00.000Z`);
    const { open, opensAt } = windowState({ start, end }, zone, at(now));
    expect([open, opensAt]).toEqual([false, at(opens)]);
    expect(windowState({ start, end }, zone, opensAt).closesAt).toEqual(at(closes));
  });

  it('is not open longer where the clock skips its middle', () => {
    const { closesAt } = windowState({ start: '01:00', end: '06:00' }, 'Europe/Berlin', new Date('2026-03-29T00:30:00Z'));
    expect(closesAt?.toISOString()).toBe('2026-03-29T04:01:00.000Z');
  });

  it('opens twice in an hour that the clock repeats', () => {
    const repeated = { start: '02:10', end: '02:20' };
    const first = windowState(repeated, 'Europe/Berlin', new Date('2026-10-25T00:00:00Z')).opensAt;
    const closed = windowState(repeated, 'Europe/Berlin', first).closesAt ?? first;
    const second = windowState(repeated, 'Europe/Berlin', closed).opensAt;
    expect([first.toISOString(), second.toISOString()]).toEqual(['2026-10-25T00:10:00.000Z', '2026-10-25T01:10:00.000Z']);
  });
});

describe('lastClosed', () => {
  it('is the newest minute in which the window was shut, or null for one that never is', () => {
    fc.assert(
      fc.property(windows, fc.constantFrom(...zones), moments, (window, zone, now) => {
        const closed = lastClosed(window, zone, now);
        if (closed === null) return;
        expect(closed <= now).toBe(true);
        expect(insideByHand(window, zone, closed)).toBe(false);
        expect(insideByHand(window, zone, new Date(closed.getTime() - minute))).toBe(true);
      }),
      { numRuns: 60 },
    );
    expect(lastClosed({ start: '00:00', end: '00:00' }, 'UTC', new Date(0))).toBeNull();
    expect(lastClosed({ start: '01:00', end: '06:00' }, 'UTC', new Date('2026-03-02T05:00:00Z'))?.toISOString()).toBe(
      '2026-03-01T06:01:00.000Z',
    );
  });
});

it('tells the time of day with two digits at midnight', () => {
  expect(timeOfDay(new Date('2026-01-01T00:05:00Z'), 'UTC')).toBe('00:05');
});
