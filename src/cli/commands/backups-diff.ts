/**
 * cli: `backups diff`, shows how two backups differ. It decides nothing.
 */
import type { ChalkInstance } from 'chalk';
import type { Command } from 'commander';
import type { Compared } from '../../core/diff.js';
import { addCommand, run } from '../command.js';
import { width, type GlobalOptions, type Outcome } from '../render.js';
import type * as Table from '../show/table.js';
import { openLook } from '../work.js';

const help = {
  examples: [
    ['backups diff 0192f3a4 latest', 'tables that came, went, or have more or fewer rows since then'],
    ['backups diff 0192f3a4 0192f7b1 --json', 'the same for a program'],
  ],
  exits: {
    2: 'no such backup or database',
    10: 'configuration, or no key to look inside',
    21: 'a storage could not be read',
    22: 'a backup is not what it should be',
  },
} as const;

const signed = (difference: number): string => (difference > 0 ? `+${difference}` : String(difference));

/** What, in A, in B, and the difference of numbers. */
function rowsOf(found: Compared): string[][] {
  const named = ({ schema, name }: { schema: string; name: string }) => `${schema}.${name}`;
  const { roles, tablespaces } = found;
  const presence = (what: string, { onlyInA, onlyInB }: Compared['roles']) => [
    ...onlyInA.map((name) => [`${what} ${name}`, 'yes', 'no', '']),
    ...onlyInB.map((name) => [`${what} ${name}`, 'no', 'yes', '']),
  ];
  return [
    ...found.onlyInA.map((one) => [`table ${named(one)}`, String(one.rows), 'no', '']),
    ...found.onlyInB.map((one) => [`table ${named(one)}`, 'no', String(one.rows), '']),
    ...found.tables.map((one) => [`table ${named(one)}`, String(one.rowsA), String(one.rowsB), signed(one.rowsB - one.rowsA)]),
    ...found.extensions.map(({ name, a, b }) => [`extension ${name}`, a ?? 'no', b ?? 'no', '']),
    ...presence('role', roles),
    ...presence('tablespace', tablespaces),
    ...found.properties.map(({ name, a, b }) => [name, String(a ?? '?'), String(b ?? '?'), '']),
  ];
}

function page(found: Compared, { table }: typeof Table, paint: ChalkInstance): string {
  const { a, b, warnings, equal } = found;
  const said = warnings.map((warning) => `${paint.yellow('warning:')} ${warning}`);
  const which = `A is ${a.backupId} of ${a.timestamp}, B is ${b.backupId} of ${b.timestamp}`;
  const rows = rowsOf(found);
  if (rows.length === 0) return [...said, which, equal ? 'no difference' : 'no difference in what could be compared'].join('\n');
  const look = { width: width(), paint, align: ['left', 'right', 'right', 'right'] as const };
  return [...said, which, '', table(['WHAT', 'A', 'B', 'CHANGE'], rows, look)].join('\n');
}

async function body(options: { database?: string } & GlobalOptions, a: string, b: string): Promise<Outcome> {
  const [{ context }, { diff }, set] = await Promise.all([openLook(options), import('../../core/diff.js'), import('../show/table.js')]);
  const found = await diff(context, { a, b }, options.database);
  return { document: { ...found, a: found.a.backupId, b: found.b.backupId }, text: (paint) => page(found, set, paint) };
}

export function addDiff(backups: Command): void {
  addCommand(backups, 'diff', 'how two backups differ: tables, row counts, extensions, roles; restores neither', help)
    .argument('<a>', 'a backup id, the beginning of one, or latest')
    .argument('<b>', 'another one')
    .option('--database <name>', 'only those of this database')
    .action(run(body));
}
