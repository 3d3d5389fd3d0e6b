/**
 * model: whether and when a failed backup is tried again. Starts nothing, and never waits.
 */
import type { FailureClass } from '../errors.js';
import type { BackupEvent } from './event.js';
import type { Settings } from '../settings/settings.js';
import { msPerDay, msPerMinute } from '../units.js';

/** Doubling soon leaves the calendar; what lies beyond stays a valid date. */
const longest = 3650 * msPerDay;

export type RetrySettings = Pick<Settings, 'autoRetry' | 'maxRetries' | 'retryDelay'>;

/** Wait before retry `k` (from 1), ms: `retryDelay * 2^(k-1)` minutes plus 0 to 10 % by `random` (0 <= x < 1). */
export function retryDelay({ retryDelay: minutes }: Pick<Settings, 'retryDelay'>, k: number, random: number): number {
  return Math.min(longest, Math.round(minutes * msPerMinute * 2 ** (k - 1) * (1 + random / 10)));
}

/** When what failed at this attempt is to be tried again; null when it is not: switched off, used up, or of no use. */
export function decideRetry(
  settings: RetrySettings,
  attempt: number,
  { class: failureClass, code }: { readonly class: FailureClass; readonly code: string },
  now: Date,
  random: number,
): { readonly notBefore: Date } | null {
  const passing = failureClass === 'transient' || failureClass === 'busy';
  if (!settings.autoRetry || !passing || code === 'interrupted' || attempt > settings.maxRetries) return null;
  return { notBefore: new Date(now.getTime() + retryDelay(settings, attempt, random)) };
}

const expanded = 'each of its databases by an event of its own';

/** Why a cluster's retry is cancelled when it becomes one event a database. */
export const expandedReason = (database: string): string => `${database} is tried again, ${expanded}`;
export const isExpanded = ({ reasons = [] }: Pick<BackupEvent, 'reasons'>): boolean => reasons.some((reason) => reason.endsWith(expanded));
