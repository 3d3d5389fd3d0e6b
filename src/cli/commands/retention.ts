/**
 * cli: `backups prune`, `pin` and `unpin`: what is kept and why, what is removed, and when. It decides none of it.
 */
import type { ChalkInstance } from 'chalk';
import type { Command } from 'commander';
import type { Context } from '../../core/context.js';
import type { Pruned } from '../../core/prune.js';
import type { Trash } from '../../core/catalog/trash.js';
import { Failure } from '../../model/errors.js';
import { addCommand, run } from '../command.js';
import { localMinute, localZone } from '../show/moment.js';
import { say, width, type GlobalOptions, type Outcome } from '../render.js';
import type * as Table from '../show/table.js';
import { openLook, openWork } from '../work.js';

interface PruneOptions extends GlobalOptions {
  readonly database?: string;
  readonly yes?: boolean;
  readonly undo?: boolean;
  readonly force?: boolean;
}

interface PinOptions extends GlobalOptions {
  readonly database?: string;
  readonly reason?: string;
}

const pinExits = { 2: 'no such backup', 3: 'a storage beside the good ones failed', 10: 'configuration', 21: 'storage' };
const help = {
  prune: {
    examples: [
      ['backups prune', 'what would be removed, what stays and why, and until when; removes nothing'],
      ['backups prune --yes', 'carries that out: out of the listing at once, off the disk a day later'],
      ['backups prune --undo', 'brings back what was removed less than a day ago'],
    ],
    exits: {
      3: 'a storage could not be listed, or not everything could be removed',
      10: 'configuration',
      21: 'no storage could be read',
      130: 'interrupted',
    },
  },
  pin: {
    examples: [
      ['backups pin 0192f3a4 --reason "before the migration"', 'no rule removes this backup any more'],
      ['backups pin latest --database shop', 'the newest one of a database'],
    ],
    exits: pinExits,
  },
  unpin: {
    examples: [
      ['backups unpin 0192f3a4', 'the rules hold for this backup again'],
      ['backups unpin 0192f3a4 --reason "the migration went well"', 'with a word for whoever asks later'],
    ],
    exits: pinExits,
  },
} as const;

/** A line of the table, and of the document. */
interface Row {
  readonly backupId: string;
  readonly database: string;
  readonly scheduleId: string | null;
  readonly storage: string;
  readonly timestamp: string;
  readonly reason: string;
  readonly expires: string | null;
}

