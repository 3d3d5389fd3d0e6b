/**
 * core: `restore`, the page of `execute` read from the bottom: storage, codecs reversed, engine, and then it is compared.
 */
import type { BackupDetails } from '../model/backup/backup.js';
import { comparedByContent, compareFingerprints, refreshedViews, tablesOf } from '../model/backup/fingerprint.js';
import { asFailure, Failure, failures } from '../model/errors.js';
import { unfitness } from '../model/restore/plan.js';
import { admit } from '../model/restore/target.js';
import { minuteOf } from '../model/moment/minute.js';
import type { Database } from '../model/roles/engine/dump.js';
import { anyOf, ofBackup, readDetails, whileKept } from './catalog/fetch.js';
import { elapsed, type Context } from './context.js';
import { fill, type FillRequest } from './restore/fill.js';
import { holderOf } from './restore/holder.js';
import { bringProperties } from './restore/properties.js';

export interface RestoreRequest extends Pick<FillRequest, 'backup' | 'create' | 'noOwner' | 'parts' | 'jobs' | 'role'> {
  /** A URL or a reference to one. */
  readonly to: string;
  /** The target's name once more, to restore onto the source or into a database that is not empty. */
  readonly forceTarget?: string;
}

export interface Restored {
  readonly backupId: string;
  /** Host, port, user and database; never a secret. */
  readonly target: string;
  readonly ok: boolean;
  /** Whether there was a fingerprint to compare with. */
  readonly compared: boolean;
  /** Tables of which every row was compared, not only their number; of all that were compared. */
  readonly byContent: { readonly hashed: number; readonly tables: number };
  readonly duration: number;
  readonly warnings: readonly string[];
}

/** Restores into a database and compares. Throws `restore-target` before anything is touched, `restore` when it did not go well. */
export async function restore(context: Context, request: RestoreRequest): Promise<Restored> {
  return whileKept(context, request.backup, () => restoreKept(context, request));
}

async function restoreKept(context: Context, request: RestoreRequest): Promise<Restored> {
  const { backup, create, forceTarget, noOwner, parts, jobs = 1, role } = request;
  const target = context.engine.target(request.to);
  const state = await context.engine.inspect(target);
  const warnings = admit({ manifest: backup.manifest, create, forceTarget, jobs }, state);
  const details = await readDetails(context, backup).catch((error: unknown) => {
    throw ofBackup(backup, asFailure(error, 'restore'));
  });
  if (!parts) await refuseUnfit(context, request, target, details);
  if (parts && (details.fingerprint.largeObjects ?? 0) > 0)
    warnings.push('large objects stay behind: only a restore of everything brings them');

  const { place, databaseName, objects } = state;
  const replace = objects !== null && objects > 0;
  const how = { create: objects === null, noOwner, createRoles: false, replace, parts, jobs, role };
  const started = context.clock.monotonic();
  const { backupId, database, size } = backup;
  const about = { record: 'restore', ...context.actor, backupId, database, target: place } as const;
  try {
    const { found, expected, warnings: noticed } = await fill(context, { backup, source: anyOf(context, backup), details, target, ...how });
    const compared = expected.method !== 'none' && (!parts || expected.tables.length > 0);
    const differences = compareFingerprints(expected, replace ? tablesOf(expected, found) : found);
    if (differences.length > 0)
      throw new Failure('restore', `the restored database differs from the backup: ${differences.slice(0, 5).join('; ')}`);

    const duration = elapsed(context, started);
    await context.ledger.appendFact({ ...about, ok: true, compared, ...(!parts && { size }), duration });
    warnings.push(...noticed);
    if (!parts) warnings.push(...refreshedViews(expected, found));
    if (!parts) warnings.push(...(await bringProperties(context, request, target, { details, create: how.create, databaseName })));
    return { backupId, target: place, ok: true, compared, byContent: comparedByContent(expected, found), duration, warnings };
  } catch (error) {
    await context.ledger.appendFact({ ...about, ok: false, compared: false, duration: elapsed(context, started) });
    throw await inWords(context, request, asFailure(error, 'restore'));
  }
}

/** What is read of a backup that is damaged says so late, when the target holds a part of it. A table may be in an older one. */
async function inWords(context: Context, { backup, parts }: RestoreRequest, failure: Failure): Promise<Failure> {
  const { backupId, database } = backup;
  const holder = failure.code === 'not-found' && parts ? await holderOf(context, backup, parts).catch(() => null) : null;
  if (holder)
    return new Failure('not-found', failure.message.replace('the backup', `backup ${backupId}`), {
      hint: `${holder.backupId} of ${minuteOf(holder.timestamp)} has it: name that one instead`,
      cause: failure,
    });
  const isDamaged = failure.code === 'archive' || failure.code === 'verification';
  // garbage makes pg_restore complain of anything, and even crash
  const mayBe = failure.code === 'engine-killed' || (failure.code === 'restore' && failure.hint === failures.restore.hint);
  if (!isDamaged && !mayBe) return failure;
  const said = isDamaged ? `backup ${backupId} of ${database} cannot be read to its end: ${failure.message}` : failure.message;
  const look = `\`backup-automation verify ${backupId} --level checksum\` tells whether the backup is damaged, \`backup-automation backups\` names others`;
  const hint = `the target is incomplete; ${look}${failure.code === 'engine-killed' ? `; or ${failure.hint}` : ''}`;
  return new Failure(isDamaged ? 'restore' : failure.code, said, { hint, cause: failure });
}

/** Not where it cannot end well, unless the target's name was typed again. */
async function refuseUnfit(
  { engine }: Context,
  { backup: { manifest }, forceTarget }: RestoreRequest,
  target: Database,
  details: BackupDetails,
): Promise<void> {
  if (forceTarget !== undefined) return;
  const survey = await engine.survey(target, { details, archiveMajor: Number.parseInt(manifest.clientVersion, 10) });
  const reasons = unfitness({ manifest }, survey);
  if (reasons.length > 0)
    throw new Failure('restore-target', `${survey.place}: ${reasons.join('; ')}`, {
      hint: `restore elsewhere; or add --force-target ${JSON.stringify(survey.databaseName)} if you are sure`,
    });
}
