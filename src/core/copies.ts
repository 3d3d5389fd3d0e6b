/**
 * core: gives a storage the copy of a backup that it lacks, from one that holds it: the same files, the same manifest, by the same
 * protocol as a backup. It never changes what is there.
 */
import type { Artifact, Backup, BackupPlace, Manifest } from '../model/backup/backup.js';
import { storedSize } from '../model/backup/backup.js';
import { asFailure, Failure } from '../model/errors.js';
import type { CopyRecord } from '../model/events/ledger.js';
import type { Deposit, Storage } from '../model/roles/storage.js';
import { pinnedName } from '../model/settings/names.js';
import { nearest } from '../model/settings/nearest.js';
import { bytesPerGB, formatBytes } from '../model/units.js';
import { readManifest } from './backup/manifest.js';
import { withdraw } from './backup/transfer.js';
import { missingCopies, type MissingCopy } from './catalog/missing.js';
import { elapsed, type Context } from './context.js';
import { whileHeld, withClaim } from './event/claim.js';
import type { Outcome } from './event/outcome.js';

export type Copied = Omit<CopyRecord, 'record'>;

const placeOf = ({ manifest }: MissingCopy): BackupPlace => ({ database: manifest.database, backupId: manifest.backupId });

/**
 * Copies one backup and records how it went. The backup is held meanwhile, so that nobody removes it, and claimed, so that nobody else
 * copies it and the next run removes what a killed one left. Rejects only when another process works on it, or for the ledger.
 */
export async function copyBackup(
  context: Context,
  copy: MissingCopy,
): Promise<{ readonly told: Copied; readonly failure: Failure | null }> {
  const place = placeOf(copy);
  const started = context.clock.monotonic();
  const tried = await withClaim(context, place.backupId, () => whileHeld(context, place.backupId, () => fromAny(context, copy)));
  const size = tried.failure ? 0 : storedSize(copy.manifest);
  const detail = tried.failure?.message ?? `copied and read back, ${formatBytes(size)}`;
  const told = { ...place, from: tried.from, to: copy.to.name, ok: tried.failure === null, detail, size };
  const copied = { ...told, duration: elapsed(context, started) };
  await context.ledger.appendFact({ record: 'copy', ...context.actor, ...copied });
  context.log(copied.ok ? 'info' : 'warn', `copy of ${place.backupId} of ${place.database} to ${copied.to}: ${detail}`);
  return { told: copied, failure: tried.failure };
}

/** The first storage that can give it; one that cannot is passed over. */
async function fromAny(context: Context, copy: MissingCopy): Promise<{ from: string | null; failure: Failure | null }> {
  let failure = new Failure('not-found', `no storage holds backup ${copy.manifest.backupId}`);
  for (const from of copy.from) {
    try {
      await copyFrom(context, copy, from);
      return { from: from.name, failure: null };
    } catch (error) {
      failure = asFailure(error, 'storage');
      if (context.signal.aborted) throw failure;
    }
  }
  return { from: null, failure };
}

async function copyFrom(context: Context, copy: MissingCopy, from: Storage): Promise<void> {
  const { to } = copy;
  const place = placeOf(copy);
  const stored = await from.stat(place);
  const read = stored && readManifest(stored, context.signer);
  if (!stored?.manifest || !read || 'problem' in read)
    throw new Failure('verification', `${from.name}: ${place.backupId}: ${read && 'problem' in read ? read.problem : 'it is not there'}`);
  await demandRoom(context, read.manifest, to);
  await to.sweep(place);
  const deposit = await to.put(place);
  try {
    for (const artifact of read.manifest.artifacts) await copyArtifact(context, { place, artifact, from }, deposit);
    await deposit.commit(stored.manifest);
  } catch (error) {
    await deposit.abort();
    throw error;
  }
  if (pinnedName in stored.sizes) await to.mark(place, pinnedName, 'pinned where it was copied from\n');
}

