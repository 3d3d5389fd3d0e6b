/**
 * model: when a schedule runs, in words. What it has no words for it shows as it is written.
 */
import type { Schedule } from './settings.js';

const weekdays = ['Sunday', 'Monday', 'Tuesday', 'Wednesday', 'Thursday', 'Friday', 'Saturday', 'Sunday'];
const short = ['SUN', 'MON', 'TUE', 'WED', 'THU', 'FRI', 'SAT'];

const nicknames: Readonly<Record<string, string>> = {
  '@hourly': '0 * * * *',
  '@daily': '0 0 * * *',
  '@midnight': '0 0 * * *',
  '@weekly': '0 0 * * 0',
  '@monthly': '0 0 1 * *',
  '@yearly': '0 0 1 1 *',
  '@annually': '0 0 1 1 *',
};

const two = (text: string): string => text.padStart(2, '0');

/** `1-5` -> `Monday to Friday`; null where it is more than a list or one range. */
function daysOfWeek(field: string): string | null {
  const name = (text: string) => weekdays[short.includes(text.toUpperCase()) ? short.indexOf(text.toUpperCase()) : Number(text)];
  const parts = field.split(',').map((part) => {
    const [, from = '', to] = /^(\d|[a-z]{3})(?:-(\d|[a-z]{3}))?$/i.exec(part) ?? [];
    const [first, last] = [name(from), to === undefined ? undefined : name(to)];
    return from === '' || !first || (to !== undefined && !last) ? null : last ? `${first} to ${last}` : first;
  });
  return parts.includes(null) ? null : parts.join(', ');
}

/** A cron expression of the everyday kind; else itself. */
export function cronInWords(cron: string): string {
  const [minute = '', hour = '', date = '', month = '', weekday = '', more] = (nicknames[cron] ?? cron).trim().split(/\s+/);
  const whole = (field: string) => /^\d{1,2}$/.test(field);
  if (more !== undefined || month !== '*') return cron;
  const often = /^\*\/(\d+)$/.exec(minute);
  if (hour === '*' && date === '*' && weekday === '*') {
    if (minute === '*') return 'every minute';
    if (often) return 60 % Number(often[1]) === 0 ? `every ${often[1]} minutes` : cron;
    return whole(minute) ? `hourly at :${two(minute)}` : cron;
  }
  if (!whole(minute) || !whole(hour)) return cron;
  const time = `at ${two(hour)}:${two(minute)}`;
  if (date === '*' && weekday === '*') return `daily ${time}`;
  if (date === '*') {
    const days = daysOfWeek(weekday);
    return days === null ? cron : `${days} ${time}`;
  }
  if (weekday !== '*') return cron;
  if (date === 'L') return `last day of the month ${time}`;
  return whole(date) ? `day ${date} of the month ${time}` : cron;
}

/** `daily at 02:00`, `last working day of the month at 02:00`, ...; with what else starts it, and when it does not run. */
export function whenInWords({ cron, calendar, triggers, blackout }: Pick<Schedule, 'cron' | 'calendar' | 'triggers' | 'blackout'>): string {
  const workday = /^FREQ=MONTHLY;BYDAY=MO,TU,WE,TH,FR;BYSETPOS=-1$/i.test(calendar?.rule ?? '');
  const times = [
    cron === undefined ? null : cronInWords(cron),
    calendar?.rule === undefined ? null : `${workday ? 'last working day of the month' : calendar.rule} at ${calendar.at}`,
    calendar?.file === undefined ? null : `by ${calendar.file.split('/').at(-1)}`,
    triggers ? 'when triggered' : null,
  ];
  const said = times.filter((one) => one !== null).join(', or ');
  return blackout && blackout.length > 0 ? `${said}; not on ${blackout.join(', ')}` : said;
}
