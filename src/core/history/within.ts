/**
 * core: the lines of a ledger that still count, read as a ledger, by whoever asks how things are now. Nothing can be written by it.
 */
import { Failure } from '../../model/errors.js';
import type { Ledger, LedgerDamage, LedgerLine } from '../../model/roles/ledger.js';
import { linesOf } from '../../model/metrics/digest.js';
import type { Context } from '../context.js';
import type { LedgerReader } from './reader.js';

const refused = (): never => {
  throw new Failure('internal', 'this only looks');
};

async function* oneByOne(lines: readonly LedgerLine[], damage: LedgerDamage, into?: LedgerDamage): AsyncGenerator<LedgerLine> {
  if (into) Object.assign(into, damage);
  yield* lines;
}

/** What of a ledger counts, read as a ledger. */
export function ledgerOf(ledger: Ledger, lines: readonly LedgerLine[], damage: LedgerDamage): Ledger {
  return {
    ...ledger,
    appendEvent: refused,
    appendFact: refused,
    appendEventSync: refused,
    read: (into) => oneByOne(lines, damage, into),
    readOutcomes: (into) => oneByOne(lines, damage, into),
    readBackwards: (into) => oneByOne(lines.toReversed(), damage, into),
  };
}

/** The Context, whose ledger is what is kept of it. */
export async function within(context: Context, reader: LedgerReader): Promise<Context> {
  const { fold, damage } = await reader.read();
  return { ...context, ledger: ledgerOf(context.ledger, linesOf(fold.state.digest), damage) };
}
