/**
 * core: the documents of `backups` and `backups show`, the same for the command line and the API. It reads, and changes nothing.
 */
import type { Backup } from '../../model/backup/backup.js';
import type { BackupTold } from '../../model/backup/words.js';
import { Failure } from '../../model/errors.js';
import { catalog, findBackup } from '../catalog/catalog.js';
import { readDetails } from '../catalog/fetch.js';
import type { Context } from '../context.js';

/** A backup as listings tell of it. */
export type BackupLine = Omit<Backup, 'manifest'>;

const line = ({ manifest: _manifest, ...rest }: Backup): BackupLine => rest;

export interface BackupList {
  readonly backups: readonly BackupLine[];
  readonly problems: readonly string[];
}

/** `database` is a configured name. */
export async function listBackups(context: Context, database?: string): Promise<BackupList> {
  const { backups, problems } = await catalog(context, database);
  return { backups: backups.map(line), problems };
}

export type BackupDocument = BackupTold;

/** `id`: the beginning of one, or `latest`. Throws `not-found`. */
export async function showBackup(context: Context, id: string, database?: string): Promise<BackupDocument> {
  const backup = await findBackup(context, id, database);
  const about = { backup: line(backup), manifest: backup.manifest };
  try {
    return { ...about, details: await readDetails(context, backup) };
  } catch (error) {
    const sealed = error instanceof Failure && backup.manifest.keys && ['no-key', 'configuration'].includes(error.code);
    if (!sealed) throw error;
    return { ...about, details: null, sealed: error.toJSON() };
  }
}
