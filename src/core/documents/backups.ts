/**
 * core: the documents of `backups` and `backups show`, the same for the command line and the API. It reads, and changes nothing.
 */
import type { Backup, BackupDetails, Manifest } from '../../model/backup/backup.js';
import { Failure, type FailureDocument } from '../../model/errors.js';
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

export interface BackupDocument {
  readonly backup: BackupLine;
  readonly manifest: Manifest;
  /** Null: they are sealed, and there is no key here. */
  readonly details: BackupDetails | null;
  /** Why they can not be read. */
  readonly sealed?: FailureDocument;
}

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
