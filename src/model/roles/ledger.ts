/**
 * model: the Ledger role: lines are appended and read, and none is ever changed.
 */
import type { BackupEvent } from '../events/event.js';
import type { Fact, LedgerRecord } from '../events/ledger.js';

/** Where a line lies: segments are numbered from 1. */
export interface Position {
  readonly segment: number;
  readonly offset: number;
}

export interface LedgerLine {
  readonly position: Position;
  readonly record: LedgerRecord;
}

/** Counted while reading, never thrown: a reader survives every damage. */
export interface LedgerDamage {
  corruptLines: number;
  tornTail: boolean;
  /** Segments that are missing in the row of numbers. */
  gaps: number;
}

/** Where something is wrong with the chain of lines, and what. */
export interface ChainProblem {
  readonly path: string;
  readonly offset: number;
  readonly problem: 'damaged' | 'torn' | 'broken' | 'gap';
  readonly detail: string;
}

/** The whole ledger read and its chain followed. */
export interface ChainReport {
  readonly segments: number;
  readonly lines: number;
  /** How many of each, all counted; `problems` holds the first hundred. */
  readonly counts: Readonly<Record<ChainProblem['problem'], number>>;
  readonly problems: readonly ChainProblem[];
  /** Lines appended without the lock, which may fork the chain beside them. */
  readonly nolock: number;
}

export interface Ledger {
  /**
   * Appends an event's next state, durable when it resolves. Under the ledger's lock the event's newest state is read again;
   * resolves to false, writing nothing, when `event.status` may not follow it (`mayFollow`), and when another event has its slot.
   */
  appendEvent(event: BackupEvent): Promise<boolean>;
  /** Missed slots that are recorded already are not recorded again. */
  appendFact(fact: Fact): Promise<void>;
  /** For the last resort in a dying process. */
  appendEventSync(event: BackupEvent): void;
  /** Oldest first, in constant memory; from the line at a position on. */
  read(damage?: LedgerDamage, from?: Position): AsyncIterable<LedgerLine>;
  /**
   * For folds over everything, much faster than `read`: of each event only the line that ends it or, when none does, its newest one,
   * which comes at the end or before a `clear`; and every other record. Oldest first, from the line at a position on.
   */
  readOutcomes(damage?: LedgerDamage, from?: Position): AsyncIterable<LedgerLine>;
  /** Newest first, from the tail or from the line before a position, reading only as much as is asked for. */
  readBackwards(damage?: LedgerDamage, before?: Position): AsyncIterable<LedgerLine>;
  /** The newest state of one event, null when unknown. */
  find(eventId: string): Promise<BackupEvent | null>;
  /** Follows the hash chain from the first line on, in constant memory. Throws only when a file cannot be read at all. */
  verify(): Promise<ChainReport>;
  /** The paths of its files, oldest first. */
  segments(): Promise<readonly string[]>;
}
