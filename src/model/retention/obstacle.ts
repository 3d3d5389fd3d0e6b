/**
 * model: what must hold before any backup of a group may be removed. The first thing that does not is the reason to leave all as it is.
 */
import { isEmpty, type RetentionPolicy } from './rules.js';
import { formatDuration, msPerDay, msPerMinute } from '../units.js';

export interface RetentionFacts {
  /** When the schedule last completed a backup of the database, by the ledger; null: it does not say. */
  readonly lastCompleted: Date | null;
  /** When the newest line of the ledger was written; null: there is none. */
  readonly newestRecord: Date | null;
  /** Why the storage could not be listed to its end; null: it was. */
  readonly unlisted: string | null;
  /** What is wrong with the ledger as far back as the backups go; null: nothing. */
  readonly damage: string | null;
  /** The event by which the newest attempt failed for damage of the source itself; null: it did not, or a backup was completed since. */
  readonly damagedSource: string | null;
  /** The newest backup that a verification looked at, when it failed; null: it passed, or none was looked at. */
  readonly failedProof: string | null;
  /** Asked for by a person: lifts the bound of a run and looks past the ledger's damage, nothing else. */
  readonly force: boolean;
}

/** Set back by more than this the clock is not believed, ms. */
const back = 5 * msPerMinute;
/** Ahead of the newest record by more than this, or three intervals, neither. */
const ahead = 7 * msPerDay;
/** By hand backups may be made seldom. */
const aheadByHand = 100 * msPerDay;
/** A schedule's newest backup is fresh for so many intervals. */
const freshFor = 2;

function clockProblem({ interval }: RetentionPolicy, now: Date, { newestRecord }: RetentionFacts): string | null {
  if (!newestRecord) return 'the ledger is empty, so the clock cannot be checked';
  const since = now.getTime() - newestRecord.getTime();
  if (since < -back) return `the clock is ${formatDuration(-since)} behind the newest record of the ledger`;
  const limit = interval === null ? aheadByHand : Math.max(ahead, 3 * interval);
  return since > limit
    ? `the newest record of the ledger is ${formatDuration(since)} old: the clock, or the schedule, is not believed`
    : null;
}

function staleness({ interval }: RetentionPolicy, now: Date, { lastCompleted }: RetentionFacts): string | null {
  if (interval === null) return null;
  if (!lastCompleted) return 'no backup of this schedule and database was completed that the ledger knows of';
  const age = now.getTime() - lastCompleted.getTime();
  if (age <= freshFor * interval) return null;
  return `the newest backup of this schedule was completed ${formatDuration(age)} ago, which is more than ${freshFor} intervals`;
}

/** Why nothing at all may be removed now, a sentence; null when nothing stands against it. */
export function obstacle(policy: RetentionPolicy, now: Date, facts: RetentionFacts): string | null {
  if (isEmpty(policy)) return 'the retention has no rule but its minimum';
  if (facts.unlisted !== null) return `the storage could not be listed: ${facts.unlisted}`;
  if (facts.damage !== null && !facts.force) return `${facts.damage}; --force looks past it`;
  if (facts.damagedSource !== null)
    return `the source is damaged: event ${facts.damagedSource} found it so, and no backup was completed since; old backups may hold what it lost`;
  if (facts.failedProof !== null) return `verification fails: ${facts.failedProof} did not pass, and nothing newer was proven since`;
  return clockProblem(policy, now, facts) ?? staleness(policy, now, facts);
}
