/**
 * model: two fingerprints compared: of the source in the dump's own snapshot, and of what was restored. Pure.
 */
import type { Settings } from '../settings/settings.js';
import { bytesPerGB, countOf, formatBytes } from '../units.js';
import type { Fingerprint, SequenceState, TableCount } from './backup.js';

type Named = Pick<TableCount, 'schema' | 'name'>;

const nameOf = ({ schema, name }: Named): string => `${schema}.${name}`;
/** Names may have dots in them. */
const keyOf = ({ schema, name }: Named): string => JSON.stringify([schema, name]);

/** What is taken of a database of this size, and what to say of it. */
export function fingerprintFor(
  { fingerprint, fingerprintLimit }: Pick<Settings, 'fingerprint' | 'fingerprintLimit'>,
  databaseSize: number | null,
): { readonly method: Fingerprint['method']; readonly warning: string | null } {
  if (fingerprint === 'none' || databaseSize === null || databaseSize <= fingerprintLimit * bytesPerGB)
    return { method: fingerprint, warning: null };
  const sizes = `the database has ${formatBytes(databaseSize)}, more than fingerprintLimit (${fingerprintLimit} GB)`;
  return { method: 'none', warning: `${sizes}: no rows were counted, what it holds is told by the archive's own table of contents alone` };
}

/** A hash that one side has not was not taken there: the encodings differ, or a row is too long. */
const differ = (a: string | undefined, b: string | undefined): boolean => a !== undefined && b !== undefined && a !== b;

/** Sequences go on while a database is dumped: the restored one may be further on, never behind. */
function isBehind(found: SequenceState, expected: SequenceState): boolean {
  const ahead = (BigInt(found.last) - BigInt(expected.last)) * (expected.down ? -1n : 1n);
  return ahead < 0n || (ahead === 0n && expected.called && !found.called);
}

function compareSequences(expected: Fingerprint, found: Fingerprint): string[] {
  const actual = new Map(found.sequences?.map((sequence) => [keyOf(sequence), sequence]));
  return (found.sequences ? (expected.sequences ?? []) : []).flatMap((sequence) => {
    const restored = actual.get(keyOf(sequence));
    if (!restored) return [`sequence ${nameOf(sequence)} is missing`];
    return isBehind(restored, sequence)
      ? [`sequence ${nameOf(sequence)} stands at ${restored.last}${restored.called ? '' : ' (not given out)'} instead of ${sequence.last}`]
      : [];
  });
}

function compareLargeObjects(expected: Fingerprint, found: Fingerprint): string[] {
  if (expected.largeObjects !== null && found.largeObjects !== null && expected.largeObjects !== found.largeObjects)
    return [`${countOf(found.largeObjects, 'large object')} instead of ${expected.largeObjects}`];
  return differ(expected.largeObjectsHash, found.largeObjectsHash) ? ['the large objects do not hold what they held'] : [];
}

/** The differences, a sentence each; empty when they are equal. */
export function compareFingerprints(expected: Fingerprint, found: Fingerprint): string[] {
  if (expected.method === 'none') return [];
  const actual = new Map(found.tables.map((table) => [keyOf(table), table]));
  const differences: string[] = [];
  for (const table of expected.tables) {
    const restored = actual.get(keyOf(table));
    actual.delete(keyOf(table));
    if (!restored) differences.push(`table ${nameOf(table)} is missing`);
    else if (restored.rows !== table.rows)
      differences.push(`table ${nameOf(table)} has ${countOf(restored.rows, 'row')} instead of ${table.rows}`);
    else if (differ(table.hash, restored.hash))
      differences.push(`table ${nameOf(table)} has ${countOf(table.rows, 'row')}, but not the same ones`);
  }
  for (const table of actual.values()) differences.push(`table ${nameOf(table)} was not in the source`);
  return [...differences, ...compareLargeObjects(expected, found), ...compareSequences(expected, found)];
}

/** Tables that were compared by their content, of those that were compared. */
export function comparedByContent(expected: Fingerprint, found: Fingerprint): { readonly hashed: number; readonly tables: number } {
  const hashes = new Map(found.tables.map((table) => [keyOf(table), table.hash]));
  const hashed = expected.tables.filter((table) => table.hash !== undefined && hashes.get(keyOf(table)) !== undefined);
  return { hashed: hashed.length, tables: expected.tables.length };
}

/** Materialized views that hold something else than in the source, a sentence each: no archive holds their rows. */
export function refreshedViews(expected: Fingerprint, found: Fingerprint): string[] {
  const actual = new Map(found.views?.map((view) => [keyOf(view), view]));
  return (expected.views ?? []).flatMap((view) => {
    const restored = actual.get(keyOf(view));
    if (!restored || (restored.rows === view.rows && !differ(view.hash, restored.hash))) return [];
    return [
      `the materialized view ${nameOf(view)} was stale in the source, or depends on when it is filled: it was refreshed, and has ${countOf(restored.rows, 'row')}, ${view.rows} before`,
    ];
  });
}

/** What remains to compare where only some tables were restored, or into a database that holds other things too. */
export const onlyTables = (fingerprint: Fingerprint, tables: readonly TableCount[]): Fingerprint => ({
  method: fingerprint.method,
  tables: [...tables],
  largeObjects: null,
});

/** Of what was found, only the tables that were expected: what is beside them stays there, and is not compared. */
export function tablesOf(expected: Fingerprint, found: Fingerprint): Fingerprint {
  const key = ({ schema, name }: TableCount) => JSON.stringify([schema, name]);
  const keys = new Set(expected.tables.map(key));
  const tables = found.tables.filter((table) => keys.has(key(table)));
  const { largeObjectsHash: _beside, ...rest } = found;
  return { ...rest, tables, largeObjects: null };
}
