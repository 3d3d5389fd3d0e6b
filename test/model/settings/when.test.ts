/** model/settings/when: cron in words where there are some. */
import { expect, it } from 'vitest';
import { cronInWords, whenInWords } from '../../../src/model/settings/when.js';

it.each([
  ['0 2 * * *', 'daily at 02:00'],
  ['30 2 * * 0', 'Sunday at 02:30'],
  ['0 22 * * mon-fri', 'Monday to Friday at 22:00'],
  ['0 22 * * 1,3,7', 'Monday, Wednesday, Sunday at 22:00'],
  ['0 4 1 * *', 'day 1 of the month at 04:00'],
  ['0 4 L * *', 'last day of the month at 04:00'],
  ['*/15 * * * *', 'every 15 minutes'],
  ['5 * * * *', 'hourly at :05'],
  ['* * * * *', 'every minute'],
  ['@weekly', 'Sunday at 00:00'],
  // no words for these
  ['*/7 * * * *', '*/7 * * * *'],
  ['0 */6 * * *', '0 */6 * * *'],
  ['0 2 1 * 5', '0 2 1 * 5'],
  ['0 2 * 6 *', '0 2 * 6 *'],
  ['0 2 * * 5#2', '0 2 * * 5#2'],
])('%s: %s', (cron, words) => {
  expect(cronInWords(cron)).toBe(words);
});

it('tells of calendars, triggers and blackout', () => {
  const calendar = { file: '/etc/days.ics', at: '02:00' };
  expect(whenInWords({ calendar, blackout: ['05-01'], triggers: { minimumGap: 60 } })).toBe('by days.ics, or when triggered; not on 05-01');
});
