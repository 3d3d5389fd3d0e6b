/**
 * core: what a storage holds, group by group, and the plan for each: looked at, counted, judged. Removes nothing.
 *
 * A group is what retention counts together: the backups of one schedule (or by hand) and one database, of one source: the same name
 * on the same server, so that neither a renamed database nor a new server evicts what was there before.
 */
import type { Manifest } from '../../model/backup/backup.js';
import { asFailure } from '../../model/errors.js';
import { longestInterval } from '../../model/events/expectation.js';
import type { LedgerDamage } from '../../model/roles/ledger.js';
import { pinnedName } from '../../model/settings/names.js';
import {
  planRetention,
  type RetentionCandidate,
  type RetentionFacts,
  type RetentionPlan,
  type RetentionPolicy,
} from '../../model/retention/retention.js';
import type { Storage } from '../../model/roles/storage.js';
import { localZone } from '../../model/moment/window.js';
import type { Context } from '../context.js';
import { readManifest } from '../backup/manifest.js';
import { earliestProof, Proofs } from './proofs.js';
import { countOf } from '../../model/units.js';

export interface RetentionScope {
  readonly database?: string;
  /** Only this schedule's, null: only those by hand and in an emergency; all when left out. */
  readonly scheduleId?: string | null;
  readonly force: boolean;
  /** The event that it follows: what that wrote by a wrong clock does not speak for the clock. */
  readonly eventId?: string;
}

export interface Member {
  readonly manifest: Manifest;
  readonly signed: boolean;
  readonly pinned: boolean;
  readonly storage: string;
}

export interface RetentionGroup {
  readonly key: string;
  readonly database: string;
  readonly scheduleId: string | null;
  /** Null: its schedule is not configured. */
  readonly policy: RetentionPolicy | null;
  readonly members: readonly Member[];
  readonly candidates: readonly RetentionCandidate[];
  readonly plan: RetentionPlan;
}

/** What the ledger says that retention asks for, as far back as the oldest backup. */
export interface Testimony {
  readonly proofs: Proofs;
  readonly newestRecord: Date | null;
  /** When a backup was last completed, by `<schedule> <database>`. */
  readonly lastCompleted: ReadonlyMap<string, Date>;
  /** Of each database whose newest attempt found its source damaged the event. */
  readonly damagedSources: ReadonlyMap<string, string>;
  readonly damage: string | null;
}

/** The schedule by whose retention a backup is kept; null: by the top level's. */
export const keptBy = ({ scheduleId, emergency }: Pick<Manifest, 'scheduleId' | 'emergency'>): string | null =>
  emergency ? null : scheduleId;

const routine = (scheduleId: string | null, database: string): string => `${scheduleId ?? ''} ${database}`;
export const groupKey = (manifest: Manifest): string =>
  JSON.stringify([keptBy(manifest), manifest.database, manifest.systemIdentifier, manifest.databaseName]);

interface Listing {
  readonly groups: ReadonlyMap<string, readonly Member[]>;
  /** Why it ends too early; null: it is whole. */
  readonly unlisted: string | null;
}

/** The members that a storage holds, by group. */
export async function listGroups(context: Context, storage: Storage, scope: Omit<RetentionScope, 'force'>): Promise<Listing> {
  const { database, scheduleId } = scope;
  const groups = new Map<string, Member[]>();
  try {
    for await (const stored of storage.list(database)) {
      const read = readManifest(stored, context.signer);
      // what is no backup is not counted, and not touched
      if ('problem' in read || (scheduleId !== undefined && keptBy(read.manifest) !== scheduleId)) continue;
      const member = {
        manifest: read.manifest,
        signed: read.trust === 'signed',
        pinned: pinnedName in stored.sizes,
        storage: storage.name,
      };
      const key = groupKey(read.manifest);
      groups.set(key, [...(groups.get(key) ?? []), member]);
    }
    return { groups, unlisted: null };
  } catch (error) {
    return { groups, unlisted: asFailure(error, 'storage').message };
  }
}

/** Reads the ledger backwards, no further than to the oldest backup (ISO 8601). */
async function hear(context: Pick<Context, 'ledger'>, oldest: string, eventId?: string): Promise<Testimony> {
  const damage: LedgerDamage = { corruptLines: 0, tornTail: false, gaps: 0 };
  const proofs = new Proofs();
  const lastCompleted = new Map<string, Date>();
  const damagedSources = new Map<string, string>();
  const completed = new Set<string>();
  let newest: string | null = null;
  let last: string | null = null;
  let isOwn = eventId !== undefined;
  const earliest = earliestProof(oldest);
  for await (const { record } of context.ledger.readBackwards(damage)) {
    if (!isOwn) newest ??= record.at;
    last ??= record.at;
    if (isOwn && record.record === 'event' && record.id === eventId && record.step === 0) isOwn = false;
    if (record.at < earliest) break;
    proofs.take(record);
    if (record.record !== 'event') continue;
    if (record.result?.code === 'damaged-source' && !completed.has(record.database) && !damagedSources.has(record.database))
      damagedSources.set(record.database, record.id);
    if (record.status !== 'completed') continue;
    completed.add(record.database);
    const key = routine(record.scheduleId ?? null, record.database);
    if (!lastCompleted.has(key)) lastCompleted.set(key, new Date(record.at));
  }
  newest ??= last;
  const { corruptLines, gaps } = damage;
  const said =
    corruptLines + gaps > 0 ? `the ledger has ${countOf(corruptLines, 'damaged line')} and ${countOf(gaps, 'missing segment')}` : null;
  return { proofs, newestRecord: newest === null ? null : new Date(newest), lastCompleted, damagedSources, damage: said };
}

