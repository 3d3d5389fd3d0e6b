/**
 * cli: what is said about a ledger that was not whole. It repairs nothing.
 */
import type { LedgerDamage } from '../../model/roles/ledger.js';

/** A line for stderr; empty when the ledger was whole. */
export function damageNote({ corruptLines, tornTail, gaps }: LedgerDamage): string {
  const found = [
    corruptLines > 0 ? `${corruptLines} damaged lines were skipped` : '',
    tornTail ? 'the last line is torn' : '',
    gaps > 0 ? `${gaps} segments are missing or were shortened` : '',
  ].filter(Boolean);
  return found.length === 0 ? '' : `the ledger is damaged: ${found.join(', ')}; look with \`backup-automation events verify\``;
}
