/**
 * cli: `backups copy`: gives storages the copies that they lack. It decides nothing of it.
 */
import type { Command } from 'commander';
import type { Context } from '../../../core/context.js';
import type { Mended } from '../../../core/copies.js';
import { Failure } from '../../../model/errors.js';
import { addCommand, run } from '../../command.js';
import type { GlobalOptions, Outcome } from '../../render.js';
import { openWork } from '../../work.js';

interface Options extends GlobalOptions {
  readonly database?: string;
  readonly to?: string;
}

const help = {
  examples: [
    ['backups copy', 'every copy that a storage lacks, as far as its retention would keep it'],
    ['backups copy 0192f3a4 --to offsite', 'one backup into a storage that it was not meant for'],
  ],
  exits: {
    2: 'no such backup or storage',
    3: 'some copies could not be made',
    10: 'configuration',
    21: 'a storage failed, and nothing was copied',
    130: 'interrupted',
  },
} as const;

async function mend(context: Context, { database, to }: Options, id: string | undefined): Promise<Mended> {
  const { copyTo, mendCopies, storageNamed } = await import('../../../core/copies.js');
  if (id === undefined) {
    const only = to === undefined ? null : storageNamed(context, to).name;
    const except = context.storages.map(({ name }) => name).filter((name) => only !== null && name !== only);
    return mendCopies(context, { database, except: new Set(except) });
  }
  const { findBackup } = await import('../../../core/catalog/catalog.js');
  return copyTo(context, await findBackup(context, id, database), to);
}

async function copy(options: Options, id: string | undefined): Promise<Outcome> {
  const [{ context }, { copiedTable }] = await Promise.all([openWork(options), import('../../show/results.js')]);
  const { copied, problems } = await mend(context, options, id);
  const [problem] = problems;
  const made = copied.filter(({ ok }) => ok);
  const { code = 'storage', hint = '' } = problem?.failure ?? {};
  const message = problems.map(({ storage, failure }) => `"${storage}" lacks a copy still: ${failure.message}`).join('; ');
  return {
    document: { copied, problems: problems.map(({ storage, failure }) => ({ storage, ...failure.toJSON() })) },
    text: (paint) => {
      if (copied.length === 0) return problem ? '' : 'no storage lacks a copy';
      return copiedTable(copied, paint);
    },
    failure: problem && new Failure(made.length > 0 ? 'partial' : code, message, { hint }),
  };
}

export function addCopy(backups: Command): void {
  addCommand(backups, 'copy', 'give storages the copies that they lack', help)
    .argument('[id]', 'a backup id, the beginning of one, or latest; every missing copy when left out')
    .option('--to <storage>', 'only into this storage')
    .option('--database <name>', 'only those of this database')
    .action(run(copy));
}
