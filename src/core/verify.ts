/**
 * core: `verify` proves a backup: its bytes, its whole archive, or a real restore that equals what was counted.
 */
import { decodedSize, formOf, type Artifact, type Backup, type BackupDetails } from '../model/backup/backup.js';
import { compareFingerprints } from '../model/backup/fingerprint.js';
import { asFailure, Failure, type FailureCode } from '../model/errors.js';
import type { Level } from '../model/backup/level.js';
import type { Storage } from '../model/roles/storage.js';
import { withClaim } from './event/claim.js';
import { elapsed, type Context } from './context.js';
import { readDetails, storagesOf, whileKept } from './catalog/fetch.js';
import { fill } from './restore/fill.js';
import { withdraw } from './backup/transfer.js';
import { countOf } from '../model/units.js';

export interface VerifyResult {
  readonly backupId: string;
  readonly database: string;
  readonly level: Level;
  /** Every copy that was looked at is good. */
  readonly ok: boolean;
  readonly detail: string;
  readonly duration: number;
  /** What the first bad copy failed with; null: none is bad. */
  readonly code: FailureCode | null;
  /** Why the restore was not caged, where it was not. */
  readonly uncaged?: string;
}

/** What a look that found nothing bad showed. */
type Shown = Pick<VerifyResult, 'detail' | 'uncaged'>;

/** What a look at one copy, or at several alike, found. */
interface Verdict extends Shown {
  readonly storages: readonly string[];
  /** Null: it is good. */
  readonly code: FailureCode | null;
}

/**
 * Proves one backup to `level` and records what was found of each copy; a restore takes one good copy. A verification that could not be
 * done at all (no server programs, no room, interrupted) throws, is recorded as undone, and says nothing about the backup.
 */
export async function verifyBackup(context: Context, backup: Backup, level: Level): Promise<VerifyResult> {
  const started = context.clock.monotonic();
  const { backupId, database, size } = backup;
  const about = { record: 'verification', ...context.actor, backupId, database, level, size } as const;
  const verdicts = await judge(context, backup, level).catch(async (error: unknown) => {
    const failure = asFailure(error);
    const told = { ...about, storage: backup.storages.join(', '), duration: elapsed(context, started), detail: failure.message };
    if (!context.signal.aborted) await context.ledger.appendFact({ ...told, ok: false, undone: true, code: failure.code });
    throw failure;
  });
  const duration = elapsed(context, started);
  for (const { storages, code, ...shown } of verdicts)
    await context.ledger.appendFact({
      ...about,
      ...shown,
      storage: storages.join(', '),
      duration,
      ok: code === null,
      ...(code && { code }),
    });
  const [bad] = verdicts.filter(({ code }) => code !== null);
  const several = backup.storages.length > 1;
  const detail = verdicts.map((one) => (several ? `in ${one.storages.join(' and ')}: ${one.detail}` : one.detail)).join('; ');
  const uncaged = verdicts.find((one) => one.uncaged !== undefined)?.uncaged;
  return { backupId, database, level, duration, ok: !bad, detail, code: bad?.code ?? null, ...(uncaged !== undefined && { uncaged }) };
}

/** Only what the backup itself is to blame for: not a full disk, a missing program, a server that is down. */
const speaksAgainst = ({ code }: Failure): boolean => ['verification', 'archive', 'restore', 'unreadable'].includes(code);
const isAway = ({ code }: Failure): boolean => ['storage', 'storage-marker', 'storage-denied'].includes(code);

/** Looks at every copy, or restores the first that can be; a storage that is away is passed over while there is another. */
async function judge(context: Context, backup: Backup, level: Level): Promise<Verdict[]> {
  const good: string[] = [];
  const bad: Verdict[] = [];
  let shown: Shown = { detail: '' };
  let away: Failure | null = null;
  for (const storage of storagesOf(context, backup)) {
    if (level === 'restore' && (good.length > 0 || bad.some(({ storages }) => storages.includes(storage.name)))) break;
    try {
      shown = await look(context, backup, storage, level);
      good.push(storage.name);
    } catch (error) {
      const failure = asFailure(error);
      const found = await blame(context, { backup, storage, level }, failure);
      if (found) bad.push(found);
      else away = failure;
    }
  }
  if (good.length + bad.length === 0) throw away ?? new Failure('not-found', `no storage holds backup ${backup.backupId}`);
  return [...(good.length > 0 ? [{ storages: good, ...shown, code: null }] : []), ...bad];
}

interface Look {
  readonly backup: Backup;
  readonly storage: Storage;
  readonly level: Level;
}

