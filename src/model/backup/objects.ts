/**
 * model: the objects of a database, as its catalogue and as an archive's table of contents know them, and what the one has that the
 * other lacks. Pure; the names in it are sealed like the rest of the details.
 */
import { Failure } from '../errors.js';
import type { StoredObject } from './backup.js';
import { countOf } from '../units.js';

/** An archive's table of contents. */
export interface Contents {
  readonly objects: readonly StoredObject[];
  /** What `Expected` is found by. */
  readonly keys: ReadonlySet<string>;
  readonly largeObjects: number;
}

/** Something that the catalogue has and a whole dump holds. */
export interface Expected {
  /** In words: `table`, `rows of table`. */
  readonly kind: string;
  readonly schema: string | null;
  readonly name: string;
  readonly key: string;
}

/** All that a whole dump holds, read in its own snapshot. */
export interface Inventory {
  readonly expected: readonly Expected[];
  readonly largeObjects: number;
}

/** Objects named one by one. */
const named = 20;
const shownName = ({ schema, name }: { readonly schema: string | null; readonly name: string }): string =>
  schema ? `${schema}.${name}` : name;

/** The failure of a dump that leaves out what the database has; null: it is all there. */
export function incompleteness(database: string, { expected, largeObjects }: Inventory, contents: Contents): Failure | null {
  const missing = expected.filter(({ key }) => !contents.keys.has(key)).map((one) => `${one.kind} ${shownName(one)}`);
  const lost = largeObjects - contents.largeObjects;
  if (lost > 0) missing.push(`${lost} of ${largeObjects} large objects`);
  if (missing.length === 0) return null;
  const more = missing.length > named ? `; and ${missing.length - named} more` : '';
  return new Failure('incomplete', `${database}: the dump leaves out ${missing.slice(0, named).join(', ')}${more}`);
}

/** Kinds whose disappearance is worth a word: what a person made and called by a name. */
const noticed = new Set(
  'SCHEMA,EXTENSION,TABLE,FOREIGN TABLE,VIEW,MATERIALIZED VIEW,SEQUENCE,FUNCTION,PROCEDURE,AGGREGATE,TYPE,DOMAIN,TRIGGER,POLICY,EVENT TRIGGER,PUBLICATION'.split(
    ',',
  ),
);
/** They go with their table, whose name is the beginning of theirs. */
const belongings = new Set(['TRIGGER', 'POLICY']);

export const objectKey = ({ kind, schema, name }: Pick<StoredObject, 'kind' | 'schema' | 'name'>): string =>
  JSON.stringify([kind, schema, name]);
/** `visits_2026_01` and `visits_2026_02` are alike: the one is dropped when the other comes. */
const stemOf = (object: StoredObject): string => objectKey(object).replace(/\d+/g, '#');

export interface Disappearance {
  /** For the manifest, which may be read by anybody: no names. */
  readonly sealed: string;
  /** For the event and the person. */
  readonly told: string;
}

/** What the last backup has and this one has not, although nothing is wrong with it; null: nothing, or nobody knows. */
export function disappearance(now: readonly StoredObject[] | undefined, before: readonly StoredObject[] | undefined): Disappearance | null {
  if (!now || !before) return null;
  const there = new Set(now.map(objectKey));
  const stems = new Set(now.map(stemOf));
  const gone = before.filter(
    (one) => noticed.has(one.kind) && !there.has(objectKey(one)) && !(/\d/.test(one.name) && stems.has(stemOf(one))),
  );
  const tables = gone.filter(({ kind }) => kind === 'TABLE');
  const told = gone.filter(
    ({ kind, schema, name }) =>
      !belongings.has(kind) || !tables.some((table) => table.schema === schema && name.startsWith(`${table.name} `)),
  );
  if (told.length === 0) return null;
  const count = `${countOf(told.length, 'object is', 'objects are')} gone that the last good backup has`;
  const more = told.length > named ? `; and ${told.length - named} more` : '';
  const list = told.slice(0, named).map((one) => `${one.kind.toLowerCase()} ${shownName(one)}`);
  return { sealed: count, told: `${count}: ${list.join(', ')}${more}` };
}
