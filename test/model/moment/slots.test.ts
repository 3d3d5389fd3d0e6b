/**
 * test: which slots are due, which are missed, and until when one waits.
 */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { contents } from '../../../src/model/moment/occurrences.js';
import { deadlineOf, dueSlots, retryDeadline, timingOf, type SlotTiming } from '../../../src/model/moment/slots.js';
import { count } from '../../fixtures/counts.js';
import { scheduleSchema, type Schedule } from '../../../src/model/settings/settings.js';

const day = 86_400_000;
const always = { start: '00:00', end: '00:00' };

function timing(schedule: Partial<Schedule> & { cron: string }, settings: Partial<SlotTiming['settings']> = {}): SlotTiming {
  return {
    scheduleId: 'daily',
    schedule: scheduleSchema.parse(schedule),
    settings: { backupWindow: { start: '01:00', end: '06:00' }, intelligentScheduling: true, timezone: 'UTC', ...settings },
  };
}
const at = (text: string) => new Date(`${text}Z`);
const keys = (slots: readonly { key: string }[]) => slots.map(({ key }) => key);

describe('due slots', () => {
  const daily = timing({ cron: '0 2 * * *' });

  it('the newest runs while its window is open, older ones are missed', () => {
    const { run, missed } = dueSlots(daily, at('2026-03-01T02:00'), at('2026-03-04T03:30'));
    expect(run?.key).toBe('daily@2026-03-04T02:00[UTC]');
    expect(keys(missed)).toEqual(['daily@2026-03-02T02:00[UTC]', 'daily@2026-03-03T02:00[UTC]']);
  });

  it('after its window closed it is missed too', () => {
    expect(dueSlots(daily, at('2026-03-03T02:00'), at('2026-03-04T06:00'))).toMatchObject({ run: { at: at('2026-03-04T02:00') } });
    expect(dueSlots(daily, at('2026-03-03T02:00'), at('2026-03-04T06:01'))).toMatchObject({ run: null, missed: [{}] });
  });

  it('nothing before the first, and nothing twice', () => {
    expect(dueSlots(daily, at('2026-03-04T02:00'), at('2026-03-05T01:59'))).toEqual({ run: null, missed: [] });
  });

  it('without intelligent scheduling only what is punctual runs', () => {
    const plain = timing({ cron: '0 2 * * *' }, { intelligentScheduling: false });
    expect(dueSlots(plain, at('2026-03-03T02:00'), at('2026-03-04T02:04')).run).not.toBeNull();
    expect(dueSlots(plain, at('2026-03-03T02:00'), at('2026-03-04T02:05'))).toMatchObject({ run: null, missed: [{}] });
  });

  it.each([true, false])('F6: cron late by 90 s, or twice in a minute: one slot (intelligentScheduling %s)', (intelligentScheduling) => {
    const slots = timing({ cron: '0 2 * * *' }, { intelligentScheduling });
    const { run, missed } = dueSlots(slots, at('2026-03-03T02:00'), at('2026-03-04T02:01:30'));
    expect({ key: run?.key, missed }).toEqual({ key: 'daily@2026-03-04T02:00[UTC]', missed: [] });
    expect(dueSlots(slots, run?.at ?? new Date(0), at('2026-03-04T02:01:31'))).toEqual({ run: null, missed: [] });
  });

  it('one of two moments that a calendar names, and that the clock shows alike', () => {
    const event = (time: string) => `BEGIN:VEVENT\r\nUID:${time}\r\nDTSTART:20261025T${time}00Z\r\nEND:VEVENT\r\n`;
    const text = `BEGIN:VCALENDAR\r\nVERSION:2.0\r\n${event('0030')}${event('0130')}END:VCALENDAR\r\n`;
    const slots = timing({ cron: '0 0 1 1 *', timezone: 'Europe/Berlin' }, { backupWindow: always });
    const { cron: _cron, ...schedule } = slots.schedule;
    const calendar = { file: 'x.ics', at: '02:00', [contents]: text };
    const { run, missed } = dueSlots({ ...slots, schedule: { ...schedule, calendar } }, at('2026-10-24T23:30'), at('2026-10-25T02:10'));
    expect(keys([...missed, ...(run ? [run] : [])])).toEqual(['daily@2026-10-25T02:30[Europe/Berlin]']);
  });

  it('an hour that the clock repeats has its slots once', () => {
    const halfHourly = timing({ cron: '*/30 * * * *', timezone: 'Europe/Berlin' }, { backupWindow: always });
    // 02:00 to 03:00 comes twice on 2026-10-25: 00:00Z to 02:00Z
    const { run, missed } = dueSlots(halfHourly, at('2026-10-24T23:30'), at('2026-10-25T02:10'));
    const all = keys([...missed, ...(run ? [run] : [])]);
    expect(new Set(all).size).toBe(all.length);
    expect(all.map((key) => key.slice(17, 22))).toEqual(['02:00', '02:30', '03:00']);
    expect(dueSlots(halfHourly, at('2026-10-25T00:30'), at('2026-10-25T01:40')).run).toBeNull();
  });

  it('however often one looks, each slot is due once', () => {
    const cron = fc.constantFrom('0 2 * * *', '*/30 * * * *', '15 */3 * * *', '0 3 * * 0', '30 2 29 3 *');
    const zone = fc.constantFrom('UTC', 'Europe/Berlin', 'America/New_York', 'Australia/Lord_Howe', 'Asia/Kathmandu', 'America/Santiago');
    // together fewer than the slots that are told of at most
    const looks = fc.array(fc.integer({ min: 1, max: 24 * 60 }), { minLength: 1, maxLength: 12 });
    const start = fc.integer({ min: Date.UTC(2026, 0, 1), max: Date.UTC(2026, 11, 1) });
    fc.assert(
      fc.property(cron, zone, start, looks, (expression, timezone, begin, minutes) => {
        const schedule = timing({ cron: expression, timezone }, { backupWindow: always });
        const seen: string[] = [];
        let since = new Date(begin);
        let now = begin;
        for (const step of minutes) {
          now += step * 60_000;
          const { run, missed } = dueSlots(schedule, since, new Date(now));
          const newest = run ?? missed.at(-1);
          seen.push(...keys(missed), ...(run ? [run.key] : []));
          if (newest) since = newest.at;
        }
        const { run, missed } = dueSlots(schedule, new Date(begin), new Date(now));
        expect(new Set(seen).size).toBe(seen.length);
        expect(seen).toEqual([...keys(missed), ...(run ? [run.key] : [])]);
      }),
      { numRuns: count(25, 1000) },
    );
  });

  it('a machine that was off for years is told of a bounded number, the newest', () => {
    const { run, missed } = dueSlots(
      timing({ cron: '* * * * *' }, { backupWindow: always }),
      at('2020-01-01T00:00'),
      at('2026-01-01T00:00'),
    );
    expect(missed.length + (run ? 1 : 0)).toBe(1000);
    expect(run?.at).toEqual(at('2026-01-01T00:00'));
  });
});

