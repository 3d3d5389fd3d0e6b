/**
 * core: from which storage a backup is read, and the small files of it that are read whole.
 */
import { Readable, Writable } from 'node:stream';
import { detailsSchema, type Backup, type BackupDetails, type BackupPlace } from '../../model/backup/backup.js';
import { asFailure, Failure } from '../../model/errors.js';
import type { Storage } from '../../model/roles/storage.js';
import type { Context } from '../context.js';
import { withdraw } from '../backup/transfer.js';
import { whileHeld } from '../event/claim.js';

/** What can give a backup's files. */
export type Source = Pick<Storage, 'get'>;

/** The storages that hold a backup, those first of which nothing bad is known. Throws where none of them is configured any more. */
export function storagesOf(
  { storages }: Pick<Context, 'storages'>,
  backup: Pick<Backup, 'backupId' | 'storages' | 'badCopies'>,
): Storage[] {
  const holders = storages.filter(({ name }) => backup.storages.includes(name));
  if (holders.length === 0) throw new Failure('not-found', `no configured storage holds backup ${backup.backupId}`);
  return holders.toSorted((a, b) => Number(backup.badCopies.includes(a.name)) - Number(backup.badCopies.includes(b.name)));
}

/** The failure, naming the backup whose reading it ended. */
export function ofBackup({ backupId, database }: Backup, failure: Failure): Failure {
  const { code, message, hint } = failure;
  return new Failure(code, `backup ${backupId} of ${database}: ${message}`, { hint, cause: failure });
}

/** Nobody removes the backup while it is read. Throws `not-found` where somebody has since it was listed, or is about to. */
export async function whileKept<T>(context: Pick<Context, 'locks' | 'storages'>, backup: Backup, deed: () => Promise<T>): Promise<T> {
  return whileHeld(context, backup.backupId, async () => {
    // a storage that cannot tell is left to whoever reads it
    const looks = storagesOf(context, backup).map((storage) => storage.stat(backup).catch(() => undefined));
    if ((await Promise.all(looks)).some((found) => found !== null)) return deed();
    throw new Failure('not-found', `backup ${backup.backupId} was removed meanwhile`, { hint: 'see `backup-automation backups`' });
  });
}

/**
 * All of its storages as one: where one cannot be read any further, the next one goes on at the same byte. Their files are the same,
 * or do not have the SHA-256 that whoever reads them compares.
 */
export function anyOf(context: Context, backup: Backup): Source {
  const holders = storagesOf(context, backup);
  const [only, another] = holders;
  if (only && !another) return only;
  const get: Source['get'] = async (place, artifact) =>
    Readable.from(oneAfterTheOther(context, holders, { place, artifact }), { objectMode: false });
  return { get };
}

async function* oneAfterTheOther(
  { announce, log }: Context,
  holders: readonly Storage[],
  { place, artifact }: { readonly place: BackupPlace; readonly artifact: string },
): AsyncIterable<Buffer> {
  let given = 0;
  for (const [index, storage] of holders.entries()) {
    let skip = given;
    try {
      for await (const piece of await storage.get(place, artifact)) {
        const rest = (piece as Buffer).subarray(skip);
        skip -= (piece as Buffer).length - rest.length;
        given += rest.length;
        if (rest.length > 0) yield rest;
      }
      return;
    } catch (error) {
      const failure = asFailure(error, 'storage');
      const next = holders[index + 1];
      if (!next) throw failure;
      const message = `${failure.message}; going on with the copy in "${next.name}"`;
      log('warn', `${place.database}: ${message}`, { backupId: place.backupId });
      announce({ kind: 'warning', database: place.database, message });
    }
  }
}

/** Keeps what is written into it, for what is small. */
export function gather(): { readonly into: Writable; text(): string } {
  const pieces: Buffer[] = [];
  const into = new Writable({
    write: (data: Buffer, _encoding, next) => {
      pieces.push(data);
      next();
    },
  });
  return { into, text: () => Buffer.concat(pieces).toString('utf8') };
}

/** Checked against its SHA-256 like every other artifact. Throws `verification`. */
export async function readDetails(context: Context, backup: Backup, source: Source = anyOf(context, backup)): Promise<BackupDetails> {
  const artifact = backup.manifest.artifacts.find(({ kind }) => kind === 'details');
  if (!artifact) throw new Failure('verification', `backup ${backup.backupId} has no details`);
  const gathered = gather();
  const input = await source.get(backup, artifact.name);
  await withdraw(context, { artifact, input }, [], { step: 'fetch', database: backup.database, total: artifact.size }, gathered.into);
  const parsed = detailsSchema.safeParse(JSON.parse(gathered.text()));
  if (!parsed.success) throw new Failure('verification', `the details of backup ${backup.backupId} cannot be understood`);
  return parsed.data;
}
