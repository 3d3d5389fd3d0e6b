/**
 * core: the places of a running backup: its schedule's turn, one of this host, and one of the server's for all hosts. It
 * waits for none.
 */
import { lostPlace, type BackupEvent } from '../../model/events/event.js';
import type { Database } from '../../model/roles/engine/dump.js';
import type { Lock } from '../../model/roles/locks.js';
import type { Context } from '../context.js';

export interface Places {
  readonly warnings: readonly string[];
  /** What became of them while they were held: a sentence, or nothing. */
  troubles(): string[];
  /** Never throws. */
  release(): Promise<void>;
}

export interface Refused {
  readonly refused: string;
  /** By the backup before of the same schedule and database. */
  readonly overlaps?: true;
}

/** In this order, so that nobody ever waits for who waits; all are given back when one is refused. */
export async function claimPlaces(context: Context, event: BackupEvent, database: Database, limit: number): Promise<Places | Refused> {
  const turn = await claimTurn(context, event);
  if (turn !== null && 'refused' in turn) return turn;
  const places = await claimBoth(context, database, limit).catch((error: unknown) => {
    turn?.release();
    throw error;
  });
  if (turn === null) return places;
  if ('refused' in places) {
    turn.release();
    return places;
  }
  return { ...places, release: () => places.release().finally(() => turn.release()) };
}

/**
 * Held as long as the backup runs, so that the next one of its schedule and database does not run beside it, however close they look.
 * What somebody asks for now runs all the same; it takes the turn where that is free.
 */
async function claimTurn({ locks }: Context, { scheduleId, database, notBefore }: BackupEvent): Promise<Lock | Refused | null> {
  if (scheduleId === undefined) return null;
  const turn = await locks.claimTurn(scheduleId, database);
  if (turn !== null || notBefore === undefined) return turn;
  return { refused: `overlap: ${database} is still being backed up by another event of ${scheduleId}`, overlaps: true };
}

async function claimBoth({ engine, locks, process }: Context, database: Database, limit: number): Promise<Places | Refused> {
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
