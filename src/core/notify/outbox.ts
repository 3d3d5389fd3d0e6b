/**
 * core: the ledger as outbox: what is owed, folded from its lines, each read once. It sends nothing.
 */
import { take } from '../../model/alert/fold.js';
import { emptyState, type AlertState } from '../../model/alert/state.js';
import { asFailure } from '../../model/errors.js';
import type { Fact } from '../../model/events/ledger.js';
import type { Position } from '../../model/roles/ledger.js';
import type { Context } from '../context.js';

/** What is kept between two processes; the ledger has all of it. */
export interface Remembered {
  readonly version: typeof version;
  /** The newest line that was taken in, and the hash of the line before it, by which another ledger is told. */
  readonly position: Position;
  readonly prev: string;
  /** When something is to be done next, whatever the ledger says, ISO 8601. */
  readonly next: string;
  /** When health was last looked at. */
  readonly lookedAt: string | null;
  readonly state: AlertState;
}

/** Of the fold: what an older one remembered is folded anew. */
const version = 3;

export type OutboxContext = Pick<Context, 'ledger' | 'alertMemory' | 'log'> & { readonly process: Pick<Context['process'], 'host'> };

const isRemembered = (content: unknown): content is Remembered =>
  typeof content === 'object' && content !== null && 'version' in content && content.version === version && 'state' in content;

/** What was remembered; null: nothing that can be used. */
export function recall({ alertMemory }: Pick<Context, 'alertMemory'>): Remembered | null {
  const content = alertMemory.recall();
  return isRemembered(content) ? content : null;
}

export class Outbox {
  state: AlertState = emptyState();
  lookedAt: string | null = null;
  private newest: Pick<Remembered, 'position' | 'prev'> | null = null;

  private readonly context: OutboxContext;

  constructor(context: OutboxContext) {
    this.context = context;
    const remembered = recall(context);
    if (remembered) ({ state: this.state, lookedAt: this.lookedAt } = remembered);
    this.newest = remembered;
  }

  /** Takes in what was written since. */
  async refresh(): Promise<void> {
    const { ledger, process } = this.context;
    const known = this.newest;
    let isFirst = known !== null;
    for await (const { position, record } of ledger.read(undefined, known?.position)) {
      const isKnown = isFirst && position.segment === known?.position.segment && position.offset === known.position.offset;
      if (isFirst && !(isKnown && record.prev === known?.prev)) return this.anew();
      if (!isKnown) take(this.state, record, process.host);
      isFirst = false;
      this.newest = { position, prev: record.prev };
    }
    if (isFirst) await this.anew();
  }

  /** What was remembered is of another ledger, or of one that lost its end. */
  private anew(): Promise<void> {
    [this.state, this.newest] = [emptyState(), null];
    return this.refresh();
  }

  /** Appends, and takes in what that changes. */
  async append(...facts: readonly Fact[]): Promise<void> {
    for (const fact of facts) await this.context.ledger.appendFact(fact);
    if (facts.length > 0) await this.refresh();
  }

  /** For the next process, which folds it anew where that is not possible: nothing is lost. `next`: when something is to be done, whatever happens. */
  keep(next: Date): void {
    const { state, lookedAt, newest } = this;
    if (!newest) return;
    try {
      this.context.alertMemory.keep({ version, ...newest, next: next.toISOString(), lookedAt, state } satisfies Remembered);
    } catch (error) {
      this.context.log('warn', `alerts: what was read cannot be kept: ${asFailure(error).message}`);
    }
  }
}
