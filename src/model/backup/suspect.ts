/**
 * model: what makes a new backup suspect although it is whole: far smaller or larger than those before it, or rows that went missing.
 * Sentences, no verdict on any backup that is there already.
 */
import type { Fingerprint, Manifest, TableCount } from './backup.js';
import { countOf, formatBytes } from '../units.js';

/** Good backups that a new one is compared with. */
const comparedWith = 5;

/** Below this share of the median, and above this, a size is suspect. */
const share = { least: 0.5, most: 3 };
/** What a size may differ by anyhow, bytes: small databases double in a day. */
const sizeSlack = { less: 16_384, more: 16 * 1024 * 1024 };
/** A table may lose this share of its rows, and so many anyhow. */
const rowShare = 0.5;
const rowSlack = 1000;
/** Tables named one by one. */
const named = 5;

type Sized = Pick<Manifest, 'artifacts' | 'databaseSize'>;

const archives = ({ artifacts }: Sized) => artifacts.filter(({ kind }) => kind === 'database');
const storedSize = (backup: Sized): number => archives(backup).reduce((sum, { size }) => sum + size, 0);
/** Backups that were stored by the same codecs have sizes that can be compared. */
const codecsOf = (backup: Sized): string => archives(backup)[0]?.codecs.join() ?? '';

function median(numbers: readonly number[]): number {
  const sorted = numbers.toSorted((a, b) => a - b);
  const middle = (sorted.length - 1) / 2;
  return ((sorted[Math.floor(middle)] ?? 0) + (sorted[Math.ceil(middle)] ?? 0)) / 2;
}

function judgeSize(what: string, size: number, before: readonly number[]): string[] {
  if (before.length === 0) return [];
  const usual = median(before);
  const isLess = size < usual * share.least && usual - size > sizeSlack.less;
  const isMore = size > usual * share.most && size - usual > sizeSlack.more;
  if (!isLess && !isMore) return [];
  const percent = usual > 0 ? ` (${Math.round((size / usual) * 100)} %)` : '';
  const those = before.length === 1 ? 'the last good backup' : `the last ${before.length} good backups`;
  return [`${what} ${formatBytes(size)}, and was ${formatBytes(usual)} in ${those}${percent}`];
}

/** Compares a backup's sizes with the last good ones, newest first: stored by the same codecs, and on the server. */
export function sizeSuspicions(made: Sized, before: readonly Sized[]): string[] {
  const last = before.slice(0, comparedWith);
  const alike = last.filter((one) => codecsOf(one) === codecsOf(made));
  const onServer = last.flatMap(({ databaseSize }) => databaseSize ?? []);
  return [
    ...judgeSize('the archive has', storedSize(made), alike.map(storedSize)),
    ...(made.databaseSize === null ? [] : judgeSize('the database has', made.databaseSize, onServer)),
  ];
}

const keyOf = ({ schema, name }: TableCount): string => `${schema}.${name}`;
/** `visits_2026_01` and `visits_2026_02` are alike: dropping the one when the other comes is what partitions are for. */
const stemOf = (table: TableCount): string => keyOf(table).replace(/\d+/g, '#');

export interface RowSuspicion {
  /** For the manifest, which may be read by anybody: no name of a table. */
  readonly sealed: string;
  /** For the ledger and the person: the tables by name. */
  readonly told: string;
}

/** The tables that lost most of their rows since the newest good backup, or are gone; null when there is none. */
export function rowSuspicion(made: Fingerprint, before: Fingerprint): RowSuspicion | null {
  if (made.method === 'none' || before.method === 'none') return null;
  const rows = new Map(made.tables.map((table) => [keyOf(table), table.rows]));
  const stems = new Set(made.tables.map(stemOf));
  const lost = before.tables
    .filter((table) => table.rows - (rows.get(keyOf(table)) ?? 0) > Math.max(rowSlack, table.rows * rowShare))
    .filter((table) => rows.has(keyOf(table)) || !/\d/.test(table.name) || !stems.has(stemOf(table)))
    .toSorted((a, b) => b.rows - a.rows);
  if (lost.length === 0) return null;
  const one = (table: TableCount) => {
    const left = rows.get(keyOf(table));
    return left === undefined
      ? `${keyOf(table)} with ${countOf(table.rows, 'row')} is gone`
      : `${keyOf(table)} has ${left} rows of ${table.rows}`;
  };
  const more = lost.length > named ? `; and ${lost.length - named} more` : '';
  const count = `${countOf(lost.length, 'table')} lost most of the rows that the last good backup has`;
  return { sealed: count, told: `${count}: ${lost.slice(0, named).map(one).join('; ')}${more}` };
}

/** What the event of a suspect backup says, and how it is known for one. */
export const suspectWarning = (backupId: string): string =>
  `this backup is suspect, and the one before it is held, until \`backup-automation verify ${backupId}\` proves it`;
