/**
 * core: holds the proof of life of one event, or of one run without an event, while a deed is done.
 */
import { asFailure, Failure } from '../model/errors.js';
import type { Context } from './context.js';

/**
 * What a run kept for itself is removed with it; when its end could not be recorded, the reconciler will do both. A result that
 * is not clean leaves the claim's file too, so that the reconciler sweeps what could not be removed from a storage.
 */
export async function withClaim<T>(
  context: Pick<Context, 'locks'>,
  id: string,
  deed: () => Promise<T>,
  isClean: (result: T) => boolean = () => true,
): Promise<T> {
  const lock = await context.locks.claimEvent(id);
  if (!lock) throw new Failure('not-now', `event ${id} is being worked on by another process`);
  try {
    const result = await deed();
    if (isClean(result)) lock.retire();
    else lock.release();
    return result;
  } catch (error) {
    if (asFailure(error).code === 'ledger') lock.release();
    else lock.retire();
    throw error;
  }
}
