/**
 * core: `prune` carries retention plans out: puts backups aside, and removes for good what was put aside long enough ago.
 *
 * Two phases, each safe to be interrupted anywhere. What it will take is written to the ledger first. Before each single backup its
 * group is listed and judged anew, while nobody else reads the backup or prunes the storage: the plan of that moment has to take it, too.
 */
import { asFailure, Failure } from '../model/errors.js';
import { isEmergency, type BackupEvent } from '../model/events/event.js';
import type { Storage } from '../model/roles/storage.js';
import type { Context } from './context.js';
import { judgeGroup, listGroups, survey, type RetentionGroup, type RetentionScope, type Survey } from './catalog/retention.js';
import { emptyTrash, isShort, listTrash, tell, type Trash } from './catalog/trash.js';

export interface Pruned {
  readonly storage: string;
  readonly groups: readonly RetentionGroup[];
  /** Ids that were put aside, and that were removed for good. */
  readonly discarded: readonly string[];
  readonly emptied: readonly string[];
  readonly trash: readonly Trash[];
  /** What did not go as planned, a sentence each. */
  readonly problems: readonly string[];
}

export interface Planned extends Pruned {
  readonly survey: Survey;
}

/** Ids that one record of the ledger names. */
const chunk = 50;

/** What would be done in one storage. Writes nothing. */
export async function planPrune(context: Context, storage: Storage, scope: RetentionScope): Promise<Planned> {
  const found = await survey(context, storage, scope);
  const trash = found.unlisted === null ? await listTrash(context, storage, scope.database) : [];
  const problems = found.unlisted === null ? [] : [found.unlisted];
  return { storage: storage.name, groups: found.groups, discarded: [], emptied: [], trash, problems, survey: found };
}

/** Plans and carries out, in one storage. Trouble is told in `problems`, never thrown. */
export async function prune(context: Context, storage: Storage, scope: RetentionScope): Promise<Pruned> {
  const empty = { storage: storage.name, groups: [], discarded: [], emptied: [], trash: [] };
  try {
    const first = await planPrune(context, storage, scope);
    const idle = first.groups.every(({ plan }) => plan.remove.length === 0) && first.trash.length === 0;
    if (idle || first.problems.length > 0) return first;
    const lock = await context.locks.claimRetention(storage.name);
    if (!lock) return { ...first, problems: [`${storage.name}: another process removes backups there for a long time`] };
    try {
      return await carryOut(context, storage, scope);
    } finally {
      lock.release();
    }
  } catch (error) {
    return { ...empty, problems: [asFailure(error, 'storage').message] };
  }
}

/** Under the storage's lock. */
async function carryOut(context: Context, storage: Storage, scope: RetentionScope): Promise<Pruned> {
  const { survey: found, ...pruned } = await planPrune(context, storage, scope);
  const problems = [...pruned.problems];
  const discarded: string[] = [];
  for (const group of found.groups) {
    if (context.signal.aborted) break;
    const trouble = await discardGroup(context, storage, { group, found, discarded });
    if (trouble) problems.push(trouble);
  }
  const { emptied, problems: others } = await emptyTrash(context, storage, found, await listTrash(context, storage, scope.database));
  return { ...pruned, discarded, emptied, trash: await listTrash(context, storage, scope.database), problems: [...problems, ...others] };
}

interface Discarding {
  readonly group: RetentionGroup;
  readonly found: Survey;
  /** Filled with what was put aside. */
  readonly discarded: string[];
}

/** Puts aside what a group's plan removes, oldest first; resolves to what stopped it. */
async function discardGroup(context: Context, storage: Storage, { group, found, discarded }: Discarding): Promise<string | null> {
  const { database, scheduleId, policy } = group;
  const about = { record: 'prune', ...context.actor, storage: storage.name, database, scheduleId } as const;
  const ids = group.plan.remove.map(({ backupId }) => backupId);
  for (let from = 0; from < ids.length; from += chunk) {
    const backupIds = ids.slice(from, from + chunk);
    const done: string[] = [];
    try {
      await context.ledger.appendFact({ ...about, phase: 'intent', backupIds, policy: { ...policy } });
      for (const backupId of backupIds) {
        if (context.signal.aborted) break;
        if (await discardOne(context, storage, group, { backupId, found })) done.push(backupId);
      }
    } catch (error) {
      return asFailure(error, 'storage').message;
    } finally {
      discarded.push(...done);
      if (done.length > 0) await tell(context, { ...about, phase: 'done', backupIds: done });
    }
  }
  return null;
}

/** False: somebody reads it, or a fresh look says that it must stay. */
async function discardOne(
  context: Context,
  storage: Storage,
  group: RetentionGroup,
  { backupId, found }: { backupId: string; found: Survey },
): Promise<boolean> {
  const claim = await context.locks.claimBackup(backupId);
  if (!claim) return false;
  try {
    const { database, scheduleId } = group;
    const { groups, unlisted } = await listGroups(context, storage, { database, scheduleId });
    const judging = { testimony: found.testimony, unlisted, force: true, claimed: backupId };
    const fresh = await judgeGroup(context, groups.get(group.key) ?? [], judging);
    if (!fresh?.plan.remove.some((one) => one.backupId === backupId)) return false;
    await storage.discard({ database, backupId }, context.clock.now().toISOString());
    return true;
  } finally {
    claim.retire();
  }
}

/** After a backup: the retention of its schedule and database in each storage. Trouble is a Failure to tell, and never the backup's. */
export async function pruneAfter(context: Context, event: BackupEvent, storages: readonly Storage[]): Promise<Failure | null> {
  const problems: string[] = [];
  const scheduleId = isEmergency(event) ? null : (event.scheduleId ?? null);
  for (const storage of storages) {
    const { groups, problems: own } = await prune(context, storage, {
      database: event.database,
      scheduleId,
      force: false,
      eventId: event.id,
    });
    problems.push(...own);
    for (const { plan } of groups)
      if (plan.skipped !== null)
        context.log('warn', `retention of ${event.database} in ${storage.name}: ${plan.skipped}`, { eventId: event.id });
  }
  if (problems.length === 0 || context.signal.aborted) return null;
  return new Failure('partial', `${event.database}: backed up, but its retention had trouble: ${problems.join('; ')}`, {
    hint: 'look with `backup-automation backups prune`',
  });
}

/** Before a backup: where room is short, what lies aside goes at once. */
export async function makeRoom(context: Context, storages: readonly Storage[]): Promise<void> {
  if (!context.settings.enabled) return;
  for (const storage of storages) {
    const short = await isShort(context, storage).catch(() => false);
    const { problems } = short ? await prune(context, storage, { force: false }) : { problems: [] };
    for (const problem of problems) context.log('warn', `making room in ${storage.name}: ${problem}`);
  }
}
