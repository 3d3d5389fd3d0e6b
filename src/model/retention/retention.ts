/**
 * model: which backups to keep and which to remove, with a reason for each: a plan, made before anything is touched. Removes nothing.
 *
 * It is made for one group: the backups of one schedule and one database in one storage. Only good ones count, ages are measured from
 * the newest good one, and what protects a backup wins over every rule.
 */
import type { Level } from '../backup/level.js';
import { levelRank } from '../backup/level.js';
import { applyRules, type Keeping, type RetentionPolicy } from './rules.js';
import { obstacle, type RetentionFacts } from './obstacle.js';
import { msPerMinute } from '../units.js';

export interface RetentionCandidate {
  readonly backupId: string;
  /** When it was complete, ISO 8601. */
  readonly timestamp: string;
  /** `failed`: its newest verification spoke against it; `foreign`: another installation made it, it is none of our business. */
  readonly standing: 'good' | 'suspect' | 'failed' | 'foreign';
  readonly proven: Level | null;
  readonly pinned: boolean;
  /** A restore or a verification reads it now. */
  readonly inUse: boolean;
}

export interface Kept {
  readonly backupId: string;
  readonly reason: string;
  /** When it would go if backups go on as scheduled, ISO 8601; null: not by itself, or not to be told. */
  readonly expires: string | null;
}

export interface Removed {
  readonly backupId: string;
  readonly reason: string;
}

export interface RetentionPlan {
  /** Newest first. */
  readonly keep: readonly Kept[];
  /** Oldest first: the order in which they are removed. */
  readonly remove: readonly Removed[];
  /** How many have to go, those for a later run too. */
  readonly due: number;
  /** Why nothing is removed at all; null when nothing stands against it. */
  readonly skipped: string | null;
}

/** A clock may be ahead of another by this much without a backup being from the future, ms. */
const ahead = 5 * msPerMinute;
/** The most that one run removes: so many, or this share of the group. */
const most = { count: 3, share: 0.25 };

const byTime = (a: RetentionCandidate, b: RetentionCandidate): number =>
  Date.parse(b.timestamp) - Date.parse(a.timestamp) || (a.backupId < b.backupId ? 1 : -1);

const isFuture = ({ timestamp }: RetentionCandidate, now: Date): boolean => !(Date.parse(timestamp) <= now.getTime() + ahead);

/** Why a backup stays whatever the rules and the others are; null when nothing of its own protects it. */
function protection(backup: RetentionCandidate, now: Date): string | null {
  if (backup.standing === 'foreign') return 'made by another installation: not counted, never removed';
  if (isFuture(backup, now)) return 'dated in the future: not counted, not removed';
  if (backup.pinned) return 'pinned';
  return backup.inUse ? 'in use: it is read now' : null;
}

/** The good backups that others need, by id, with the reason: the highest proof that there is, and what came before a suspect one. */
function heldByOthers(ordered: readonly RetentionCandidate[], good: ReadonlySet<RetentionCandidate>, now: Date): Map<string, string> {
  const held = new Map<string, string>();
  let highest: RetentionCandidate | null = null;
  let suspect: string | null = null;
  for (const one of ordered) {
    if (one.standing === 'suspect' && !isFuture(one, now)) suspect = one.backupId;
    if (!good.has(one)) continue;
    if (suspect !== null) held.set(one.backupId, `held, because ${suspect} after it is suspect`);
    suspect = null;
    if (levelRank(one.proven) > levelRank(highest?.proven)) highest = one;
  }
  // that the newest one was read to its end goes without saying: the next one will be, too
  const [newest] = good;
  if (highest && (highest !== newest || highest.proven === 'restore')) {
    const others = held.get(highest.backupId);
    held.set(highest.backupId, `${others ? `${others}; ` : ''}the newest that is proven at level ${highest.proven}`);
  }
  return held;
}

interface Verdict {
  readonly backup: RetentionCandidate;
  /** Null: it may go. */
  readonly stays: Kept | null;
  readonly why: string;
}

const kept = ({ backupId }: RetentionCandidate, reason: string, expires: number | null = null): Kept => ({
  backupId,
  reason,
  expires: expires === null || !Number.isFinite(expires) ? null : new Date(expires).toISOString(),
});

/** What is not good and older than all that the rules keep is of no use to anybody. */
const outlived: Readonly<Record<string, string>> = {
  suspect: 'suspect and never cleared, and older than all that the rules keep',
  failed: 'failed its newest verification, and older than all that the rules keep',
};
const waits: Readonly<Record<string, string>> = {
  suspect: 'suspect: not counted until a restore proves it',
  failed: 'failed its newest verification: not counted',
};

function judge(ordered: readonly RetentionCandidate[], policy: RetentionPolicy, now: Date): Verdict[] {
  const good = ordered.filter((backup) => backup.standing === 'good' && !isFuture(backup, now));
  const rules = applyRules(good, policy);
  const held = heldByOthers(ordered, new Set(good), now);
  const oldest = ordered.findLastIndex(({ backupId }) => rules.has(backupId));
  const enough = good.length >= policy.minimum;
  const verdict = (backup: RetentionCandidate, index: number): Verdict => {
    const rule: Keeping | undefined = rules.get(backup.backupId);
    const shields = [protection(backup, now), held.get(backup.backupId)].filter((shield) => typeof shield === 'string');
    const reasons = [...(rule?.reasons ?? []), ...shields];
    if (reasons.length > 0) return { backup, stays: kept(backup, reasons.join('; '), shields.length > 0 ? null : rule?.until), why: '' };
    if (backup.standing === 'good') return { backup, stays: null, why: 'kept by no rule' };
    if (index > oldest && enough) return { backup, stays: null, why: outlived[backup.standing] ?? '' };
    return { backup, stays: kept(backup, waits[backup.standing] ?? ''), why: '' };
  };
  return ordered.map(verdict);
}

/**
 * Plans for one group. Pure, and whatever the order of the list: the same plan. A plan made anew after some of the removals never
 * wants back what they took, so it may be asked again before each. `facts.force` lifts the bound of a run, and no protection.
 */
export function planRetention(
  backups: readonly RetentionCandidate[],
  policy: RetentionPolicy,
  now: Date,
  facts: RetentionFacts,
): RetentionPlan {
  const skipped = obstacle(policy, now, facts);
  const verdicts = judge(backups.toSorted(byTime), policy, now);
  const due = verdicts.filter(({ stays }) => stays === null).toReversed();
  const bound = facts.force ? Infinity : Math.max(most.count, Math.floor(backups.length * most.share));
  const going = new Set(skipped === null ? due.slice(0, bound) : []);
  const later = skipped === null ? `due; a run removes at most ${bound}` : `due, but nothing is removed now`;
  return {
    keep: verdicts.filter((one) => !going.has(one)).map(({ backup, stays }) => stays ?? kept(backup, later)),
    remove: [...going].map(({ backup, why }) => ({ backupId: backup.backupId, reason: why })),
    due: due.length,
    skipped,
  };
}

/** Whether the rules, or what protects it, would keep one of them; what would stop a removal is not asked. Pure. */
export const isKept = (backups: readonly RetentionCandidate[], policy: RetentionPolicy, now: Date, backupId: string): boolean =>
  judge(backups.toSorted(byTime), policy, now).some(({ backup, stays }) => backup.backupId === backupId && stays !== null);

export type { RetentionFacts, RetentionPolicy };
