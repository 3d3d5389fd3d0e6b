/**
 * core: folds the ledger, each line once, and remembers the fold where reading it again would take long. It writes no line.
 */
import { LedgerFold, type Folded } from '../../model/figures/fold.js';
import type { LedgerRecord } from '../../model/events/ledger.js';
import type { LedgerDamage, Position } from '../../model/roles/ledger.js';
import { localTime } from '../../model/moment/here.js';
import type { Memory } from '../../model/roles/memory.js';
import type { Context } from '../context.js';

/** What is remembered. */
interface Remembered {
  readonly version: string;
  /** The newest line that was taken, and its sums, by which another ledger is told. */
  readonly position: Position | null;
  readonly sums: string;
  /** What was met before that line. */
  readonly damage: LedgerDamage;
  readonly state: Folded;
}

/** Of the fold: what an older one remembered is folded anew, and so is what was counted by the days of another zone. */
const version = `5 ${localTime('2026-01-01T00:00:00Z')} ${localTime('2026-07-01T00:00:00Z')}`;
/** Fewer lines than these are read again sooner than remembered: a quarter of a second. */
const usuallyMany = 10_000;

const nothing = (): LedgerDamage => ({ corruptLines: 0, tornTail: false, gaps: 0 });

const isRemembered = (content: unknown): content is Remembered =>
  typeof content === 'object' && content !== null && 'version' in content && content.version === version && 'state' in content;

/** Of the line before, and of the line itself. */
const sumsOf = ({ prev, crc = '' }: LedgerRecord): string => `${prev} ${crc}`;

export interface Reading {
  /** It takes more lines with the next reading. */
  readonly fold: LedgerFold;
  readonly damage: LedgerDamage;
}

/** To be kept by whoever is asked again and again: reads on from where it stood. */
export class LedgerReader {
  private fold = new LedgerFold();
  private position: Position | null = null;
  private sums = '';
  private damage = nothing();
  /** Lines that the memory does not know. */
  private unremembered = 0;
  private last: Promise<unknown> = Promise.resolve();

  private readonly ledger: Pick<Context['ledger'], 'read'>;
  private readonly memory: Memory;
  private readonly manyLines: number;

  constructor(ledger: Pick<Context['ledger'], 'read'>, memory: Memory, manyLines = usuallyMany) {
    this.ledger = ledger;
    this.memory = memory;
    this.manyLines = manyLines;
    const remembered = memory.recall();
    if (isRemembered(remembered)) this.begin(remembered);
  }

  /** One reading after the other. */
  read(): Promise<Reading> {
    const reading = this.last.then(() => this.readOn());
    this.last = reading.catch(() => undefined);
    return reading;
  }

  private begin({ position, sums, damage, state }: Pick<Remembered, 'position' | 'sums' | 'damage'> & { readonly state?: Folded }): void {
    this.fold = new LedgerFold(state);
    Object.assign(this, { position, sums, damage });
  }

  private async readOn(): Promise<Reading> {
    const found = nothing();
    const from = this.position;
    if (!(await this.take(found, from))) {
      this.begin({ position: null, sums: '', damage: nothing() });
      return this.readOn();
    }
    const damage = {
      corruptLines: this.damage.corruptLines + found.corruptLines,
      gaps: this.damage.gaps + found.gaps,
      tornTail: found.tornTail,
    };
    const hasMoved = this.position?.offset !== from?.offset || this.position?.segment !== from?.segment;
    if (hasMoved) this.damage = found.corruptLines + found.gaps > 0 ? await this.without(damage) : damage;
    this.remember();
    return { fold: this.fold, damage };
  }

  /** What lies behind the newest line is met again with the next reading. */
  private async without({ corruptLines, gaps }: LedgerDamage): Promise<LedgerDamage> {
    const behind = nothing();
    for await (const _ of this.ledger.read(behind, this.position ?? undefined));
    return { corruptLines: corruptLines - behind.corruptLines, gaps: gaps - behind.gaps, tornTail: false };
  }

  /** False: what was folded is of another ledger, or of one that lost its end. */
  private async take(damage: LedgerDamage, from: Position | null): Promise<boolean> {
    let isKnown = from !== null;
    for await (const line of this.ledger.read(damage, from ?? undefined)) {
      const { position, record } = line;
      if (isKnown) {
        if (position.segment !== from?.segment || position.offset !== from.offset || sumsOf(record) !== this.sums) return false;
        isKnown = false;
        continue;
      }
      this.fold.take(line);
      this.position = position;
      this.sums = sumsOf(record);
      this.unremembered += 1;
    }
    return !isKnown;
  }

  private remember(): void {
    if (this.unremembered < this.manyLines) return;
    this.unremembered = 0;
    const { position, sums, damage } = this;
    try {
      this.memory.keep({ version, position, sums, damage, state: this.fold.state } satisfies Remembered);
    } catch {
      // the next one reads it again
    }
  }
}
