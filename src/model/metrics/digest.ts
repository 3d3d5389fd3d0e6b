/**
 * model: the digest of a ledger, those of its lines that still count: whoever asks them how things are now gets the same answers as from
 * all of them. Pure, and JSON, so that it can be remembered. It keeps whole lines and judges none.
 */
import { isTerminal, type BackupEvent } from '../events/event.js';
import type { LedgerRecord } from '../events/ledger.js';
import type { LedgerLine } from '../roles/ledger.js';
import { own } from '../own.js';

/** Lines by what they are the newest of. */
export interface Digest {
  readonly newest: Record<string, LedgerLine>;
  /** Events that are not ended, by their ids. */
  readonly unended: Record<string, LedgerLine>;
  /** By backup, storage, level and outcome; the oldest go where they are too many. */
  verified: Record<string, LedgerLine>;
  /** How many of them, at least. */
  verifiedCount: number;
  /** What tells how long a restore takes, by database. */
  readonly restored: Record<string, LedgerLine[]>;
}

export const emptyDigest = (): Digest => ({ newest: {}, unended: {}, verified: {}, verifiedCount: 0, restored: {} });

const mostVerified = 2000;
/** As many as the median of restore times is of. */
const mostRestored = 100;

/** Takes the next line. */
export function digest(into: Digest, line: LedgerLine): void {
  const { record } = line;
  into.newest['first'] ??= beginning(line);
  into.newest['last'] = line;
  for (const key of keysOf(record)) into.newest[key] = line;
  if (record.record === 'event') {
    if (isTerminal(record.status)) delete into.unended[record.id];
    else into.unended[record.id] = line;
  }
  if (record.record === 'verification') takeVerified(into, record, line);
  if (isMeasured(record)) into.restored[record.database] = [...(own(into.restored, record.database) ?? []), line].slice(-mostRestored);
}

/** Of the first line counts when it was written: its event goes on, and is told by its own newest line. */
const beginning = (line: LedgerLine): LedgerLine => {
  if (line.record.record !== 'event') return line;
  const { v, at, prev } = line.record;
  return { position: line.position, record: { record: 'segment', previous: '', previousSize: 0, v, at, prev } };
};

const wordOf = ({ reasons }: BackupEvent): string => reasons?.[0]?.split(':', 1)[0] ?? '';

function keysOf(record: LedgerRecord): string[] {
  if (record.record === 'scheduler') return ['scheduler'];
  if (record.record === 'key-drill') return record.opened.map((key) => `key ${key}`);
  // while an event goes on, its newest line says all
  if (record.record !== 'event' || !isTerminal(record.status)) return [];
  const { scheduleId = null, database, status, result, slot } = record;
  return [JSON.stringify([scheduleId, database, status, result?.code, wordOf(record), slot !== undefined])];
}

const isMeasured = (record: LedgerRecord): record is LedgerRecord & { readonly database: string } =>
  (record.record === 'restore' || (record.record === 'verification' && record.level === 'restore')) &&
  record.ok &&
  record.size !== undefined;

function takeVerified(into: Digest, record: LedgerRecord & { record: 'verification' }, line: LedgerLine): void {
  const { backupId, storage, level, ok, undone } = record;
  const key = JSON.stringify([backupId, storage, level, ok, undone]);
  delete into.verified[key]; // so that the newest are the last
  into.verified[key] = line;
  into.verifiedCount += 1;
  if (into.verifiedCount < 2 * mostVerified) return;
  into.verified = Object.fromEntries(Object.entries(into.verified).slice(-mostVerified));
  into.verifiedCount = mostVerified;
}

/** All of it, oldest first, each line once. */
export function linesOf({ newest, unended, verified, restored }: Digest): LedgerLine[] {
  const all = [...Object.values(newest), ...Object.values(unended), ...Object.values(verified), ...Object.values(restored).flat()];
  const once = new Map(all.map((line) => [`${line.position.segment} ${line.position.offset}`, line]));
  return [...once.values()].toSorted(({ position: a }, { position: b }) => a.segment - b.segment || a.offset - b.offset);
}
