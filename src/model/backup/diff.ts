/**
 * model: how two backups differ, told by their details alone; neither is restored. Pure.
 */
import type { BackupDetails, TableCount } from './backup.js';
import { diffObjects, type ObjectDiff } from './object-diff.js';

export interface BackupDiff {
  /** Tables of both whose row counts differ. */
  readonly tables: readonly { readonly schema: string; readonly name: string; readonly rowsA: number; readonly rowsB: number }[];
  readonly onlyInA: readonly TableCount[];
  readonly onlyInB: readonly TableCount[];
  /** Versions; null: it is not there. */
  readonly extensions: readonly Change<string>[];
  /** Roles that own or may use something. */
  readonly roles: Appeared;
  readonly tablespaces: Appeared;
  /** Encoding, locale and the count of large objects, where they differ. */
  readonly properties: readonly Change<string | number>[];
  /** Everything with a definition; null: one of the two does not say what it holds. */
  readonly objects: ObjectDiff | null;
  /** All was compared, and nothing differs. */
  readonly equal: boolean;
  /** What could not be compared, a sentence each. */
  readonly warnings: readonly string[];
}

interface Change<Value> {
  readonly name: string;
  readonly a: Value | null;
  readonly b: Value | null;
}

interface Appeared {
  readonly onlyInA: readonly string[];
  readonly onlyInB: readonly string[];
}

const keyOf = ({ schema, name }: TableCount): string => JSON.stringify([schema, name]);
const without = (some: readonly string[], others: readonly string[]): string[] => some.filter((one) => !others.includes(one));
const appeared = (a: readonly string[], b: readonly string[]): Appeared => ({ onlyInA: without(a, b), onlyInB: without(b, a) });
const changes = <Value>(all: readonly Change<Value>[]): Change<Value>[] => all.filter(({ a, b }) => a !== b);

function diffTables(a: readonly TableCount[], b: readonly TableCount[]): Pick<BackupDiff, 'tables' | 'onlyInA' | 'onlyInB'> {
  const inA = new Map(a.map((table) => [keyOf(table), table]));
  const inB = new Map(b.map((table) => [keyOf(table), table]));
  return {
    tables: a.flatMap((table) => {
      const other = inB.get(keyOf(table));
      const { schema, name, rows } = table;
      return other && other.rows !== rows ? [{ schema, name, rowsA: rows, rowsB: other.rows }] : [];
    }),
    onlyInA: a.filter((table) => !inB.has(keyOf(table))),
    onlyInB: b.filter((table) => !inA.has(keyOf(table))),
  };
}

function diffExtensions(a: BackupDetails, b: BackupDetails): Change<string>[] {
  const versionIn = ({ extensions }: BackupDetails, wanted: string) => extensions.find(({ name }) => name === wanted)?.version ?? null;
  const names = [...new Set([...a.extensions, ...b.extensions].map(({ name }) => name))].toSorted();
  return changes(names.map((name) => ({ name, a: versionIn(a, name), b: versionIn(b, name) })));
}

export function diffBackups(a: BackupDetails, b: BackupDetails): BackupDiff {
  const uncounted = [...(a.fingerprint.method === 'none' ? ['the first'] : []), ...(b.fingerprint.method === 'none' ? ['the second'] : [])];
  const counted = uncounted.length === 0;
  const tables = counted ? diffTables(a.fingerprint.tables, b.fingerprint.tables) : { tables: [], onlyInA: [], onlyInB: [] };
  const [objectsA, objectsB] = [a.fingerprint.largeObjects, b.fingerprint.largeObjects];
  const found = {
    ...tables,
    extensions: diffExtensions(a, b),
    roles: appeared(a.roles, b.roles),
    tablespaces: appeared(a.tablespaces, b.tablespaces),
    properties: changes<string | number>([
      { name: 'encoding', a: a.encoding, b: b.encoding },
      { name: 'collate', a: a.collate, b: b.collate },
      { name: 'ctype', a: a.ctype, b: b.ctype },
      ...(objectsA !== null && objectsB !== null ? [{ name: 'large objects', a: objectsA, b: objectsB }] : []),
    ]),
  };
  const objects = diffObjects(a.objects, b.objects);
  const { roles, tablespaces, ...lists } = found;
  const differences = [lists, roles, tablespaces, objects ?? {}].flatMap((part): unknown[][] => Object.values(part));
  const silent = [...(a.objects ? [] : ['the first']), ...(b.objects ? [] : ['the second'])];
  return {
    ...found,
    objects,
    equal: counted && objects !== null && differences.every((one) => one.length === 0),
    warnings: [
      ...(counted ? [] : [`${uncounted.join(' and ')} has no row counts: rows were not compared`]),
      ...(objects
        ? []
        : [`${silent.join(' and ')} does not say what it holds: columns, indexes, functions and the like were not compared`]),
    ],
  };
}
