/**
 * model: how the objects of two backups differ: what came, what went, what is defined otherwise. Told by their details alone. Pure.
 */
import type { StoredObject } from './backup.js';
import { objectKey } from './objects.js';

export interface ObjectName {
  readonly kind: string;
  readonly schema: string | null;
  readonly name: string;
}

export interface ChangedObject extends ObjectName {
  /** Columns, checks, labels of the one that the other has not, as SQL writes them; empty where it is another part of the definition. */
  readonly partsA: readonly string[];
  readonly partsB: readonly string[];
}

export interface ObjectDiff {
  readonly onlyInA: readonly ObjectName[];
  readonly onlyInB: readonly ObjectName[];
  readonly changed: readonly ChangedObject[];
}

/** Several of one name, such as default privileges of several roles, are one. */
function byKey(objects: readonly StoredObject[]): Map<string, readonly StoredObject[]> {
  const found = new Map<string, readonly StoredObject[]>();
  for (const one of objects) found.set(objectKey(one), [...(found.get(objectKey(one)) ?? []), one]);
  return found;
}

const hashOf = (all: readonly StoredObject[]): string =>
  all
    .map(({ hash }) => hash)
    .toSorted()
    .join();
const nameOf = ({ kind, schema, name }: StoredObject): ObjectName => ({ kind, schema, name });
const partsBeside = (all: readonly StoredObject[], others: readonly StoredObject[]): string[] => {
  const there = new Set(others.flatMap(({ parts }) => parts ?? []));
  return all.flatMap(({ parts }) => parts ?? []).filter((part) => !there.has(part));
};

/** The database's own entry bears its name, and says nothing that the properties do not. */
const compared = (objects: readonly StoredObject[]) => objects.filter(({ kind }) => !kind.startsWith('DATABASE'));

/** Null: one of the two does not say what it holds. */
export function diffObjects(a: readonly StoredObject[] | undefined, b: readonly StoredObject[] | undefined): ObjectDiff | null {
  if (!a || !b) return null;
  const [inA, inB] = [byKey(compared(a)), byKey(compared(b))];
  const only = (some: typeof inA, others: typeof inA) =>
    [...some].flatMap(([key, [one]]) => (one && !others.has(key) ? [nameOf(one)] : []));
  const changed = [...inA].flatMap(([key, all]) => {
    const others = inB.get(key);
    const [one] = all;
    if (!one || !others || hashOf(all) === hashOf(others)) return [];
    return [{ ...nameOf(one), partsA: partsBeside(all, others), partsB: partsBeside(others, all) }];
  });
  return { onlyInA: only(inA, inB), onlyInB: only(inB, inA), changed };
}

/** What has grants, comments and parts of its own, which come and go with it. */
const owners = new Set(
  'TABLE,FOREIGN TABLE,VIEW,MATERIALIZED VIEW,SEQUENCE,FUNCTION,PROCEDURE,AGGREGATE,TYPE,DOMAIN,SCHEMA,EXTENSION,SERVER,PUBLICATION'.split(
    ',',
  ),
);
/** Their names have the owner's in front or at the end: `orders orders_pkey`, `TABLE orders`. */
const belongsTo = (one: ObjectName, owner: ObjectName): boolean =>
  one !== owner &&
  !owners.has(one.kind) &&
  one.schema === owner.schema &&
  (one.name === owner.name || one.name.startsWith(`${owner.name} `) || one.name.endsWith(` ${owner.name}`));

/** What came or went for itself, and is not among `told`: a table's constraints go with the table. */
export function byThemselves(
  all: readonly ObjectName[],
  told: readonly { readonly schema: string; readonly name: string }[],
): ObjectName[] {
  const whole = all.filter(({ kind }) => owners.has(kind));
  const isTold = ({ kind, schema, name }: ObjectName) =>
    kind === 'EXTENSION' || (kind === 'TABLE' && told.some((table) => table.schema === schema && table.name === name));
  return all.filter((one) => !isTold(one) && !whole.some((owner) => belongsTo(one, owner)));
}
