/**
 * core: what an attempt came to, in the words and the exit code of the whole command. Pure.
 */
import { Failure } from '../../model/errors.js';
import type { BackupEvent } from '../../model/events/event.js';
import type { Settings } from '../../model/settings/settings.js';
import { minuteOf } from '../../model/moment/minute.js';
import type { Made } from '../backup/request.js';

export interface Outcome {
  readonly event: BackupEvent;
  readonly failure: Failure | null;
  /** The retry that was left pending. */
  readonly retry: BackupEvent | null;
  /** It waits for what it waited for before. */
  readonly isOld?: boolean;
}

export const notNow = (event: BackupEvent, reasons: readonly string[]): Failure =>
  new Failure('not-now', `${event.database}: not backed up: ${reasons.join('; ')}`, {
    // waiting makes no room
    ...(reasons.every((reason) => reason.startsWith('disk:')) && {
      hint: 'make room on the storage: `backup-automation backups prune` shows what may go',
    }),
  });

/** A good backup that is not everything that was asked for. */
export function shortfall(settings: Pick<Settings, 'failOnWarnings'>, event: BackupEvent, made: Made): Failure | null {
  const [missing] = made.missing;
  if (missing) {
    const { message, hint } = missing.failure;
    return new Failure('partial', `${event.database}: backed up, but not to every storage: ${message}`, { hint });
  }
  if (settings.failOnWarnings && made.warnings.length > 0)
    return new Failure('engine', `${event.database}: backed up with warnings, and failOnWarnings is on: ${made.warnings.join('; ')}`);
  return null;
}

/** Whether one of the others tried again what this one failed at. */
const isSuperseded = ({ event }: Outcome, others: readonly Outcome[]): boolean =>
  others.some((other) => other.event.retryOf === (event.retryOf ?? event.id) && other.event.attempt > event.attempt);

/** One failure for all, counted by the last attempt of each: itself when all failed, else `partial`. */
export function summarize(outcomes: readonly Outcome[]): Failure | null {
  const last = outcomes.filter((outcome) => !isSuperseded(outcome, outcomes));
  const failures = last.flatMap(({ event, failure, retry }) => (failure ? [{ event, failure, retry }] : []));
  const [first] = failures;
  if (!first) return null;
  const { failure, retry } = first;
  const next = retry
    ? `; attempt ${retry.attempt} is due ${minuteOf(retry.notBefore ?? retry.timestamp)}: \`backup-automation execute --due\` runs it then`
    : '';
  const hint = failure.hint + next;
  const all = failures.length === last.length;
  if (all && last.length === 1)
    return new Failure(failure.code, failure.message, { hint, class: failure.class, exit: failure.exit, cause: failure });
  const names = failures.map(({ event }) => event.database).join(', ');
  const message = `${failures.length} of ${last.length} databases failed (${names}): ${failure.message}`;
  return new Failure(all ? failure.code : 'partial', message, { hint, class: failure.class, cause: failure });
}