/** Copied, made durable, and read back: its bytes have the manifest's SHA-256 both times. */
async function copyArtifact(
  context: Context,
  { place, artifact, from }: { readonly place: BackupPlace; readonly artifact: Artifact; readonly from: Storage },
  deposit: Deposit,
): Promise<void> {
  const { database } = place;
  const bytes = { ...artifact, codecs: [] };
  context.announce({ kind: 'step', step: 'copy', database, detail: artifact.name });
  const input = await from.get(place, artifact.name);
  const into = await deposit.write(artifact.name).catch((error: unknown) => {
    input.destroy();
    throw error;
  });
  await withdraw(context, { artifact: bytes, input }, [], { step: 'copy', database, total: artifact.size }, into);
  await deposit.seal(artifact.name, artifact.size);
  const back = await deposit.read(artifact.name);
  await withdraw(context, { artifact: bytes, input: back }, [], { step: 'check', database, total: artifact.size });
}

async function demandRoom({ settings }: Context, manifest: Manifest, to: Storage): Promise<void> {
  const { freeBytes } = await to.probe();
  const needed = storedSize(manifest) + settings.conditions.minDiskSpace * bytesPerGB;
  if (freeBytes === null || freeBytes >= needed) return;
  throw new Failure(
    'no-space',
    `storage "${to.name}": ${formatBytes(freeBytes)} are free, a copy and what must stay free need ${formatBytes(needed)}`,
  );
}

export interface Mending {
  /** Only backups of this database. */
  readonly database?: string | undefined;
  /** Storages by name that are left alone. */
  readonly except?: ReadonlySet<string>;
}

/** Why a storage did not get all that it lacks. */
interface CopyProblem {
  readonly storage: string;
  readonly failure: Failure;
}

export interface Mended {
  /** Also those that failed. */
  readonly copied: readonly Copied[];
  /** At most one a storage. */
  readonly problems: readonly CopyProblem[];
}

/** Makes every copy that is missing, the newest first. A storage that fails is left alone for the rest. Rejects for the ledger alone. */
export async function mendCopies(context: Context, { database, except = new Set() }: Mending = {}): Promise<Mended> {
  const { missing, unknown } = await missingCopies(context, database);
  const copied: Copied[] = [];
  const problems: CopyProblem[] = [];
  for (const [storage, failure] of unknown) if (!except.has(storage)) problems.push({ storage, failure });
  for (const copy of missing) {
    const storage = copy.to.name;
    if (context.signal.aborted) break;
    if (except.has(storage) || problems.some((one) => one.storage === storage)) continue;
    try {
      const done = await copyBackup(context, copy);
      copied.push(done.told);
      if (done.failure) problems.push({ storage, failure: done.failure });
    } catch (error) {
      const failure = asFailure(error, 'storage');
      if (failure.code === 'ledger') throw failure;
      if (context.signal.aborted) break;
      problems.push({ storage, failure });
    }
  }
  return { copied, problems };
}

/** A configured storage. Throws `not-found` naming the nearest. */
export function storageNamed({ storages }: Pick<Context, 'storages'>, name: string): Storage {
  const found = storages.find((one) => one.name === name);
  if (found) return found;
  const names = storages.map((one) => one.name);
  throw new Failure('not-found', `there is no storage "${name}"`, { hint: `did you mean ${nearest(name, names).join(', ')}?` });
}

/** One backup into one storage, or into each that it was meant for and that lacks it, whatever its retention says. */
export async function copyTo(context: Context, { manifest, storages }: Backup, to?: string): Promise<Mended> {
  const wanted = to === undefined ? context.storages.filter(({ name }) => manifest.storages?.includes(name)) : [storageNamed(context, to)];
  const from = context.storages.filter(({ name }) => storages.includes(name));
  const copied: Copied[] = [];
  const problems: CopyProblem[] = [];
  for (const storage of wanted.filter(({ name }) => !storages.includes(name))) {
    const { told, failure } = await copyBackup(context, { manifest, to: storage, from });
    copied.push(told);
    if (failure) problems.push({ storage: storage.name, failure });
  }
  return { copied, problems };
}

/** After a good backup: the copies that earlier ones lack. What fails is tried again later, and is nothing against this one. */
export async function mendAfter(context: Context, outcomes: readonly Outcome[]): Promise<void> {
  if (context.signal.aborted || !outcomes.some(({ event }) => event.status === 'completed')) return;
  const except = new Set(outcomes.flatMap(({ event }) => event.missing ?? []));
  for (const { storage, failure } of (await mendCopies(context, { except })).problems)
    context.log('warn', `storage "${storage}" lacks a copy still: ${failure.message}`);
}
