/**
 * core: what was put aside: listed, brought back, or removed for good once the grace is over, or sooner when space is short. It takes
 * nothing out of the listing.
 */
import type { Manifest } from '../../model/backup/backup.js';
import { asFailure } from '../../model/errors.js';
import type { PruneRecord } from '../../model/events/ledger.js';
import { levelRank } from '../../model/backup/level.js';
import type { Storage } from '../../model/roles/storage.js';
import { bytesPerGB, msPerDay } from '../../model/units.js';
import type { Context } from '../context.js';
import { readManifest } from '../backup/manifest.js';
import { groupKey, keptBy, type RetentionGroup, type Survey } from './retention.js';

/** For so long a backup that was put aside can be brought back, ms. */
const grace = msPerDay;

export interface Trash {
  readonly backupId: string;
  readonly database: string;
  readonly storage: string;
  readonly discardedAt: string | null;
  /** When the next prune removes it for good, ISO 8601; null: not by itself. */
  readonly gone: string | null;
  /** Null: its removal has begun, or it is none of ours. */
  readonly manifest: Manifest | null;
  /** Its removal was interrupted, and has to be ended. */
  readonly begun: boolean;
}

/** What lies aside in a storage, oldest first; `database` narrows it. */
export async function listTrash(context: Context, storage: Storage, database?: string): Promise<Trash[]> {
  const trash: Trash[] = [];
  for await (const { place, discardedAt, ...stored } of storage.discarded(database)) {
    const read = readManifest({ ...stored, place }, context.signer);
    const manifest = 'manifest' in read && read.trust === 'signed' ? read.manifest : null;
    const begun = stored.manifest === null && (discardedAt !== null || Object.keys(stored.sizes).length === 0);
    const gone = manifest && discardedAt !== null ? new Date(Date.parse(discardedAt) + grace).toISOString() : null;
    trash.push({ ...place, storage: storage.name, discardedAt, gone, manifest, begun });
  }
  return trash.toSorted((a, b) => (a.backupId < b.backupId ? -1 : 1));
}

/** Whether the storage has less room than a backup may start with. */
export async function isShort({ settings }: Pick<Context, 'settings'>, storage: Storage): Promise<boolean> {
  const { freeBytes } = await storage.probe();
  return freeBytes !== null && freeBytes < settings.conditions.minDiskSpace * bytesPerGB;
}

interface Emptying {
  readonly found: Survey;
  readonly short: boolean;
  readonly now: Date;
}

/** Whether it may go for good: the time has come, and what is still listed is as many, and proven as high, as it should be without it. */
function isDue(trash: Trash, { found, short, now }: Emptying): boolean {
  const { manifest } = trash;
  if (!manifest) return trash.begun;
  const group = found.groups.find(({ key }) => key === groupKey(manifest));
  if (!group?.policy || !(short || (trash.gone !== null && trash.gone <= now.toISOString() && group.plan.skipped === null))) return false;
  return isSafe(group, levelRank(found.testimony.proofs.of(manifest)?.level));
}

function isSafe({ candidates, policy }: RetentionGroup, proven: number): boolean {
  const good = candidates.filter(({ standing }) => standing === 'good');
  return good.length >= (policy?.minimum ?? Infinity) && good.some((one) => levelRank(one.proven) >= proven);
}

export interface Emptied {
  readonly emptied: readonly string[];
  readonly problems: readonly string[];
}

/** Removes for good what is due; ends what was interrupted. */
export async function emptyTrash(context: Context, storage: Storage, found: Survey, trash: readonly Trash[]): Promise<Emptied> {
  const emptying = { found, short: trash.length > 0 && (await isShort(context, storage).catch(() => false)), now: context.clock.now() };
  const emptied: string[] = [];
  const problems: string[] = [];
  for (const one of trash) {
    if (context.signal.aborted) break;
    if (!isDue(one, emptying)) continue;
    try {
      await storage.remove(one);
    } catch (error) {
      problems.push(asFailure(error, 'storage').message);
      continue;
    }
    emptied.push(one.backupId);
    await tell(context, { ...about(one), phase: 'emptied', backupIds: [one.backupId] });
  }
  return { emptied, problems };
}

const about = ({ storage, database, manifest }: Trash) =>
  ({ record: 'prune', storage, database, scheduleId: manifest && keptBy(manifest) }) as const;

/** What was done is true whether or not it can be written down. */
export async function tell(context: Pick<Context, 'log' | 'ledger' | 'actor'>, fact: PruneRecord): Promise<void> {
  context.log('info', `retention: ${fact.phase}: ${fact.backupIds.join(', ')} of ${fact.database} in ${fact.storage}`);
  const failed = (error: unknown) => context.log('warn', 'a prune could not be recorded', { error: String(error) });
  await context.ledger.appendFact({ ...context.actor, ...fact }).catch(failed);
}

export interface Recovered {
  readonly recovered: readonly Trash[];
  readonly problems: readonly string[];
}

/** Brings back all that lies aside and is whole. */
export async function undoPrune(context: Context, storage: Storage, database?: string): Promise<Recovered> {
  const lock = await context.locks.claimRetention(storage.name);
  if (!lock) return { recovered: [], problems: [`${storage.name}: another process removes backups there for a long time`] };
  const recovered: Trash[] = [];
  const problems: string[] = [];
  try {
    for (const one of await listTrash(context, storage, database)) {
      if (context.signal.aborted) break;
      if (!one.manifest) problems.push(`${storage.name}: ${one.database}/${one.backupId} cannot be brought back: it is not whole any more`);
      else {
        await storage.recover(one);
        recovered.push(one);
        await tell(context, { ...about(one), phase: 'undone', backupIds: [one.backupId] });
      }
    }
  } catch (error) {
    problems.push(asFailure(error, 'storage').message);
  } finally {
    lock.release();
  }
  return { recovered, problems };
}
