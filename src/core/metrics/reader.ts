/**
 * core: folds the ledger for the metrics, each line once, and remembers the fold where reading it again would take long. It writes no line.
 */
import type { LedgerDamage, Position } from '../../model/roles/ledger.js';
import { digest, emptyDigest, type Digest } from '../../model/metrics/digest.js';
import { emptyTally, tally, type Tally } from '../../model/metrics/tally.js';
import type { Context } from '../context.js';

/** What was folded; JSON. */
interface Folded {
  readonly version: typeof version;
  /** The newest line that was taken, and the hash of the line before it, by which another ledger is told. */
  position: Position | null;
  prev: string;
  readonly digest: Digest;
  readonly tally: Tally;
  /** What was met before that line. */
  readonly damage: LedgerDamage;
}

/** Of the fold: what an older one remembered is folded anew. */
const version = 1;
/** Fewer lines than these are read again sooner than remembered: a quarter of a second. */
const manyLines = 10_000;

const nothing = (): LedgerDamage => ({ corruptLines: 0, tornTail: false, gaps: 0 });
const fresh = (): Folded => ({ version, position: null, prev: '', digest: emptyDigest(), tally: emptyTally(), damage: nothing() });

const isFolded = (content: unknown): content is Folded =>
  typeof content === 'object' && content !== null && 'version' in content && content.version === version && 'tally' in content;

export interface Reading {
  readonly digest: Digest;
  readonly tally: Tally;
  readonly damage: LedgerDamage;
}

/** Reads on from where it stood. */
export class MetricsReader {
  private folded: Folded;
  /** Lines that the memory does not know. */
  private unremembered = 0;

  private readonly context: Pick<Context, 'ledger' | 'metricsMemory'>;

  constructor(context: Pick<Context, 'ledger' | 'metricsMemory'>) {
    this.context = context;
    const remembered = context.metricsMemory.recall();
    this.folded = isFolded(remembered) ? remembered : fresh();
  }

  async read(): Promise<Reading> {
    const found = nothing();
    const from = this.folded.position;
    if (!(await this.take(found, from))) {
      this.folded = fresh();
      return this.read();
    }
    const { digest, tally, damage: known, position } = this.folded;
    const damage = {
      corruptLines: known.corruptLines + found.corruptLines,
      gaps: known.gaps + found.gaps,
      tornTail: found.tornTail,
    };
    // what lies behind the newest line is met again
    if (position?.offset !== from?.offset || position?.segment !== from?.segment) Object.assign(known, damage);
    this.remember();
    return { digest, tally, damage };
  }

  /** False: what was folded is of another ledger, or of one that lost its end. */
  private async take(damage: LedgerDamage, from: Position | null): Promise<boolean> {
    const { folded } = this;
    let isKnown = from !== null;
    for await (const line of this.context.ledger.read(damage, from ?? undefined)) {
      const { position, record } = line;
      if (isKnown) {
        if (position.segment !== from?.segment || position.offset !== from.offset || record.prev !== folded.prev) return false;
        isKnown = false;
        continue;
      }
      digest(folded.digest, line);
      tally(folded.tally, record);
      Object.assign(folded, { position, prev: record.prev });
      this.unremembered += 1;
    }
    return !isKnown;
  }

  private remember(): void {
    if (this.unremembered < manyLines) return;
    this.unremembered = 0;
    try {
      this.context.metricsMemory.keep(this.folded);
    } catch {
      // the next one reads it again
    }
  }
}
