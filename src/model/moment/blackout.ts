/**
 * model: blackout days, on which a schedule does not run: `12-24/12-26` every year, `2026-05-01` once. Knows no clock.
 */
import { msPerDay } from '../units.js';

const isDay = (text: string): boolean => {
  const whole = text.length === 5 ? `2024-${text}` : text;
  return !Number.isNaN(Date.parse(whole)) && new Date(whole).toISOString().startsWith(whole);
};

/** Why an entry cannot be; null when it can. */
export function blackoutProblem(entry: string): string | null {
  const [from = '', until = from] = entry.split('/');
  if (!isDay(from) || !isDay(until)) return 'days that there are, e.g. "12-24/12-26"';
  if (from.length !== until.length) return 'a year on both days or on none';
  return from.length === 10 && from > until ? 'the earlier day first' : null;
}

/** A range without years may go across New Year. */
function covers(entry: string, date: string): boolean {
  const [from = '', until = from] = entry.split('/');
  const day = from.length === 5 ? date.slice(5) : date;
  return from <= until ? from <= day && day <= until : day >= from || day <= until;
}

/** Whether the day of a wall time is one. */
export const isBlackout = (entries: readonly string[], wall: number): boolean => {
  const date = new Date(wall).toISOString().slice(0, 10);
  return entries.some((entry) => covers(entry, date));
};

/** How far a day without blackout is looked for: past a February 29. */
const horizon = 9 * 366;

/** The first midnight (step 1) after a wall time, or the last one not after it (-1), whose day is none; null: there is none. */
export function freeDay(entries: readonly string[], wall: number, step: 1 | -1): number | null {
  const today = Math.floor(wall / msPerDay);
  for (let ahead = 1; ahead <= horizon; ahead += 1) {
    const day = (today + ahead * step) * msPerDay;
    if (!isBlackout(entries, day)) return day;
  }
  return null;
}
