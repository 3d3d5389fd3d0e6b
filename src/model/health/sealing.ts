/**
 * model: the health check of what backups are sealed with, and the advice about keys that nobody proved. Reads no key.
 */
import type { HealthCheck } from './check.js';
import { formatDuration, msPerDay } from '../units.js';

export interface SealingFacts {
  /** Why some of what is asked for cannot be sealed, a sentence each: then it is not backed up either. */
  readonly problems: readonly string[];
  /** The keys that are sealed to, by their public ids, and when the private one was last proven. */
  readonly keys: readonly { readonly id: string; readonly provenAt: Date | null }[];
  /** Whether a private key is named, so that backups can be opened here; or why those that are named cannot open them. */
  readonly identity: boolean | { readonly problem: string };
}

/** A private key should be drilled about as often as a restore from afar, days. */
const drillEvery = 90;

const command = '`backup-automation verify --keys --identity FILE`';

export function judgeSealing({ problems, keys, identity }: SealingFacts): HealthCheck {
  const check = { name: 'encryption', subject: null, value: keys.length, limit: null };
  if (problems.length > 0)
    return { ...check, status: 'critical', detail: problems.join('; '), hint: 'mend it, or no backup is made: `backup-automation test`' };
  const detail =
    keys.length > 0 ? `backups are sealed to the keys ${keys.map(({ id }) => id).join(', ')}` : 'backups are sealed with a passphrase';
  if (typeof identity === 'object')
    return {
      ...check,
      status: 'warning',
      detail: `${detail}; none of them can be proven here: ${identity.problem}`,
      hint: `name the private key with verify.identity, or leave that out where the key is kept elsewhere; then ${command}`,
    };
  return { ...check, status: 'healthy', detail, hint: '' };
}

export function adviseSealing({ keys, identity }: SealingFacts, now: Date): string[] {
  const drills = keys.flatMap(({ id, provenAt }) => {
    if (provenAt === null) return [`nobody proved yet that the private key of ${id} opens the backups: ${command}`];
    const age = Math.max(0, now.getTime() - provenAt.getTime());
    const old = age > drillEvery * msPerDay ? `; prove it again: ${command}` : '';
    return [`the private key of ${id} was last proven to open the backups ${formatDuration(age)} ago${old}`];
  });
  const blind =
    'backups are sealed, and no private key is named here: to prove them by a restore set verify.identity, or do it where the key is';
  return keys.length > 0 && identity === false ? [...drills, blind] : drills;
}
