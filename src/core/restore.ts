/**
 * core: `restore`, the page of `execute` read from the bottom: storage, codecs reversed, engine, and then it is compared.
 */
import { Writable } from 'node:stream';
import type { Backup, BackupDetails, Fingerprint, TableCount } from '../model/backup/backup.js';
import { comparedByContent, compareFingerprints, refreshedViews } from '../model/backup/fingerprint.js';
import { amendments, beyondMending } from '../model/backup/properties.js';
import type { Database, TargetState } from '../model/roles/engine.js';
import { asFailure, Failure } from '../model/errors.js';
import { isSource, unfitness } from '../model/restore/plan.js';
import { elapsed, type Context } from './context.js';
import { anyOf, readDetails, whileKept } from './catalog/fetch.js';
import { fillParts, type FillRequest } from './catalog/load.js';
import { withdraw } from './backup/transfer.js';

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
  const { backup } = request;
  const target = context.engine.target(request.to);
  const state = await context.engine.inspect(target);
  const warnings = refuseOrWarn(request, state);
  const replace = state.objects !== null && state.objects > 0;
  if (replace && (request.jobs ?? 1) > 1)
    throw new Failure('usage', `--jobs can not replace what is in ${state.place}: that is done in one transaction, by one connection`, {
      hint: 'leave --jobs out, or restore into an empty database',
    });
  const details = await readDetails(context, backup);
  if (!request.parts) await refuseUnfit(context, request, target, details);
  if (request.parts && (details.fingerprint.largeObjects ?? 0) > 0)
    warnings.push('large objects stay behind: only a restore of everything brings them');
  const started = context.clock.monotonic();
  const create = state.objects === null;
  const outcome = { backupId: backup.backupId, target: state.place };
  try {
    const { noOwner, parts, jobs, role } = request;
    const how = { noOwner, createRoles: false, replace, parts, jobs, role };
    const source = anyOf(context, backup);
    const { found, expected, warnings: noticed } = await fillParts(context, { backup, source, details, target, create, ...how });
    warnings.push(...noticed);
    const compared = expected.method !== 'none' && (!parts || expected.tables.length > 0);
    const differences = compareFingerprints(expected, replace ? onlyThoseOf(expected, found) : found);
    if (differences.length > 0)
      throw new Failure('restore', `the restored database differs from the backup: ${differences.slice(0, 5).join('; ')}`);
    const duration = await finish(context, backup, state, { started, ok: true, compared, whole: !request.parts });
    if (!parts)
      warnings.push(
        ...refreshedViews(expected, found),
        ...(await bringProperties(context, request, target, { details, create, databaseName: state.databaseName })),
      );
    return { ...outcome, ok: true, compared, byContent: comparedByContent(expected, found), duration, warnings };
  } catch (error) {
    await finish(context, backup, state, { started, ok: false, compared: false, whole: false });
    throw asFailure(error, 'restore');
  }
}

interface Bringing {
  readonly details: BackupDetails;
  readonly create: boolean;
  readonly databaseName: string;
}

/** The database's own properties: put there where it was made for this, offered else. Resolves to what is left to do. Never rejects. */
async function bringProperties(context: Context, { backup, noOwner }: RestoreRequest, target: Database, to: Bringing): Promise<string[]> {
  const wanted = to.details.properties;
  try {
    const present = wanted && (await context.engine.properties(target));
    if (!wanted || !present) return [];
    const statements = amendments(wanted, present, { databaseName: to.databaseName, noOwner });
    const beyond = beyondMending(wanted, present);
    if (to.create) return [...(await context.engine.amend(target, statements)).map((one) => `not brought back: ${one}`), ...beyond];
    const offer = `the database's own owner, privileges, settings or comment are not those of the source: see the SQL that \`backup-automation restore ${backup.backupId} --to ... --plan\` prints`;
    return [...(statements.length > 0 ? [offer] : []), ...beyond];
  } catch (error) {
    return [`the database's own properties could not be brought back: ${asFailure(error).message}`];
  }
}

/** What is in the target beside the backup's tables stays there, and is not compared. */
function onlyThoseOf(expected: Fingerprint, found: Fingerprint): Fingerprint {
  const key = ({ schema, name }: TableCount) => JSON.stringify([schema, name]);
  const keys = new Set(expected.tables.map(key));
  const tables = found.tables.filter((table) => keys.has(key(table)));
  const { largeObjectsHash: _beside, ...rest } = found;
  return { ...rest, tables, largeObjects: null };
}

async function finish(
  context: Context,
  { backupId, database, size }: Backup,
  state: TargetState,
  end: { started: number; ok: boolean; compared: boolean; whole: boolean },
): Promise<number> {
  const duration = elapsed(context, end.started);
  await context.ledger.appendFact({
    record: 'restore',
    ...context.actor,
    backupId,
    database,
    target: state.place,
    ok: end.ok,
    compared: end.compared,
    ...(end.whole && { size }),
    duration,
  });
  return duration;
}

/** Never onto the source or into a non-empty database unless its name was typed again. */
function refuseOrWarn({ backup, create, forceTarget }: RestoreRequest, state: TargetState): string[] {
  const { manifest } = backup;
  if (state.objects === null && !create)
    throw new Failure('restore-target', `${state.place} does not exist`, { hint: 'add --create to have it made, or create it first' });
  if (state.objects !== null && create && forceTarget === undefined)
    throw new Failure('restore-target', `${state.place} exists already`, {
      hint: 'leave --create out to restore into it when it is empty, or name another',
    });
  if (forceTarget !== undefined && forceTarget !== state.databaseName)
    throw new Failure('restore-target', `--force-target names "${forceTarget}", the target is "${state.databaseName}"`, {
      hint: 'type the name of the target database after --force-target',
    });
  const source = isSource(manifest, state);
  const occupied = state.objects !== null && state.objects > 0;
  if (!source && !occupied) return [];
  const what = source ? 'is the database that the backup was taken from' : `is not empty: it holds ${state.objects} objects`;
  if (forceTarget === undefined)
    throw new Failure('restore-target', `${state.place} ${what}`, {
      hint: `restore into a new database with --create; or add --force-target ${JSON.stringify(state.databaseName)} if you are sure`,
    });
  return [`${state.place} ${what}; its tables of the same names were replaced, because --force-target named it`];
}

/** Not where it can not end well, unless the target's name was typed again. */
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
    await withdraw(context, { artifact, input }, [], { step: 'fetch', database: backup.database, total: artifact.size }, into);
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
  const pieces: Buffer[] = [];
  const into = new Writable({
    write: (data: Buffer, _encoding, next) => {
      pieces.push(data);
      next();
    },
  });
  await extract(context, backup, into, 'globals');
  return { target: place, created: await context.engine.addRoles(target, Buffer.concat(pieces).toString('utf8')) };
}