/** Whom a failure speaks against: this copy, or all, where its bytes are right and what is in them is not. Null: its storage is away. */
async function blame(context: Context, { backup, storage, level }: Look, failure: Failure): Promise<Verdict | null> {
  const verdict = (storages: readonly string[], { message, code }: Failure): Verdict => ({ storages, detail: message, code });
  if (context.signal.aborted) throw failure;
  if (isAway(failure)) return null;
  const inside = level === 'restore' && speaksAgainst(failure) && failure.code !== 'unreadable';
  if (failure.code === 'no-key' || failure.code === 'engine-killed' || inside) {
    // what does not open may be another key's, or damaged, and what is damaged may crash who reads it: the stored bytes tell which it is
    const bytes = await look(context, backup, storage, 'checksum').then(
      () => null,
      (error: unknown) => asFailure(error),
    );
    if (bytes) return speaksAgainst(bytes) ? verdict([storage.name], bytes) : null;
    if (inside) return verdict(backup.storages, failure);
    if (failure.code !== 'no-key') throw failure;
    const message = `cannot look inside backup ${backup.backupId} for want of a key: ${failure.message}`;
    throw new Failure('no-key', message, { hint: failure.hint });
  }
  if (!speaksAgainst(failure)) throw failure;
  return verdict([storage.name], failure);
}

async function look(context: Context, backup: Backup, storage: Storage, level: Level): Promise<Shown> {
  if (level === 'restore') return proveByRestore(context, backup, storage);
  await whileKept(context, backup, () => readThrough(context, backup, storage, level));
  const what = level === 'checksum' ? 'have their SHA-256' : 'have their SHA-256, the archive was read to its end';
  return { detail: `${countOf(backup.manifest.artifacts.length, 'file')} ${what}` };
}

async function readThrough(context: Context, backup: Backup, storage: Storage, level: Level): Promise<void> {
  for (const artifact of backup.manifest.artifacts) {
    context.announce({ kind: 'step', step: 'check', database: backup.database, detail: `${artifact.name} (${level})` });
    const movement = { step: 'check', database: backup.database, total: artifact.size } as const;
    const { kind } = artifact;
    if (level === 'archive' && (kind === 'database' || kind === 'globals')) {
      const expectedSize = decodedSize(artifact, backup.manifest.databaseSize);
      const eventId = context.newId();
      await withClaim(context, eventId, async () => {
        const check = await context.engine.check({ kind, form: formOf(artifact), eventId, expectedSize });
        await withdraw(context, { artifact, input: await storage.get(backup, artifact.name) }, check, movement);
      });
    } else await withdraw(context, { artifact: sealedAs(artifact), input: await storage.get(backup, artifact.name) }, [], movement);
  }
}

/** The stored bytes as they are, without undoing the codecs. */
const sealedAs = (artifact: Artifact): Artifact => ({ ...artifact, codecs: [] });

async function proveByRestore(context: Context, backup: Backup, storage: Storage): Promise<Shown> {
  const details = await readDetails(context, backup, storage);
  context.announce({ kind: 'step', step: 'scratch', database: backup.database, detail: 'starting a throwaway server' });
  const scratch = await context.openScratch({
    ...details,
    database: backup.database,
    serverMajor: Number.parseInt(backup.manifest.serverVersion, 10),
    expectedSize: backup.manifest.databaseSize,
    signal: context.signal,
  });
  try {
    const { found } = await fill(context, {
      backup,
      source: storage,
      details,
      target: scratch.database,
      create: false,
      noOwner: !scratch.throwaway,
      createRoles: scratch.throwaway,
      noTablespaces: true,
      replace: false,
    });
    const differences = compareFingerprints(details.fingerprint, found);
    if (differences.length > 0) throw new Failure('verification', `the restored database differs: ${differences.slice(0, 5).join('; ')}`);
    return { detail: restored(details), ...(scratch.uncaged !== null && { uncaged: scratch.uncaged }) };
  } finally {
    await scratch.close();
  }
}

/** What an equal restore showed, in a sentence. */
function restored({ fingerprint }: BackupDetails): string {
  if (fingerprint.method === 'none') return 'restored without errors; no fingerprint was taken to compare with';
  const rows = fingerprint.tables.reduce((sum, table) => sum + table.rows, 0);
  const how = fingerprint.method === 'content' ? ' by content' : '';
  return `restored; ${countOf(fingerprint.tables.length, 'table')} with ${countOf(rows, 'row')} equal the source${how}`;
}
