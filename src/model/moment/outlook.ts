/**
 * model: what becomes of an occurrence by the clock alone: it runs, it waits for the window, or it can not run. Measures nothing.
 */
import type { Schedule, Settings } from '../settings/settings.js';
import { msPerMinute } from '../units.js';
import { occurrencesOf } from './occurrences.js';
import { windowState } from './window.js';

export type OutlookSettings = Pick<Settings, 'backupWindow' | 'intelligentScheduling' | 'timezone'>;

export interface Outlook {
  readonly verdict: 'runs' | 'waits' | 'never';
  /** When it would start; null: it can not. */
  readonly startsAt: Date | null;
  /** A sentence; empty when it runs at once. */
  readonly detail: string;
}

/** What a slot that lies outside the window comes to: it waits until the window opens, unless `maxWait` or the next slot is earlier. */
export function outlookOf(at: Date, schedule: Schedule, settings: OutlookSettings, zone: string): Outlook {
  const { backupWindow, intelligentScheduling } = settings;
  const { open, opensAt } = windowState(backupWindow, zone, at);
  if (open) return { verdict: 'runs', startsAt: at, detail: '' };
  const outside = `outside the window ${backupWindow.start} to ${backupWindow.end}`;
  const forced = schedule.onDeadline === 'run' && schedule.maxWait !== undefined;
  const deadline = schedule.maxWait === undefined ? null : new Date(at.getTime() + schedule.maxWait * msPerMinute);
  if (!intelligentScheduling)
    return { verdict: 'never', startsAt: null, detail: `${outside}, and nothing waits (intelligentScheduling is false)` };
  if (deadline && deadline <= opensAt)
    return forced
      ? { verdict: 'waits', startsAt: deadline, detail: `${outside}, runs all the same after maxWait` }
      : { verdict: 'never', startsAt: null, detail: `${outside}, which opens after its maxWait of ${schedule.maxWait} minutes` };
  const next = occurrencesOf(schedule, zone).next(at);
  if (next && next <= opensAt) return { verdict: 'never', startsAt: null, detail: `${outside}; its next time comes before that opens` };
  return { verdict: 'waits', startsAt: opensAt, detail: `${outside}, waits until it opens` };
}
