/**
 * cli: what is said about a ledger that was not whole. It repairs nothing.
 */
import type { LedgerDamage } from '../../model/roles/ledger.js';
import { countOf } from '../../model/units.js';

/** A line for stderr; empty when the ledger was whole. */
export function damageNote({ corruptLines, tornTail, gaps }: LedgerDamage): string {
  const found = [
    corruptLines > 0 ? `${countOf(corruptLines, 'damaged line was', 'damaged lines were')} skipped` : '',
    tornTail ? 'the last line is torn' : '',
    gaps > 0 ? `${countOf(gaps, 'segment is', 'segments are')} missing or shortened` : '',
  ].filter(Boolean);
  return found.length === 0 ? '' : `the ledger is damaged: ${found.join(', ')}; look with \`backup-automation events verify\``;
}
