/**
 * api: the proofs that were asked for on the page and are under way, one a backup; of those that could not be done, why.
 */
import type { Level } from '../../model/backup/level.js';
import { asFailure, Failure } from '../../model/errors.js';
import { Refusal } from '../problem.js';

export interface Proving {
  readonly level: Level;
  readonly since: Date;
  /** Why it could not be done; null: it goes on. */
  readonly failure: Failure | null;
}

/** A refusal is one of the API's own: too many are under way. */
const reasonOf = (error: unknown): Failure =>
  error instanceof Refusal ? new Failure('not-now', error.problem.detail ?? error.message) : asFailure(error);

/** As many failures as are remembered. */
const most = 100;

export class Proofs {
  readonly #all = new Map<string, Proving>();

  /** Null: nothing goes on, or it came to an end that the ledger tells. */
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
      this.#all.set(backupId, { ...about, failure: reasonOf(error) });
      const [oldest] = this.#all.keys();
      if (this.#all.size > most && oldest !== undefined) this.#all.delete(oldest);
    }
  }
}
