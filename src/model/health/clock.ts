/**
 * model: the health check of the clock, which dates every backup: told by what cannot be. It knows no clock but the moment it is given.
 */
import { impossible } from '../moment/doubts.js';
import { minuteOf } from '../moment/minute.js';
import { formatDuration, msPerDay, msPerMinute } from '../units.js';
import type { HealthCheck } from './check.js';

/** A clock may be ahead of another by so much, ms. */
const tolerance = 5 * msPerMinute;

/** Whether a backup is dated so far ahead that no difference of clocks explains it. */
export const isToCome = (timestamp: string, now: Date): boolean => Date.parse(timestamp) > now.getTime() + msPerDay;

/** `lastRecord`: when the last line of the ledger was written, by the clock of then; null: there is none. */
export function judgeClock(lastRecord: Date | null, now: Date): HealthCheck {
  const check = { name: 'clock', subject: null, value: now.toISOString(), limit: lastRecord?.toISOString() ?? null };
  const wrong = (detail: string): HealthCheck => ({
    ...check,
    status: 'warning',
    detail: `${detail}; nothing is removed meanwhile`,
    hint: 'set the clock (`timedatectl`); then `backup-automation backups` shows how what was made meanwhile is dated',
  });
  const [never] = impossible(now);
  if (never !== undefined) return wrong(never);
  const behind = lastRecord ? lastRecord.getTime() - now.getTime() : 0;
  if (lastRecord && behind > tolerance)
    return wrong(
      `it is ${minuteOf(now)} by the clock, ${formatDuration(behind)} before the last record was written (${minuteOf(lastRecord)}): now or then it was wrong`,
    );
  return { ...check, status: 'healthy', detail: 'it is not behind the last record of the ledger', hint: '' };
}

/** What is dated ahead stays until its date has come. `future`: ids. */
export const adviseClock = (future: readonly string[]): string[] =>
  future.length === 0
    ? []
    : [
        `dated in the future, by a clock that was wrong: ${future.slice(0, 5).join(', ')}${future.length > 5 ? ` and ${future.length - 5} more` : ''}; no rule counts or removes what is, and \`latest\` passes it over`,
      ];
