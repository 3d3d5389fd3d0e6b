/**
 * cli: `backups diff`, shows how two backups differ. It decides nothing.
 */
import type { ChalkInstance } from 'chalk';
import type { Command } from 'commander';
import type { Compared } from '../../../core/catalog/diff.js';
import { byThemselves, type ObjectName } from '../../../model/backup/object-diff.js';
import { addCommand, run } from '../../command.js';
import { width, type GlobalOptions, type Outcome } from '../../render.js';
import type * as Table from '../../show/table.js';
import { openLook } from '../../work.js';
import { minuteOf } from '../../../model/moment/minute.js';

const help = {
  examples: [
    ['backups diff 0192f3a4 latest', 'what came, went or changed since then: tables and their rows, columns, indexes, functions'],
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

const remarks: Readonly<Record<string, string>> = { ACL: 'grants on ', COMMENT: 'comment on ', 'SECURITY LABEL': 'label of ' };

/** `table public.orders`; a remark's name has the kind of what it is on before it: `TABLE orders`. */
function named({ kind, schema, name }: ObjectName): string {
  const [, on = '', rest = name] = kind in remarks ? (/^([A-Z ]+) (.*)$/s.exec(name) ?? []) : [];
  const what = kind in remarks ? `${remarks[kind]}${on}` : kind;
  return `${what.toLowerCase()} ${schema === null ? '' : `${schema}.`}${rest}`;
}

/** What came, what went, and beneath what changed the lines that only one of the two has. */
function objectRows({ objects, onlyInA, onlyInB }: Compared): string[][] {
  if (!objects) return [];
  return [
    ...byThemselves(objects.onlyInA, onlyInA).map((one) => [named(one), 'yes', 'no', '']),
    ...byThemselves(objects.onlyInB, onlyInB).map((one) => [named(one), 'no', 'yes', '']),
    ...objects.changed.flatMap((one) => [
      [named(one), 'yes', 'yes', 'changed'],
      ...one.partsA.map((part) => [`· ${part}`, 'yes', 'no', '']),
      ...one.partsB.map((part) => [`· ${part}`, 'no', 'yes', '']),
    ]),
  ];
}

/** What, in A, in B, and the difference of numbers. */
function rowsOf(found: Compared): string[][] {
  const tableName = ({ schema, name }: { schema: string; name: string }) => `table ${schema}.${name}`;
  const { roles, tablespaces } = found;
  const presence = (what: string, { onlyInA, onlyInB }: Compared['roles']) => [
    ...onlyInA.map((name) => [`${what} ${name}`, 'yes', 'no', '']),
    ...onlyInB.map((name) => [`${what} ${name}`, 'no', 'yes', '']),
  ];
  return [
    ...found.onlyInA.map((one) => [tableName(one), String(one.rows), 'no', '']),
    ...found.onlyInB.map((one) => [tableName(one), 'no', String(one.rows), '']),
    ...found.tables.map((one) => [tableName(one), String(one.rowsA), String(one.rowsB), signed(one.rowsB - one.rowsA)]),
    ...objectRows(found),
    ...found.extensions.map(({ name, a, b }) => [`extension ${name}`, a ?? 'no', b ?? 'no', '']),
    ...presence('role', roles),
    ...presence('tablespace', tablespaces),
    ...found.properties.map(({ name, a, b }) => [name, String(a ?? '?'), String(b ?? '?'), '']),
  ];
}

function page(found: Compared, { table }: typeof Table, paint: ChalkInstance): string {
  const { a, b, warnings, equal } = found;
  const said = warnings.map((warning) => `${paint.yellow('warning:')} ${warning}`);
  const which = `A is ${a.backupId} of ${minuteOf(a.timestamp)}, B is ${b.backupId} of ${minuteOf(b.timestamp)}`;
  const rows = rowsOf(found);
  if (rows.length === 0) return [...said, which, equal ? 'no difference' : 'no difference in what could be compared'].join('\n');
  const look = { width: width(), paint, align: ['left', 'right', 'right', 'right'] as const };
  return [...said, which, '', table(['WHAT', 'A', 'B', 'CHANGE'], rows, look)].join('\n');
}

async function body(options: { database?: string } & GlobalOptions, a: string, b: string): Promise<Outcome> {
  const [{ context }, { diff }, set] = await Promise.all([
    openLook(options),
    import('../../../core/catalog/diff.js'),
    import('../../show/table.js'),
  ]);
  const found = await diff(context, { a, b }, options.database);
  return { document: { ...found, a: found.a.backupId, b: found.b.backupId }, text: (paint) => page(found, set, paint) };
}

export function addDiff(backups: Command): void {
  addCommand(backups, 'diff', 'how two backups differ: tables, rows, definitions, extensions, roles; restores neither', help)
    .argument('<a>', 'a backup id, the beginning of one, or latest')
    .argument('<b>', 'another one')
    .option('--database <name>', 'only those of this database')
    .action(run(body));
}
