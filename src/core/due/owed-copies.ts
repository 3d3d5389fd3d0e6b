/**
 * core: which copies are owed to storages, by the ledger's newest month. Looks only, and at nothing else.
 */
import { longestOwed, OwedCopies } from '../../model/backup/owed-copies.js';
import type { Context } from '../context.js';
import type { Sight } from '../history/liveness.js';

type DueSight = Pick<Sight, 'ledger'> & Pick<Context, 'clock'>;

export async function readOwed({ ledger, clock }: DueSight): Promise<OwedCopies> {
  const copies = new OwedCopies();
  const earliest = new Date(clock.now().getTime() - longestOwed).toISOString();
  for await (const { record } of ledger.readBackwards()) {
    if (record.at < earliest) break;
    copies.take(record);
  }
  return copies;
}