function policyOf({ settings, schedules }: Context, scheduleId: string | null, now: Date): RetentionPolicy | null {
  const zone = settings.timezone ?? localZone();
  if (scheduleId === null) return { ...settings.retention, zone, interval: null };
  const schedule = schedules[scheduleId];
  if (!schedule) return null;
  const own = { ...(schedule.retention ?? settings.retention), zone: schedule.timezone ?? zone };
  return { ...own, minimum: own.minimum ?? settings.retention.minimum, interval: longestInterval(schedule, own.zone, now) };
}

const standingOf = ({ manifest, signed, storage }: Member, proofs: Proofs): RetentionCandidate['standing'] => {
  if (!signed) return 'foreign';
  if (proofs.isBad(manifest.backupId, storage)) return 'failed';
  return proofs.doubts(manifest, [storage]).length > 0 ? 'suspect' : 'good';
};

/** The newest backup of which the ledger has a verdict, when it is a bad one. */
function failedProof(newestFirst: readonly RetentionCandidate[], proofs: Proofs, storage: string): string | null {
  const judged = newestFirst.find(({ backupId }) => proofs.isBad(backupId, storage) !== null);
  return judged && proofs.isBad(judged.backupId, storage) ? judged.backupId : null;
}

interface Judging {
  readonly testimony: Testimony;
  readonly unlisted: string | null;
  readonly force: boolean;
  /** This process holds it alone, to remove it. */
  readonly claimed?: string;
}

/** Judges a group as it is now. */
export async function judgeGroup(context: Context, members: readonly Member[], judging: Judging): Promise<RetentionGroup | null> {
  const [first] = members;
  if (!first) return null;
  const now = context.clock.now();
  const { proofs, newestRecord, lastCompleted, damagedSources, damage } = judging.testimony;
  const { database } = first.manifest;
  const scheduleId = keptBy(first.manifest);
  const policy = policyOf(context, scheduleId, now);
  const candidates: RetentionCandidate[] = [];
  for (const member of members) {
    const { backupId, finishedAt } = member.manifest;
    const inUse = backupId !== judging.claimed && (await context.locks.isBackupHeld(backupId));
    const { pinned } = member;
    const proven = proofs.of(member.manifest)?.level ?? null;
    candidates.push({ backupId, timestamp: finishedAt, standing: standingOf(member, proofs), proven, pinned, inUse });
  }
  const newestFirst = candidates.toSorted((a, b) => (a.timestamp < b.timestamp ? 1 : -1));
  const facts: RetentionFacts = {
    newestRecord,
    damage,
    unlisted: judging.unlisted,
    lastCompleted: lastCompleted.get(routine(scheduleId, database)) ?? null,
    damagedSource: damagedSources.get(database) ?? null,
    failedProof: failedProof(newestFirst, proofs, first.storage),
    force: judging.force,
  };
  const plan = policy
    ? planRetention(candidates, policy, now, facts)
    : untouched(newestFirst, `the schedule ${scheduleId} is not configured`);
  return { key: groupKey(first.manifest), database, scheduleId, policy, members, candidates, plan };
}

const untouched = (candidates: readonly RetentionCandidate[], skipped: string): RetentionPlan => ({
  keep: candidates.map(({ backupId }) => ({ backupId, reason: skipped, expires: null })),
  remove: [],
  due: 0,
  skipped,
});

export interface Survey {
  readonly groups: readonly RetentionGroup[];
  readonly testimony: Testimony;
  readonly unlisted: string | null;
}

/** Every group of a storage with its plan. A storage that cannot be listed is no error here, but then no plan removes anything. */
export async function survey(context: Context, storage: Storage, scope: RetentionScope): Promise<Survey> {
  const listing = await listGroups(context, storage, scope);
  const times = [...listing.groups.values()].flat().map(({ manifest }) => manifest.startedAt);
  const testimony = await hear(context, times.toSorted()[0] ?? context.clock.now().toISOString(), scope.eventId);
  const groups: RetentionGroup[] = [];
  for (const members of listing.groups.values()) {
    const group = await judgeGroup(context, members, { testimony, unlisted: listing.unlisted, force: scope.force });
    if (group) groups.push(group);
  }
  return { groups, testimony, unlisted: listing.unlisted };
}

/** What is due to be removed and held back, a sentence each. */
export async function heldBack(context: Context): Promise<string[]> {
  const sentences: string[] = [];
  for (const storage of context.storages)
    for (const { database, scheduleId, plan } of (await survey(context, storage, { force: false })).groups)
      if (plan.skipped !== null && plan.due > 0)
        sentences.push(`${plan.due} of ${database} (${scheduleId ?? 'by hand'}) are due in ${storage.name} and kept: ${plan.skipped}`);
  return sentences;
}
