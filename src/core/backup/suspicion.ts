/**
 * core: compares a backup that is about to be committed with the good ones before it. What is odd makes it suspect, and never fails it.
 */
import type { Artifact, BackupDetails } from '../../model/backup/backup.js';
import { disappearance } from '../../model/backup/objects.js';
import { rowSuspicion, sizeSuspicions, suspectWarning } from '../../model/backup/suspect.js';
import { catalog } from '../catalog/catalog.js';
import type { Context } from '../context.js';
import { readDetails } from '../catalog/fetch.js';

export interface Suspicion {
  /** For the manifest: nothing of what is in the database. */
  readonly suspect: readonly string[];
  /** For the manifest: that something was dropped since the last one. No reason to doubt this one. */
  readonly gone: readonly string[];
  /** For the event: with the names of tables, and what to do. */
  readonly warnings: readonly string[];
}

export interface Fresh {
  readonly backupId: string;
  readonly database: string;
  readonly databaseSize: number | null;
  readonly artifacts: readonly Artifact[];
  readonly details: BackupDetails;
}

/** Never rejects: without anything to compare with nothing is odd. */
export async function suspicionOf(context: Context, fresh: Fresh): Promise<Suspicion> {
  try {
    const { backups } = await catalog(context, fresh.database);
    const good = backups.filter(({ suspect, signed }) => signed && !suspect);
    const manifests = good.map(({ manifest }) => manifest);
    const sizes = sizeSuspicions({ artifacts: [...fresh.artifacts], databaseSize: fresh.databaseSize }, manifests);
    const [newest] = good;
    const before = newest ? await readDetails(context, newest).catch(() => null) : null;
    const rows = before && rowSuspicion(fresh.details.fingerprint, before.fingerprint);
    const gone = before && disappearance(fresh.details.objects, before.objects);
    const suspect = [...sizes, ...(rows ? [rows.sealed] : [])];
    const doubts = suspect.length > 0 ? [...sizes, ...(rows ? [rows.told] : []), suspectWarning(fresh.backupId)] : [];
    return { suspect, gone: gone ? [gone.sealed] : [], warnings: [...doubts, ...(gone ? [gone.told] : [])] };
  } catch (error) {
    context.log('warn', `${fresh.database}: the backup could not be compared with those before it`, { error: String(error) });
    return { suspect: [], gone: [], warnings: [] };
  }
}
