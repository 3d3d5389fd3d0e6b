/**
 * core: what is in a backup, given out as it is: the decoded archive, or the globals as SQL. It restores no database.
 */
import type { Writable } from 'node:stream';
import type { Backup } from '../../model/backup/backup.js';
import { Failure } from '../../model/errors.js';
import { withdraw } from '../backup/transfer.js';
import { anyOf, gather, ofBackup, whileKept } from '../catalog/fetch.js';
import type { Context } from '../context.js';

type Extracted = 'database' | 'globals';

/** The decoded archive, or the globals as SQL, into a file, which appears only when it is whole. */
export async function extractToFile(context: Context, backup: Backup, path: string, kind: Extracted = 'database'): Promise<void> {
  const file = await context.createFile(path);
  try {
    await extract(context, backup, file.stream, kind);
    await file.keep();
  } catch (error) {
    await file.discard();
    throw error;
  }
}

/** The same for a file or a pipe. Throws `not-found` where the backup was made without globals. */
export async function extract(context: Context, backup: Backup, into: Writable, kind: Extracted = 'database'): Promise<void> {
  const artifact = backup.manifest.artifacts.find((one) => one.kind === kind);
  if (!artifact) {
    if (kind === 'globals') throw new Failure('not-found', `backup ${backup.backupId} was made without globals`);
    throw new Failure('verification', `backup ${backup.backupId} has no archive`);
  }
  await whileKept(context, backup, async () => {
    const input = await anyOf(context, backup).get(backup, artifact.name);
    context.announce({ kind: 'step', step: 'fetch', database: backup.database, detail: artifact.name });
    try {
      await withdraw(context, { artifact, input }, [], { step: 'fetch', database: backup.database, total: artifact.size }, into);
    } catch (error) {
      throw error instanceof Failure ? ofBackup(backup, error) : error;
    }
  });
}

/** Makes the roles that the target's server lacks, as the globals have them, and leaves the others as they are. Resolves to their names. */
export async function restoreGlobals(
  context: Context,
  backup: Backup,
  to: string,
): Promise<{ target: string; created: readonly string[] }> {
  const target = context.engine.target(to);
  const { place } = await context.engine.inspect(target);
  const gathered = gather();
  await extract(context, backup, gathered.into, 'globals');
  return { target: place, created: await context.engine.addRoles(target, gathered.text()) };
}
