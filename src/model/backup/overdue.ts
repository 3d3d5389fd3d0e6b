/**
 * model: which backups a schedule wants proven now: none of its backups of a database was proven so far for so many days. Pure.
 */
import { levelRank, type Level } from './level.js';
import { msPerDay, msPerMinute } from '../units.js';

/** One look at a backup. */
export interface ProofTry {
  readonly backupId: string;
  readonly level: Level;
  /** ISO 8601. */
  readonly at: string;
  readonly outcome: 'proven' | 'failed' | 'undone';
}

/** A schedule that wants proofs, and one of its databases. */
export interface ProofRoutine {
  readonly scheduleId: string;
  readonly database: string;
  readonly level: Level;
  readonly everyDays: number;
  /** Ids of its backups, newest first. */
  readonly backupIds: readonly string[];
}

export interface OverdueProof {
  readonly scheduleId: string;
  readonly backupId: string;
  readonly level: Level;
}

/** What could not be done is not tried again sooner than this, ms. */
const leastPause = 15 * msPerMinute;

/** The newest backup of each routine that has to be proven now. One that failed waits a day, what could not be done `retryDelay` minutes. */
export function overdueProofs(
  routines: readonly ProofRoutine[],
  tries: readonly ProofTry[],
  { now, retryDelay }: { readonly now: Date; readonly retryDelay: number },
): OverdueProof[] {
  const age = ({ at }: ProofTry): number => now.getTime() - Date.parse(at);
  const pause = { proven: 0, failed: msPerDay, undone: Math.max(leastPause, retryDelay * msPerMinute) };
  return routines.flatMap(({ scheduleId, level, everyDays, backupIds }) => {
    const [newest] = backupIds;
    const known = tries.filter((one) => backupIds.includes(one.backupId) && levelRank(one.level) >= levelRank(level));
    const proven = known.some((one) => one.outcome === 'proven' && age(one) < everyDays * msPerDay);
    const waits = known.some((one) => one.backupId === newest && age(one) < pause[one.outcome]);
    return newest === undefined || proven || waits ? [] : [{ scheduleId, backupId: newest, level }];
  });
}
