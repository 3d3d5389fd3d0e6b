/** config/times: what `config validate` foretells of the times of schedules; warnings, never errors. */
import { describe, expect, test } from 'vitest';
import { timeWarnings } from '../../src/config/times.js';
import { load, temporaryFolder, write } from './folder.js';

const now = new Date('2026-03-02T12:00Z');
async function warnings(schedules: object, more: object = {}): Promise<string[]> {
  return timeWarnings((await load({ file: { timezone: 'Europe/Berlin', schedules, ...more } })).config, now);
}

describe('timeWarnings', () => {
  test('has nothing to say of the defaults in a zone whose clock never changes', async () => {
    expect(timeWarnings((await load({ file: { timezone: 'Asia/Kolkata' } })).config, now)).toEqual([]);
  });

  test('names each time of two years that a clock change skips or repeats', async () => {
    expect(await warnings({ a: { cron: '30 2 * * *' } })).toEqual([
      'schedules.a: the clock of Europe/Berlin skips 2026-03-29 02:30, 2027-03-28 02:30 (it runs at the first minute after the gap) and ' +
        'repeats 2026-10-25 02:30, 2027-10-31 02:30 (it runs the first time alone)',
    ]);
    expect(await warnings({ a: { cron: '30 3 * * *' }, b: { cron: '30 2 * * 1-6' } })).toEqual([]);
  });

  test.each([
    [
      { cron: '0 12 * * *', maxWait: 60 },
      {},
      /^schedules\.a: it can never run: it lies outside the window 01:00 to 06:00, .*maxWait of 60/,
    ],
    [{ cron: '*/30 10-20 * * *', maxWait: 30 }, {}, /it can never run/],
    [{ cron: '0 12 * * *' }, { intelligentScheduling: false }, /nothing waits/],
  ])('%j can never meet its window', async (a, more, sentence) => {
    expect(await warnings({ a }, more)).toEqual([expect.stringMatching(sentence)]);
  });

  test.each([
    [{ cron: '0 12 * * *' }, {}],
    [{ cron: '0 12 * * *', maxWait: 13 * 60 + 1 }, {}],
    [{ cron: '0 12 * * *', maxWait: 60, onDeadline: 'run' }, {}],
    [{ cron: '15 * * * *', maxWait: 5 }, { timezone: 'UTC' }],
    [{ cron: '0 12 * * *', maxWait: 60 }, { backupWindow: { start: '00:00', end: '00:00' } }],
    [{ cron: '0 12 * * *', maxWait: 60, enabled: false }, {}],
  ])('%j %j can', async (a, more) => {
    expect(await warnings({ a }, more)).toEqual([]);
  });

  test('a blackout of everything, an end, and two at the same minute', async () => {
    expect(await warnings({ a: { cron: '0 4 * * *', blackout: ['01-01/12-31'] } })).toEqual([
      'schedules.a: its blackout leaves no time to run',
    ]);
    expect(await warnings({ a: { calendar: { rule: 'FREQ=DAILY;UNTIL=20260401', at: '04:00' } } })).toEqual([
      'schedules.a: its calendar ends, the last time is 2026-04-01T02:00:00.000Z',
    ]);
    expect(await warnings({ a: { calendar: { rule: 'FREQ=DAILY;UNTIL=20260201', at: '04:00' } } })).toEqual([
      'schedules.a: its calendar has ended, the last time was 2026-02-01T03:00:00.000Z',
    ]);
    expect(await warnings({ a: { cron: '0 4 * * *' }, b: { cron: '0 4 * * 0' }, c: { cron: '0 5 * * *' } })).toEqual([
      'schedules.b: it starts in the same minute as a, first at 2026-03-08T03:00:00.000Z',
    ]);
  });

  test('the end of a calendar file', async () => {
    const folder = temporaryFolder();
    const lines = ['BEGIN:VCALENDAR', 'BEGIN:VEVENT', 'DTSTART:20260303T040000', 'END:VEVENT', 'END:VCALENDAR'];
    const file = write(folder, lines.join('\r\n'), 'once.ics');
    expect(await warnings({ a: { calendar: { file } } })).toEqual([
      expect.stringContaining('ends, the last time is 2026-03-03T03:00:00.000Z'),
    ]);
  });
});
