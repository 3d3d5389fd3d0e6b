/**
 * core: the documents of `backups prune`, planned, carried out or undone, the same for the command line and the API.
 */
import { Failure } from '../../model/errors.js';
import type { Trash } from '../catalog/trash.js';
import { undoPrune } from '../catalog/trash.js';
import type { Context } from '../context.js';
import { planPrune, prune, type Pruned } from '../prune.js';

/** What becomes of a backup, and why. */
export interface PruneRow {
  readonly backupId: string;
  readonly database: string;
  readonly scheduleId: string | null;
  readonly storage: string;
  readonly timestamp: string;
  readonly reason: string;
  readonly expires: string | null;
}

/** Backups that lie aside. */
export type TrashLine = Omit<Trash, 'manifest' | 'begun'>;

/** Why nothing is removed of a group, although `due` backups are. */
interface Skipped {
  readonly storage: string;
  readonly database: string;
  readonly scheduleId: string | null;
  readonly due: number;
  readonly reason: string;
}

export interface PruneDocument {
  readonly keep: readonly PruneRow[];
  readonly remove: readonly PruneRow[];
  readonly removed: boolean;
  readonly skipped: readonly Skipped[];
  readonly discarded: readonly string[];
  readonly emptied: readonly string[];
  readonly trash: readonly TrashLine[];
  readonly problems: readonly string[];
}

export interface PruneRequest {
  readonly database?: string | undefined;
  /** Carry it out. */
  readonly yes: boolean;
  readonly force: boolean;
}

interface Told<Document> {
  readonly document: Document;
  readonly failure: Failure | undefined;
}

function rowsOf(pruned: readonly Pruned[], verdict: 'keep' | 'remove'): PruneRow[] {
  return pruned.flatMap(({ storage, groups }) =>
    groups.flatMap(({ database, scheduleId, members, plan }) =>
      plan[verdict].map((one) => ({
        backupId: one.backupId,
        database,
        scheduleId,
        storage,
        timestamp: members.find(({ manifest }) => manifest.backupId === one.backupId)?.manifest.startedAt ?? '',
        reason: one.reason,
        expires: 'expires' in one ? one.expires : null,
      })),
    ),
  );
}

const heldBack = (pruned: readonly Pruned[]): Skipped[] =>
  pruned.flatMap(({ storage, groups }) =>
    groups.flatMap(({ database, scheduleId, plan }) =>
      plan.skipped === null ? [] : [{ storage, database, scheduleId, due: plan.due, reason: plan.skipped }],
    ),
  );

const aside = ({ manifest: _manifest, begun: _begun, ...rest }: Trash): TrashLine => rest;

function troubled(problems: readonly string[], { storages }: Context): Failure | undefined {
  if (problems.length === 0) return undefined;
  return new Failure(problems.length < storages.length ? 'partial' : 'storage', problems.join('; '), {
    hint: 'check it with `backup-automation test`',
  });
}

/** The plan of every storage; with `yes` it was carried out. */
export async function pruneDocument(context: Context, { database, yes, force }: PruneRequest): Promise<Told<PruneDocument>> {
  const scope = { ...(database === undefined ? {} : { database }), force };
  const pruned: Pruned[] = [];
  for (const storage of context.storages) {
    if (context.signal.aborted) break;
    pruned.push(await (yes ? prune(context, storage, scope) : planPrune(context, storage, scope)));
  }
  const remove = rowsOf(pruned, 'remove');
  const problems = pruned.flatMap((one) => one.problems);
  const discarded = pruned.flatMap((one) => one.discarded);
  const document = {
    keep: rowsOf(pruned, 'keep'),
    remove,
    removed: yes && problems.length === 0 && discarded.length === remove.length,
    skipped: heldBack(pruned),
    discarded,
    emptied: pruned.flatMap((one) => one.emptied),
    trash: pruned.flatMap((one) => one.trash).map(aside),
    problems,
  };
  return { document, failure: troubled(problems, context) };
}

interface UndoDocument {
  readonly keep: readonly [];
  readonly remove: readonly [];
  readonly removed: false;
  readonly recovered: readonly TrashLine[];
  readonly problems: readonly string[];
}

/** Everything that lies aside, brought back. */
export async function undoDocument(context: Context, database?: string): Promise<Told<UndoDocument>> {
  const results = [];
  for (const storage of context.storages) results.push(await undoPrune(context, storage, database));
  const recovered = results.flatMap((one) => one.recovered).map(aside);
  const problems = results.flatMap((one) => one.problems);
  return { document: { keep: [], remove: [], removed: false, recovered, problems }, failure: troubled(problems, context) };
}
