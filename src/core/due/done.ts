/**
 * core: what became of one kind of duty. It knows none of them.
 */
import type { Failure } from '../../model/errors.js';

export interface Done<T> {
  /** What was done, and what was tried in vain. */
  readonly done: readonly T[];
  /** The first that did not go well. */
  readonly failure: Failure | null;
}
