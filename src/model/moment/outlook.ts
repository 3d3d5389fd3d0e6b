/**
 * model: what becomes of an occurrence by the clock alone: it runs, it waits for the window, or it cannot run. Measures nothing.
 */
import type { Schedule, Settings } from '../settings/settings.js';
import { msPerMinute } from '../units.js';
import { deadlineOf } from './slots.js';
import { windowState } from './window.js';

export type OutlookSettings = Pick<Settings, 'backupWindow' | 'intelligentScheduling' | 'timezone'>;

export interface Outlook {
  readonly verdict: 'runs' | 'waits' | 'never';
  /** When it would start; null: it cannot. */
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
  const never = (why: string): Outlook => ({ verdict: 'never', startsAt: null, detail: `${outside}${why}` });
  if (!intelligentScheduling) return never(', and nothing waits (intelligentScheduling is false)');
  const deadline = deadlineOf(at, { schedule, settings });
  if (opensAt < deadline) return { verdict: 'waits', startsAt: opensAt, detail: `${outside}, waits until it opens` };
  if (schedule.onDeadline === 'run')
    return { verdict: 'waits', startsAt: deadline, detail: `${outside}, runs all the same when its wait ends` };
  const byMaxWait = schedule.maxWait !== undefined && at.getTime() + schedule.maxWait * msPerMinute <= deadline.getTime();
  return never(byMaxWait ? `, which opens after its maxWait of ${schedule.maxWait} minutes` : '; its next time comes before that opens');
}