function rowsOf(pruned: readonly Pruned[], verdict: 'keep' | 'remove'): Row[] {
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

/** Why nothing is removed of a group although something is due. */
const heldBack = (pruned: readonly Pruned[]) =>
  pruned.flatMap(({ storage, groups }) =>
    groups.flatMap(({ database, scheduleId, plan }) =>
      plan.skipped === null ? [] : [{ storage, database, scheduleId, due: plan.due, reason: plan.skipped }],
    ),
  );

const aside = ({ manifest: _manifest, begun: _begun, ...rest }: Trash) => rest;

async function planOrPrune(context: Context, { database, yes = false, force = false }: PruneOptions): Promise<Pruned[]> {
  const { planPrune, prune } = await import('../../core/prune.js');
  const scope = { ...(database === undefined ? {} : { database }), force };
  const pruned: Pruned[] = [];
  for (const storage of context.storages) {
    if (context.signal.aborted) break;
    pruned.push(await (yes ? prune(context, storage, scope) : planPrune(context, storage, scope)));
  }
  return pruned;
}

async function prune(options: PruneOptions): Promise<Outcome> {
  const { context } = await (options.yes || options.undo ? openWork(options) : openLook(options));
  if (options.undo) return undo(context, options);
  const pruned = await planOrPrune(context, options);
  const [keep, remove, skipped] = [rowsOf(pruned, 'keep'), rowsOf(pruned, 'remove'), heldBack(pruned)];
  const problems = pruned.flatMap((one) => one.problems);
  const trash = pruned.flatMap((one) => one.trash);
  const discarded = pruned.flatMap((one) => one.discarded);
  const emptied = pruned.flatMap((one) => one.emptied);
  const set = await import('../show/table.js');
  const removed = options.yes === true && problems.length === 0 && discarded.length === remove.length;
  return {
    document: { keep, remove, removed, skipped, discarded, emptied, trash: trash.map(aside), problems },
    text: (paint) =>
      [
        planTable(keep, remove, { set, paint, several: context.storages.length > 1 }),
        ...skipped.filter(({ due }) => due > 0).map((one) => `${one.database} in ${one.storage}: ${one.due} due, kept: ${one.reason}`),
        told(options, { remove: remove.length, discarded: discarded.length, emptied: emptied.length, trash }),
      ]
        .filter(Boolean)
        .join('\n\n'),
    failure: problems.length === 0 ? undefined : troubled(problems, context),
  };
}

const troubled = (problems: readonly string[], { storages }: Context): Failure =>
  new Failure(problems.length < storages.length ? 'partial' : 'storage', problems.join('; '), {
    hint: 'check it with `backup-automation test`',
  });

interface Look {
  readonly set: typeof Table;
  readonly paint: ChalkInstance;
  readonly several: boolean;
}

function planTable(keep: readonly Row[], remove: readonly Row[], { set, paint, several }: Look): string {
  const all = [
    ...keep.map((row) => ({ ...row, does: paint.green('keep') })),
    ...remove.map((row) => ({ ...row, does: paint.yellow('remove') })),
  ].toSorted((a, b) => (a.backupId < b.backupId ? 1 : -1));
  if (all.length === 0) return 'no backups';
  const zone = localZone(all.map(({ timestamp }) => timestamp));
  const head = ['BACKUP', 'DATABASE', 'SCHEDULE', ...(several ? ['STORAGE'] : []), `TAKEN (${zone})`, 'PLAN', 'EXPIRES', 'REASON'];
  const rows = all.map((row) => [
    row.backupId,
    row.database,
    row.scheduleId ?? 'by hand',
    ...(several ? [row.storage] : []),
    localMinute(row.timestamp),
    row.does,
    row.expires === null ? '' : localMinute(row.expires),
    row.reason,
  ]);
  return set.table(head, rows, { width: width(), paint, ids: 0 });
}

interface Counts {
  readonly remove: number;
  readonly discarded: number;
  readonly emptied: number;
  readonly trash: readonly Trash[];
}

function told({ yes }: PruneOptions, { remove, discarded, emptied, trash }: Counts): string {
  const gone = emptied > 0 ? `, ${emptied} that were put aside before are off the disk now` : '';
  const left =
    trash.length > 0
      ? `${trash.length} put aside can be brought back until they go, from ${localMinute(firstGone(trash))} on: backup-automation backups prune --undo`
      : '';
  const plan = remove > 0 ? `${remove} would be removed: backup-automation backups prune --yes` : 'nothing to remove';
  return [yes ? `${discarded} of ${remove} removed${gone}` : plan, left].filter(Boolean).join('\n');
}

const firstGone = (trash: readonly Trash[]): string => trash.flatMap(({ gone }) => gone ?? []).toSorted()[0] ?? '';

async function undo(context: Context, options: PruneOptions): Promise<Outcome> {
  const { undoPrune } = await import('../../core/catalog/trash.js');
  const results = [];
  for (const storage of context.storages) results.push(await undoPrune(context, storage, options.database));
  const recovered = results.flatMap((one) => one.recovered).map(aside);
  const problems = results.flatMap((one) => one.problems);
  if (recovered.length > 0) say('the next prune removes them again, unless they are pinned or the retention is changed before', options);
  return {
    document: { keep: [], remove: [], removed: false, recovered, problems },
    text: () =>
      recovered.length === 0
        ? 'nothing to bring back'
        : recovered.map((one) => `${one.backupId} of ${one.database} is back in ${one.storage}`).join('\n'),
    failure: problems.length === 0 ? undefined : troubled(problems, context),
  };
}

/** `pin` and `unpin`. */
const setPinned = (pinned: boolean) =>
  async function pin(options: PinOptions, id: string): Promise<Outcome> {
    const { context } = await openWork(options);
    const [{ findBackup }, { setPin }, { userInfo }] = await Promise.all([
      import('../../core/catalog/catalog.js'),
      import('../../core/pins.js'),
      import('node:os'),
    ]);
    const backup = await findBackup(context, id, options.database);
    const reason = options.reason ?? 'no reason was given';
    const { failure, ...done } = await setPin(context, backup, { pinned, reason, by: `cli:${userInfo().username}` });
    const now = pinned ? 'pinned: no rule removes it' : 'no longer pinned: the rules hold for it again';
    return {
      document: { ...done },
      text: () => `${done.backupId} of ${done.database} is ${now} (${done.storages.join(', ')})`,
      failure: failure ? new Failure('partial', failure.message, { hint: failure.hint }) : undefined,
    };
  };

export function addRetention(backups: Command): void {
  const database = ['--database <name>', 'only those of this database'] as const;
  addCommand(backups, 'prune', 'what retention keeps and removes, and why; --yes carries it out', help.prune)
    .option(...database)
    .option('--yes', 'carry it out')
    .option('--undo', 'bring back what was removed and is still on the disk')
    .option('--force', 'remove more than a quarter at once, and although the ledger is damaged; nothing that is protected')
    .action(run(prune));
  for (const [name, description] of [
    ['pin', 'keep a backup, whatever the rules say'],
    ['unpin', 'let the rules hold for a backup again'],
  ] as const)
    addCommand(backups, name, description, help[name])
      .argument('<id>', 'a backup id, the beginning of one, or latest')
      .option(...database)
      .option('--reason <text>', 'why, for whoever asks later')
      .action(run(setPinned(name === 'pin')));
}
