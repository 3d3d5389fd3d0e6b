/**
 * core: holds the proof of life of one event, or of one run without an event, or a backup that is read, while a deed is done.
 */
import { asFailure, Failure } from '../../model/errors.js';
import type { Context } from '../context.js';

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
  const done = await whileClaimed(
    context,
    id,
    async () => ({ result: await deed() }),
    ({ result }) => isClean(result),
  );
  if (!done) throw new Failure('not-now', `event ${id} is being worked on by another process`);
  return done.result;
}

/** The same; null when another process works on the event. */
export async function whileClaimed<T extends object>(
  context: Pick<Context, 'locks'>,
  id: string,
  deed: () => Promise<T>,
  isClean: (result: T) => boolean = () => true,
): Promise<T | null> {
  const lock = await context.locks.claimEvent(id);
  if (!lock) return null;
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

/** Nobody removes the backup meanwhile. Throws `not-found` when somebody is about to. */
export async function whileHeld<T>({ locks }: Pick<Context, 'locks'>, backupId: string, deed: () => Promise<T>): Promise<T> {
  const lock = await locks.holdBackup(backupId);
  if (!lock) throw new Failure('not-found', `backup ${backupId} is being removed`, { hint: 'see `backup-automation backups`' });
  try {
    return await deed();
  } finally {
    lock.release();
  }
}
