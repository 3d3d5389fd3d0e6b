/**
 * cli: `backups prune`, `pin` and `unpin`: what is kept and why, what is removed, and when. It decides none of it.
 */
import type { ChalkInstance } from 'chalk';
import type { Command } from 'commander';
import type { Context } from '../../../core/context.js';
import type { PruneRow, TrashLine } from '../../../core/documents/prune.js';
import { Failure } from '../../../model/errors.js';
import { actor } from '../../actor.js';
import { addCommand, run } from '../../command.js';
import { localMinute, localZone } from '../../../model/moment/here.js';
import { say, width, type GlobalOptions, type Outcome } from '../../render.js';
import type * as Table from '../../show/table.js';
import { openLook, openWork } from '../../work.js';

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

async function prune(options: PruneOptions): Promise<Outcome> {
  const { context } = await (options.yes || options.undo ? openWork(options) : openLook(options));
  if (options.undo) return undo(context, options);
  const { yes = false, force = false, database } = options;
  const { pruneDocument } = await import('../../../core/documents/prune.js');
  const { document, failure } = await pruneDocument(context, { database, yes, force });
  const { keep, remove, skipped, discarded, emptied, trash } = document;
  const set = await import('../../show/table.js');
  return {
    document: { ...document },
    text: (paint) =>
      [
        planTable(keep, remove, { set, paint, several: context.storages.length > 1 }),
        ...skipped.filter(({ due }) => due > 0).map((one) => `${one.database} in ${one.storage}: ${one.due} due, kept: ${one.reason}`),
        told(options, { remove: remove.length, discarded: discarded.length, emptied: emptied.length, trash }),
      ]
        .filter(Boolean)
        .join('\n\n'),
    failure,
  };
}

interface Look {
  readonly set: typeof Table;
  readonly paint: ChalkInstance;
  readonly several: boolean;
}

function planTable(keep: readonly PruneRow[], remove: readonly PruneRow[], { set, paint, several }: Look): string {
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
  readonly trash: readonly TrashLine[];
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

const firstGone = (trash: readonly TrashLine[]): string => trash.flatMap(({ gone }) => gone ?? []).toSorted()[0] ?? '';

async function undo(context: Context, options: PruneOptions): Promise<Outcome> {
  const { undoDocument } = await import('../../../core/documents/prune.js');
  const { document, failure } = await undoDocument(context, options.database);
  const { recovered } = document;
  if (recovered.length > 0) say('the next prune removes them again, unless they are pinned or the retention is changed before', options);
  return {
    document: { ...document },
    text: () =>
      recovered.length === 0
        ? 'nothing to bring back'
        : recovered.map((one) => `${one.backupId} of ${one.database} is back in ${one.storage}`).join('\n'),
    failure,
  };
}

/** `pin` and `unpin`. */
const setPinned = (pinned: boolean) =>
  async function pin(options: PinOptions, id: string): Promise<Outcome> {
    const { context } = await openWork(options);
    const [{ findBackup }, { setPin }] = await Promise.all([
      import('../../../core/catalog/catalog.js'),
      import('../../../core/catalog/pins.js'),
    ]);
    const backup = await findBackup(context, id, options.database);
    const reason = options.reason ?? 'no reason was given';
    const { failure, ...done } = await setPin(context, backup, { pinned, reason, actor: actor() });
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
