/**
 * api: how far the backups of this process are, as the core announces it. It keeps the newest of each, and writes nothing.
 */
import type { Progress } from '../model/roles/progress.js';

/** What a backup is doing now. */
export type Doing = Extract<Progress, { readonly kind: 'step' | 'bytes' }>;

export class Feed {
  readonly #doing = new Map<string, Doing>();

  /** An `Announce`. */
  readonly hear = (progress: Progress): void => {
    if (progress.kind === 'step' || progress.kind === 'bytes') this.#doing.set(progress.database, progress);
    else if (progress.kind === 'event' && progress.event.status !== 'running') this.#doing.delete(progress.event.database);
  };

  /** What was done with its backups is over. */
  forget(database: string): void {
    this.#doing.delete(database);
  }

  /** Of a database's backup; null where none runs here. */
  doing(database: string): Doing | null {
    return this.#doing.get(database) ?? null;
  }
}
