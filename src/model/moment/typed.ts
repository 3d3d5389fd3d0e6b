/**
 * model: moments as people type them, on a command line or in a URL. It never asks what time it is.
 */
import { Failure } from '../errors.js';
import { place } from './wall.js';
import { msPerDay, msPerMinute } from '../units.js';

const units: Readonly<Record<string, number>> = { m: msPerMinute, h: 60 * msPerMinute, d: msPerDay, w: 7 * msPerDay };

/** A date (its local midnight) or a date with a time (local where it has no zone); null for what is none. */
function momentOf(text: string): Date | null {
  const moment = /^\d{4}-\d\d-\d\d/.test(text) ? new Date(text.length === 10 ? `${text}T00:00:00` : text) : null;
  return moment && !Number.isNaN(moment.getTime()) ? moment : null;
}

/** A moment that was or comes; on the clock of an IANA zone where the text names none. Throws `usage`. */
export function parseMoment(text: string, zone: string): Date {
  const [, day = '', time = '00:00'] = /^(\d{4}-\d\d-\d\d)(?:[T ](\d\d:\d\d(?::\d\d)?))?$/.exec(text) ?? [];
  const wall = Date.parse(`${day}T${time}Z`);
  const moment = Number.isNaN(wall) ? momentOf(text) : new Date(place(wall, zone).moment);
  if (moment) return moment;
  throw new Failure('usage', `${JSON.stringify(text)} is no moment`, {
    hint: 'write a date (2026-01-31) or a time ("2026-01-31 18:00", 2026-01-31T18:00Z)',
  });
}

/** `7d`, `12h`, a date (its local midnight) or a date with a time. Throws `usage`. */
export function parseSince(text: string, now: Date): Date {
  const ago = /^(\d{1,6})([mhdw])$/.exec(text);
  if (ago) return new Date(now.getTime() - Number(ago[1]) * (units[ago[2] ?? ''] ?? 0));
  const moment = momentOf(text);
  if (moment) return moment;
  throw new Failure('usage', `since ${JSON.stringify(text)}: that is no moment`, {
    hint: 'write a time ago (30m, 12h, 7d, 2w) or a date (2026-01-31, 2026-01-31T18:00Z)',
  });
}
