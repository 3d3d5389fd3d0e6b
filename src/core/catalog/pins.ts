/**
 * core: pins a backup, so that no rule removes it, and takes the pin away. The pin is a file beside the manifest: it outlives the ledger,
 * which only keeps who did it and why.
 */
import type { Actor } from '../../model/access/actor.js';
import type { Backup } from '../../model/backup/backup.js';
import { asFailure, type Failure } from '../../model/errors.js';
import { pinnedName } from '../../model/settings/names.js';
import { whileHeld } from '../event/claim.js';
import type { Context } from '../context.js';
import { storagesOf } from './fetch.js';

export interface PinRequest {
  readonly pinned: boolean;
  readonly reason: string;
  readonly actor: Actor;
}

export interface Pinned {
  readonly backupId: string;
  readonly database: string;
  readonly pinned: boolean;
  readonly reason: string;
  /** Those that hold the pin now, or none any more. */
  readonly storages: readonly string[];
  /** What went wrong in another one; null: nothing did. */
  readonly failure: Failure | null;
}

/** In every storage that holds the backup. Throws when it could be done in none. */
export async function setPin(context: Context, backup: Backup, { pinned, reason, actor }: PinRequest): Promise<Pinned> {
  const { backupId, database } = backup;
  const text = `${reason}\n${actor.by}, ${context.clock.now().toISOString()}\n`;
  const storages: string[] = [];
  let failure: Failure | null = null;
  await whileHeld(context, backupId, async () => {
    for (const storage of storagesOf(context, backup)) {
      try {
        await (pinned ? storage.mark(backup, pinnedName, text) : storage.unmark(backup, pinnedName));
        storages.push(storage.name);
      } catch (error) {
        failure = asFailure(error, 'storage');
      }
    }
  });
  if (failure && storages.length === 0) throw failure;
  await context.ledger.appendFact({ record: 'pin', pinned, backupId, database, storages, reason, ...actor });
  return { backupId, database, pinned, reason, storages, failure };
}
