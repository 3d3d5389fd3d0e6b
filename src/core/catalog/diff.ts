/**
 * core: `backups diff`, reads the details of two backups and tells how they differ. It restores neither.
 */
import type { Backup } from '../../model/backup/backup.js';
import { diffBackups, type BackupDiff } from '../../model/backup/diff.js';
import { findBackup } from './catalog.js';
import type { Context } from '../context.js';
import { readDetails } from './fetch.js';

export interface Compared extends BackupDiff {
  readonly a: Backup;
  readonly b: Backup;
}

const majorOf = (version: string): string => version.split('.', 1)[0] ?? '';

/** `a` and `b` are ids, the beginnings of ids, or `latest`. Throws `not-found`, `no-key`. */
export async function diff(context: Context, ids: { readonly a: string; readonly b: string }, database?: string): Promise<Compared> {
  const [a, b] = await Promise.all([findBackup(context, ids.a, database), findBackup(context, ids.b, database)]);
  const detailsOf = (backup: Backup) => readDetails(context, backup);
  const found = diffBackups(await detailsOf(a), await detailsOf(b));
  const strangers = a.database === b.database ? [] : [`they are of two databases: ${a.database} and ${b.database}`];
  const [versionA, versionB] = [a.manifest.clientVersion, b.manifest.clientVersion];
  const writers =
    found.objects && majorOf(versionA) !== majorOf(versionB)
      ? [`they were written by pg_dump ${versionA} and ${versionB}, which may write the same definition differently`]
      : [];
  return { a, b, ...found, warnings: [...strangers, ...writers, ...found.warnings] };
}
