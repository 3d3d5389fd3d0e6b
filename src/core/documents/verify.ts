/**
 * core: the document of `verify`, the same for the command line and the API: which backups were proven, one after the other.
 */
import type { Backup } from '../../model/backup/backup.js';
import type { Level } from '../../model/backup/level.js';
import { asFailure, Failure } from '../../model/errors.js';
import { catalog, findBackup } from '../catalog/catalog.js';
import type { Context } from '../context.js';
import { verifyBackup, type VerifyResult } from '../verify.js';

export interface VerifyRequest {
  /** An id, the beginning of one, or `latest`; left out: the newest of each database. */
  readonly id?: string | undefined;
  readonly database?: string | undefined;
  /** Every backup. */
  readonly all?: boolean | undefined;
  readonly level: Level;
}

/** What to prove; and, where none is named, what looks like a backup and is none: that is not proven either. */
async function chosen(context: Context, { id, database, all }: VerifyRequest) {
  if (id !== undefined) return { backups: [await findBackup(context, id, database)], problems: [] };
  const { backups, problems } = await catalog(context, database);
  if (backups.length === 0)
    throw new Failure('not-found', ['there is no backup to verify', ...problems].join('; '), {
      hint: 'make one with `backup-automation execute`',
    });
  const newest = new Map([...backups].toReversed().map((backup) => [backup.database, backup]));
  return { backups: all ? backups : [...newest.values()], problems };
}

/** Proves one after the other; one that could not be tried does not stop the rest. */
async function proveAll(context: Context, backups: readonly Backup[], level: Level) {
  const results: VerifyResult[] = [];
  const undone: Failure[] = [];
  for (const backup of backups) {
    try {
      results.push(await verifyBackup(context, backup, level));
    } catch (error) {
      if (context.signal.aborted) throw error;
      undone.push(asFailure(error));
    }
  }
  return { results, undone };
}

/** Throws `not-found` where there is nothing to verify. */
export async function verifyDocument(
  context: Context,
  request: VerifyRequest,
): Promise<{ readonly document: { readonly results: readonly VerifyResult[] }; readonly failure: Failure | undefined }> {
  const { backups, problems } = await chosen(context, request);
  const { results, undone } = await proveAll(context, backups, request.level);
  const bad = [...results.filter(({ ok }) => !ok).map(({ backupId, detail }) => `${backupId}: ${detail}`), ...problems];
  const count = `${bad.length} of ${backups.length + problems.length} not proven`;
  const unreadable = problems.length === 0 && results.every(({ ok, code }) => ok || code === 'unreadable');
  const code = unreadable ? 'unreadable' : 'verification';
  const failure = bad.length > 0 ? new Failure(code, `${count}: ${bad.slice(0, 5).join('; ')}`) : undone[0];
  return { document: { results }, failure };
}