describe('deadlines', () => {
  const of = (schedule: Partial<Schedule> & { cron: string }, settings: Partial<SlotTiming['settings']> = {}) =>
    deadlineOf(at('2026-03-04T02:00'), timing(schedule, settings)).toISOString();

  it('are the end of the window, maxWait or the next slot, whichever is first', () => {
    expect(of({ cron: '0 2 * * *' })).toBe('2026-03-04T06:01:00.000Z');
    expect(of({ cron: '0 2 * * *', maxWait: 90 })).toBe('2026-03-04T03:30:00.000Z');
    expect(of({ cron: '0 * * * *' })).toBe('2026-03-04T03:00:00.000Z');
    expect(of({ cron: '0 2 * * *' }, { backupWindow: always })).toBe('2026-03-05T02:00:00.000Z');
  });

  it('of a slot outside the window are the end of the next one', () => {
    expect(deadlineOf(at('2026-03-04T12:00'), timing({ cron: '0 12 * * *' })).toISOString()).toBe('2026-03-05T06:01:00.000Z');
  });

  it('of a retry are the end of the window, now outside of it, a day where it never closes', () => {
    const window = { start: '01:00', end: '06:00' };
    const due = at('2026-03-04T02:30');
    const until = (now: string, over: typeof window | null = window) =>
      retryDeadline(due, { window: over, zone: 'UTC' }, at(now)).toISOString();
    expect(until('2026-03-04T02:31')).toBe('2026-03-04T06:01:00.000Z');
    expect(until('2026-03-04T07:00')).toBe('2026-03-04T07:00:00.000Z');
    expect(until('2026-03-04T07:00', null)).toBe(new Date(due.getTime() + day).toISOString());
    expect(until('2026-03-04T07:00', always)).toBe(new Date(due.getTime() + day).toISOString());
  });
});

describe('timing', () => {
  it('changes with what the slots follow from, and with nothing else', () => {
    const of = (schedule: Partial<Schedule> & { cron: string }) => timingOf(timing(schedule));
    expect(of({ cron: '0 2 * * *' })).toBe(of({ cron: '0 2 * * *', retention: { keepLast: 3 } }));
    expect(of({ cron: '0 2 * * *' })).not.toBe(of({ cron: '0 3 * * *' }));
    expect(of({ cron: '0 2 * * *' })).not.toBe(of({ cron: '0 2 * * *', timezone: 'Asia/Tokyo' }));
    expect(of({ cron: '0 2 * * *', enabled: false })).toBe('off');
  });
});
