/**
 * core: says of a failed backup what was really wrong, where the first thing that was heard is not it. It mends nothing.
 */
import type { Database } from '../../model/roles/engine/dump.js';
import { asFailure, Failure } from '../../model/errors.js';
import type { Context } from '../context.js';

/**
 * A session that is ended looks like a connection that broke, and is told so; whether the database itself is gone another look tells.
 * Damage of the source is called by its name.
 */
async function causeOf(context: Context, database: Database, error: unknown): Promise<Failure> {
  const failure = asFailure(error);
  if (failure.code === 'damaged-source')
    return new Failure('damaged-source', `${database.name}: source damaged: ${failure.message}`, { cause: failure });
  if (failure.code !== 'connection' || context.signal.aborted) return failure;
  const again = await context.engine.probe(database).then(
    () => null,
    (reason: unknown) => asFailure(reason),
  );
  return again?.code === 'no-database' ? again : failure;
}

/** To be caught with: throws the cause of what it catches. */
export const tellCause =
  (context: Context, database: Database) =>
  async (error: unknown): Promise<never> => {
    throw await causeOf(context, database, error);
  };
