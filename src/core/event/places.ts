/**
 * core: the places of a running backup: one of this host, one of the server's for all hosts, and the database. It waits for none.
 */
import type { Database } from '../../model/roles/engine.js';
import { lostPlace } from '../../model/events/event.js';
import type { Context } from '../context.js';

export interface Places {
  readonly warnings: readonly string[];
  /** What became of them while they were held: a sentence, or nothing. */
  troubles(): string[];
  /** Never throws. */
  release(): Promise<void>;
}

/** In this order, so that nobody ever waits for who waits; all are given back when one is refused. */
export async function claimPlaces(
  { engine, locks, process }: Context,
  database: Database,
  limit: number,
): Promise<Places | { readonly refused: string }> {
  const here = await locks.claimPlace(limit);
  if (!here) return { refused: `concurrency: all ${limit} places for backups are taken (maxConcurrentBackups)` };
  try {
    const there = await engine.claim(database, limit, process.host);
    if ('refused' in there) {
      here.release();
      return { refused: `concurrency: ${there.refused}` };
    }
    return {
      warnings: there.without === null ? [] : [`concurrency: other hosts are not told of this backup: ${there.without}`],
      troubles: () => (there.isLost() ? [lostPlace] : []),
      async release() {
        await there.release();
        here.release();
      },
    };
  } catch (error) {
    here.release();
    throw error;
  }
}
