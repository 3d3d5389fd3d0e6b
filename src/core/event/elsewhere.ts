/**
 * core: whether another host that shares a storage has made a slot's backup already, as the storage's manifests tell. Looks only.
 */
import type { BackupEvent } from '../../model/events/event.js';
import { earliestOfSlot, timeOfId } from '../../model/events/record.js';
import type { Storage } from '../../model/roles/storage.js';
import { readManifest } from '../backup/manifest.js';
import type { Context } from '../context.js';

/** A sentence that says so; null: nobody has, or no storage tells. */
export async function doneElsewhere(
  context: Pick<Context, 'ledger' | 'signer'>,
  { slot, database }: BackupEvent,
  storages: readonly Storage[],
): Promise<string | null> {
  if (slot === undefined) return null;
  const earliest = Date.parse(earliestOfSlot(slot));
  for (const storage of storages) {
    try {
      for await (const stored of storage.list(database)) {
        // newest first, by the time in their ids
        if ((timeOfId(stored.place.backupId) ?? 0) < earliest) break;
        const read = readManifest(stored, context.signer);
        if ('problem' in read || read.manifest.slot !== slot) continue;
        // what an earlier attempt of ours left is not whole, else there was no other
        if (await context.ledger.find(read.manifest.eventId)) continue;
        return `duplicate: ${read.manifest.host} has made the backup of this slot, ${read.manifest.backupId} in ${storage.name}`;
      }
    } catch {
      // the backup itself will tell what is wrong with the storage
    }
  }
  return null;
}
