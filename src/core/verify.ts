/**
 * core: `verify` proves a backup: its bytes, its whole archive, or a real restore that equals what was counted.
 */
import type { Artifact, Backup, BackupDetails } from '../model/backup/backup.js';
import { compareFingerprints } from '../model/backup/fingerprint.js';
import { asFailure, Failure } from '../model/errors.js';
import type { Level } from '../model/backup/level.js';
import type { Storage } from '../model/roles/storage.js';
import { whileHeld } from './event/claim.js';
import { elapsed, type Context } from './context.js';
import { readDetails, storageOf } from './catalog/fetch.js';
import { fill } from './catalog/load.js';
import { withdraw } from './backup/transfer.js';

export interface VerifyResult {
  readonly backupId: string;
  readonly database: string;
  readonly level: Level;
  readonly ok: boolean;
  readonly detail: string;
  readonly duration: number;
}

/**
 * Proves one backup to `level` and records what was found. A verification that could not be done at all (no server programs,
 * no room, interrupted) throws, and says nothing about the backup.
 */
export async function verifyBackup(context: Context, backup: Backup, level: Level): Promise<VerifyResult> {
  const started = context.clock.monotonic();
  let found: { ok: boolean; detail: string; storage: string };
  try {
    found = { ok: true, ...(await look(context, backup, level)) };
  } catch (error) {
    const failure = await withoutKey(context, backup, asFailure(error, 'verification'));
    if (context.signal.aborted || !speaksAgainst(failure)) throw failure;
    found = { ok: false, detail: failure.message, storage: backup.storages[0] ?? '' };
  }
  const duration = elapsed(context, started);
  const { backupId, database } = backup;
  await context.ledger.appendFact({ record: 'verification', backupId, database, level, duration, ...found });
  return { backupId, database, level, duration, ok: found.ok, detail: found.detail };
}

/** Only what the backup itself is to blame for: not a full disk, a missing program, a server that is down. */
const speaksAgainst = (failure: Failure): boolean => ['verification', 'archive', 'restore'].includes(failure.code);

/** What does not open may be another key's, or damaged: the stored bytes tell which it is. */
async function withoutKey(context: Context, backup: Backup, failure: Failure): Promise<Failure> {
  if (failure.code !== 'no-key') return failure;
  return look(context, backup, 'checksum').then(
    () =>
      new Failure('no-key', `can not look inside backup ${backup.backupId} for want of a key: ${failure.message}`, { hint: failure.hint }),
    (error: unknown) => asFailure(error, 'verification'),
  );
}

async function look(context: Context, backup: Backup, level: Level): Promise<{ detail: string; storage: string }> {
  if (level === 'restore') {
    const storage = storageOf(context, backup);
    return { detail: await proveByRestore(context, backup, storage), storage: storage.name };
  }
  await whileHeld(context, backup.backupId, async () => {
    for (const name of backup.storages) await readThrough(context, backup, storageOf(context, backup, name), level);
  });
  const size = backup.manifest.artifacts.length;
  const what = level === 'checksum' ? 'have their SHA-256' : 'have their SHA-256, the archive was read to its end';
  return { detail: `${size} files ${what}`, storage: backup.storages.join(', ') };
}

async function readThrough(context: Context, backup: Backup, storage: Storage, level: Level): Promise<void> {
  for (const artifact of backup.manifest.artifacts) {
    const input = await storage.get(backup, artifact.name);
    context.announce({ kind: 'step', step: 'check', database: backup.database, detail: `${artifact.name} (${level})` });
    const movement = { step: 'check', database: backup.database, total: artifact.size } as const;
    const { kind } = artifact;
    if (level === 'archive' && (kind === 'database' || kind === 'globals'))
      await withdraw(context, { artifact, input }, [await context.engine.check(kind)], movement);
    else await withdraw(context, { artifact: sealedAs(artifact), input }, [], movement);
  }
}

/** The stored bytes as they are, without undoing the codecs. */
const sealedAs = (artifact: Artifact): Artifact => ({ ...artifact, codecs: [] });

async function proveByRestore(context: Context, backup: Backup, storage: Storage): Promise<string> {
  const details = await readDetails(context, backup, storage);
  context.announce({ kind: 'step', step: 'scratch', database: backup.database, detail: 'starting a throwaway server' });
  const scratch = await context.openScratch({
    ...details,
    serverMajor: Number.parseInt(backup.manifest.serverVersion, 10),
    signal: context.signal,
  });
  try {
    const filled = await fill(context, {
      backup,
      storage,
      details,
      target: scratch.database,
      create: false,
      noOwner: !scratch.throwaway,
      createRoles: scratch.throwaway,
      noTablespaces: true,
      replace: false,
    });
    const differences = compareFingerprints(details.fingerprint, filled);
    if (differences.length > 0) throw new Failure('verification', `the restored database differs: ${differences.slice(0, 5).join('; ')}`);
    return restored(details);
  } finally {
    await scratch.close();
  }
}

/** What an equal restore showed, in a sentence. */
function restored({ fingerprint }: BackupDetails): string {
  if (fingerprint.method === 'none') return 'restored without errors; no fingerprint was taken to compare with';
  const rows = fingerprint.tables.reduce((sum, table) => sum + table.rows, 0);
  const how = fingerprint.method === 'content' ? ' by content' : '';
  return `restored; ${fingerprint.tables.length} tables with ${rows} rows equal the source${how}`;
}
