/**
 * api: the proofs that were asked for on the page and are under way, one a backup; of those that could not be done, why.
 */
import type { Level } from '../../model/backup/level.js';
import { asFailure, type Failure } from '../../model/errors.js';

export interface Proving {
  readonly level: Level;
  readonly since: Date;
  /** Why it could not be done; null: it goes on. */
  readonly failure: Failure | null;
}

/** As many failures as are remembered. */
const most = 100;

export class Proofs {
  readonly #all = new Map<string, Proving>();

  /** Undefined: nothing goes on, or it came to an end that the ledger tells. */
  of(backupId: string): Proving | null {
    return this.#all.get(backupId) ?? null;
  }

  isOn(backupId: string): boolean {
    return this.of(backupId)?.failure === null;
  }

  /** Resolves when it came to its end; never rejects. */
  async run(backupId: string, about: Pick<Proving, 'level' | 'since'>, deed: () => Promise<unknown>): Promise<void> {
    this.#all.set(backupId, { ...about, failure: null });
    try {
      await deed();
      this.#all.delete(backupId);
    } catch (error) {
      this.#all.set(backupId, { ...about, failure: asFailure(error) });
      const [oldest] = this.#all.keys();
      if (this.#all.size > most && oldest !== undefined) this.#all.delete(oldest);
    }
  }
}
