/**
 * core: which other backup holds a table that one lacks, as when it was dropped before the newest. Looks at their details only.
 */
import type { Backup } from '../../model/backup/backup.js';
import type { LoadRequest } from '../../model/roles/engine/load.js';
import { catalog } from '../catalog/catalog.js';
import { readDetails } from '../catalog/fetch.js';
import type { Context } from '../context.js';

/** So many are looked into at most, the newest first. */
const searched = 50;

type Parts = NonNullable<LoadRequest['parts']>;

/** The newest other backup of the database that counts all the tables of `parts`; null: none is known, or none may be looked into. */
export async function holderOf(context: Context, backup: Backup, { tables, schemas }: Parts): Promise<Backup | null> {
  if (tables.length === 0) return null;
  const { backups } = await catalog(context, backup.database);
  for (const other of backups.filter(({ backupId }) => backupId !== backup.backupId).slice(0, searched)) {
    const details = await readDetails(context, other).catch(() => null);
    const there = (details?.fingerprint.tables ?? []).filter(({ schema }) => schemas.length === 0 || schemas.includes(schema));
    if (tables.every((name) => there.some((table) => table.name === name))) return other;
  }
  return null;
}
