/**
 * core: from which storage a backup is read, and the small files of it that are read whole.
 */
import { Writable } from 'node:stream';
import { detailsSchema, type Backup, type BackupDetails } from '../../model/backup/backup.js';
import { Failure } from '../../model/errors.js';
import type { Storage } from '../../model/roles/storage.js';
import type { Context } from '../context.js';
import { withdraw } from '../backup/transfer.js';

/** The named storage, or the first that holds the backup. */
export function storageOf(context: Context, backup: Backup, name = backup.storages[0]): Storage {
  const storage = context.storages.find((one) => one.name === name);
  if (!storage) throw new Failure('not-found', `no configured storage holds backup ${backup.backupId}`);
  return storage;
}

/** Checked against its SHA-256 like every other artifact. Throws `verification`. */
export async function readDetails(context: Context, backup: Backup, storage: Storage): Promise<BackupDetails> {
  const artifact = backup.manifest.artifacts.find(({ kind }) => kind === 'details');
  if (!artifact) throw new Failure('verification', `backup ${backup.backupId} has no details`);
  const pieces: Buffer[] = [];
  const into = new Writable({
    write: (data: Buffer, _encoding, next) => {
      pieces.push(data);
      next();
    },
  });
  const input = await storage.get(backup, artifact.name);
  await withdraw(context, { artifact, input }, [], { step: 'fetch', database: backup.database, total: artifact.size }, into);
  const parsed = detailsSchema.safeParse(JSON.parse(Buffer.concat(pieces).toString('utf8')));
  if (!parsed.success) throw new Failure('verification', `the details of backup ${backup.backupId} can not be understood`);
  return parsed.data;
}
