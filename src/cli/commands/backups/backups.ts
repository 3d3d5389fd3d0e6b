/**
 * cli: `backups`, what the storages hold, and what was proven of it.
 */
import type { ChalkInstance } from 'chalk';
import type { Command } from 'commander';
import type { BackupDocument, BackupLine } from '../../../core/documents/backups.js';
import { backupFacts, provenWord } from '../../../model/backup/words.js';
import { formatBytes } from '../../../model/units.js';
import { addCopy } from './copy.js';
import { addDiff } from './diff.js';
import { addCommand, run } from '../../command.js';
import { localMinute, localZone } from '../../../model/moment/here.js';
import { addRetention } from './retention.js';
import { say, width, type GlobalOptions, type Outcome } from '../../render.js';
import type * as Table from '../../show/table.js';
import { openLook } from '../../work.js';

const exits = { 2: 'no such backup or database', 10: 'configuration', 21: 'a storage could not be read' };
const help = {
  list: {
    examples: [
      ['backups', 'every backup in every storage, newest first'],
      ['backups --database shop --json', 'those of one database, for a program'],
    ],
    exits,
  },
  show: {
    examples: [
      ['backups show latest', 'the newest backup with its files, versions and row counts'],
      ['backups show 0192f3a4 --json', 'one by the beginning of its id, with manifest and details'],
    ],
    exits,
  },
} as const;

const provenIn = (backup: BackupLine, paint: ChalkInstance): string => {
  const word = provenWord(backup);
  return word === 'failed' ? paint.red(word) : word === 'no' ? paint.yellow(word) : word;
};

const noteOn = ({ pinned, suspect }: BackupLine, paint: ChalkInstance): string =>
  [pinned ? 'pinned' : '', suspect ? paint.red('suspect') : ''].filter(Boolean).join(', ');

async function list(options: { database?: string } & GlobalOptions): Promise<Outcome> {
  const [{ context }, { listBackups }, { table }] = await Promise.all([
    openLook(options),
    import('../../../core/documents/backups.js'),
    import('../../show/table.js'),
  ]);
  const { backups, problems } = await listBackups(context, options.database);
  for (const problem of problems) say(`warning: ${problem}`, options);
  const foreign = backups.filter(({ signed }) => !signed).length;
  if (foreign > 0)
    say(`warning: ${foreign} of ${backups.length} are not signed by this state directory; another one made them, or somebody`, options);
  return {
    document: { backups, problems },
    text: (paint) => {
      if (backups.length === 0)
        return problems.length > 0
          ? 'no backups can be seen: see the warnings'
          : 'no backups yet; make one with `backup-automation execute`';
      const noted = backups.some(({ pinned, suspect }) => pinned || suspect);
      const rows = backups.map((backup) => [
        backup.backupId,
        backup.database,
        localMinute(backup.timestamp),
        formatBytes(backup.size),
        backup.storages.join(', '),
        provenIn(backup, paint),
        ...(noted ? [noteOn(backup, paint)] : []),
      ]);
      const taken = `TAKEN (${localZone(backups.map(({ timestamp }) => timestamp))})`;
      const head = ['BACKUP', 'DATABASE', taken, 'SIZE', 'STORAGES', 'PROVEN', ...(noted ? ['NOTE'] : [])];
      return table(head, rows, { width: width(), paint, ids: 0 });
    },
  };
}

async function show(options: { database?: string } & GlobalOptions, id: string): Promise<Outcome> {
  const { context } = await openLook(options);
  const { showBackup } = await import('../../../core/documents/backups.js');
  const document = await showBackup(context, id, options.database);
  const set = await import('../../show/table.js');
  return { document: { ...document }, text: (paint) => page(document, set, paint) };
}

function page(document: BackupDocument, { facts, table }: typeof Table, paint: ChalkInstance): string {
  const { manifest, details } = document;
  const look = { width: width(), paint };
  const files = manifest.artifacts.map(({ name, size, sha256 }) => [name, formatBytes(size), sha256]);
  const counted = details?.fingerprint.tables ?? [];
  const tables = counted.map((one) => [`${one.schema}.${one.name}`, String(one.rows)]);
  return [
    facts(backupFacts(document), look),
    table(['FILE', 'SIZE', 'SHA-256'], files, look),
    ...(tables.length > 0 ? [table(['TABLE', 'ROWS'], tables, { ...look, align: ['left', 'right'] })] : []),
  ].join('\n\n');
}

export function backupsCommand(program: Command): void {
  const database = ['--database <name>', 'only those of this database'] as const;
  const backups = addCommand(program, 'backups', 'what the storages hold, and what was proven of it', help.list)
    .option(...database)
    .action(run(list));
  addCommand(backups, 'show', 'one backup with its files, versions and row counts', help.show)
    .argument('<id>', 'a backup id, the beginning of one, or latest')
    .option(...database)
    .action(run(show));
  addCopy(backups);
  addDiff(backups);
  addRetention(backups);
}
