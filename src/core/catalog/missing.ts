/**
 * core: which storages lack a backup that was meant for them, told by the storages themselves. Copies nothing.
 */
import type { Manifest } from '../../model/backup/backup.js';
import { asFailure, Failure } from '../../model/errors.js';
import { isKept } from '../../model/retention/retention.js';
import type { Storage } from '../../model/roles/storage.js';
import type { Context } from '../context.js';
import { survey, type RetentionGroup } from './retention.js';

export interface MissingCopy {
  readonly manifest: Manifest;
  readonly to: Storage;
  /** Those that hold it, and of which nothing bad is known. */
  readonly from: readonly Storage[];
}

export interface MissingCopies {
  /** Newest first. */
  readonly missing: readonly MissingCopy[];
  /** Storages of which it cannot be told what they lack, by name, and why. */
  readonly unknown: ReadonlyMap<string, Failure>;
}

/** What one storage holds. */
interface Holding {
  readonly storage: Storage;
  readonly groups: ReadonlyMap<string, RetentionGroup>;
  /** Ids of those that lie there, and of those that its retention put aside. */
  readonly ids: ReadonlySet<string>;
}

async function holdingOf(context: Context, storage: Storage, database: string | undefined): Promise<Holding> {
  const { groups, unlisted } = await survey(context, storage, { ...(database !== undefined && { database }), force: false });
  if (unlisted !== null) throw new Failure('storage', unlisted);
  const ids = new Set(groups.flatMap(({ members }) => members.map(({ manifest }) => manifest.backupId)));
  for await (const { place } of storage.discarded(database)) ids.add(place.backupId);
  return { storage, groups: new Map(groups.map((group) => [group.key, group])), ids };
}

/** The storages that a backup was meant for, and still is. */
function meantFor({ schedules }: Context, { storages, scheduleId }: Manifest): (name: string) => boolean {
  const now = scheduleId === null ? undefined : schedules[scheduleId]?.storages;
  return (name) => (storages?.includes(name) ?? false) && (now?.includes(name) ?? true);
}

/** Whether the retention of a storage would keep the group's backup there. */
function wouldKeep(context: Context, { groups }: Holding, group: RetentionGroup, backupId: string): boolean {
  const candidate = group.candidates.find((one) => one.backupId === backupId);
  if (!candidate || !group.policy || candidate.standing === 'failed' || candidate.standing === 'foreign') return false;
  const there = groups.get(group.key)?.candidates ?? [];
  return isKept([...there, candidate], group.policy, context.clock.now(), backupId);
}

/** Everything that is missing and that retention would keep; `database` narrows it. Nothing where there is one storage. */
export async function missingCopies(context: Context, database?: string): Promise<MissingCopies> {
  const unknown = new Map<string, Failure>();
  const holdings: Holding[] = [];
  if (context.storages.length < 2) return { missing: [], unknown };
  for (const storage of context.storages) {
    try {
      holdings.push(await holdingOf(context, storage, database));
    } catch (error) {
      unknown.set(storage.name, asFailure(error, 'storage'));
    }
  }
  const found = new Map<string, { readonly manifest: Manifest; readonly to: Holding; readonly from: Storage[] }>();
  for (const { storage, groups } of holdings)
    for (const group of groups.values())
      for (const { manifest } of group.members)
        for (const to of holdings.filter((one) => !one.ids.has(manifest.backupId) && meantFor(context, manifest)(one.storage.name))) {
          if (!wouldKeep(context, to, group, manifest.backupId)) continue;
          const key = `${manifest.backupId} ${to.storage.name}`;
          const known = found.get(key);
          if (known) known.from.push(storage);
          else found.set(key, { manifest, to, from: [storage] });
        }
  const missing = [...found.values()].map(({ manifest, to, from }) => ({ manifest, to: to.storage, from }));
  return { missing: missing.toSorted((a, b) => (a.manifest.backupId < b.manifest.backupId ? 1 : -1)), unknown };
}
