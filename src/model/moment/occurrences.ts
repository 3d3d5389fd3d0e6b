/**
 * model: the moments at which a schedule is to run, and the key of each. Knows no clock: every moment is an argument.
 */
import { Cron } from 'croner';
import type { Schedule } from '../settings/settings.js';

export interface Occurrences {
  /** The first after a moment; null: there is none any more. */
  next(after: Date): Date | null;
  /** The last `count` not after a moment, the newest first. */
  previous(count: number, before: Date): readonly Date[];
}

export type Timed = Pick<Schedule, 'cron'>;

/** A schedule's moments in an IANA zone. */
export function occurrencesOf({ cron }: Timed, zone: string): Occurrences {
  const made = new Cron(cron, { timezone: zone, paused: true });
  return { next: (after) => made.nextRun(after), previous: (count, before) => made.previousRuns(count, before) };
}

/** `daily-backup@2026-03-29T02:00[Europe/Berlin]`: one a schedule and wall-clock minute, so that a repeated hour runs once. */
export function slotKey(scheduleId: string, at: Date, zone: string): string {
  const wall = new Intl.DateTimeFormat('sv-SE', { timeZone: zone, dateStyle: 'short', timeStyle: 'short' }).format(at);
  return `${scheduleId}@${wall.replace(' ', 'T')}[${zone}]`;
}
