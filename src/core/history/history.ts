/**
 * core: what the ledger remembers that health asks for, read once from its beginning. Writes nothing.
 */
import { isTerminal, lostPlace, type BackupEvent } from '../../model/events/event.js';
import type { Held, LastRun } from '../../model/health/automation.js';
import type { LedgerRecord, SchedulerRecord } from '../../model/events/ledger.js';
import { takeKnown, type KnownSchedules } from '../../model/events/known.js';
import type { LedgerDamage } from '../../model/roles/ledger.js';
import { RestoreTimes, type RestoreTime } from '../../model/figures/restore-times.js';
import { isDead, type Sight } from './liveness.js';

export interface History {
  readonly beginning: Date | null;
  /** When the last line was written. */
  readonly ending: Date | null;
  readonly known: KnownSchedules;
  readonly lastRuns: readonly LastRun[];
  /** Ids of events that nobody ended, and whose process is gone. */
  readonly deadRuns: readonly string[];
  /** When a backup was last completed, ISO 8601, by `<schedule> <database>`. */
  readonly lastCompleted: ReadonlyMap<string, string>;
  /** By which backup, and when, a database was last found unchanged, by `<schedule> <database>`. */
  readonly lastEqual: ReadonlyMap<string, { readonly backupId: string; readonly at: string }>;
  /** Of the newest slot, what keeps it from being backed up, by `<schedule> <database>`: it waits, or was given up. */
  readonly held: ReadonlyMap<string, Held>;
  /** When a backup was last restored and found equal, ISO 8601, by database. */
  readonly restored: ReadonlyMap<string, string>;
  /** Why the newest proof by a restore was not caged; null: it was, or there is none. */
  readonly uncaged: string | null;
  readonly restoreTimes: readonly RestoreTime[];
  /** When a private key was last proven, ISO 8601, by its public id. */
  readonly drilled: ReadonlyMap<string, string>;
  /** What starts us every minute, as it was last set up or taken away; null: it never was. */
  readonly scheduler: SchedulerRecord | null;
  readonly damage: Readonly<LedgerDamage>;
}

/** What is kept while reading: the newest of each kind. */
interface Fold {
  uncaged: string | null;
  beginning: string | null;
  ending: string | null;
  readonly known: KnownSchedules;
  scheduler: SchedulerRecord | null;
  readonly unended: Map<string, BackupEvent>;
  readonly lastRuns: Map<string, BackupEvent>;
  readonly lastCompleted: Map<string, string>;
  readonly lastEqual: Map<string, { readonly backupId: string; readonly at: string }>;
  readonly held: Map<string, Held>;
  readonly restored: Map<string, string>;
  readonly restoreTimes: RestoreTimes;
  readonly drilled: Map<string, string>;
}

export async function readHistory(sight: Sight): Promise<History> {
  const damage: LedgerDamage = { corruptLines: 0, tornTail: false, gaps: 0 };
  const fold: Fold = {
    uncaged: null,
    beginning: null,
    ending: null,
    known: {},
    scheduler: null,
    unended: new Map(),
    lastRuns: new Map(),
    lastCompleted: new Map(),
    lastEqual: new Map(),
    held: new Map(),
    restored: new Map(),
    restoreTimes: new RestoreTimes(),
    drilled: new Map(),
  };
  for await (const { record } of sight.ledger.read(damage)) take(fold, record);
  const deadRuns: string[] = [];
  for (const event of fold.unended.values()) if (await isDead(sight, event)) deadRuns.push(event.id);
  return {
    beginning: fold.beginning === null ? null : new Date(fold.beginning),
    ending: fold.ending === null ? null : new Date(fold.ending),
    known: fold.known,
    lastRuns: [...fold.lastRuns.values()].map(lastRunOf),
    deadRuns,
    lastCompleted: fold.lastCompleted,
    lastEqual: fold.lastEqual,
    held: fold.held,
    restored: fold.restored,
    uncaged: fold.uncaged,
    restoreTimes: fold.restoreTimes.figures(),
    drilled: fold.drilled,
    scheduler: fold.scheduler,
    damage,
  };
}

function take(fold: Fold, record: LedgerRecord): void {
  fold.beginning ??= record.at;
  fold.ending = record.at;
  fold.restoreTimes.take(record);
  takeKnown(fold.known, record);
  if (record.record === 'verification' && record.ok && record.level === 'restore') {
    fold.restored.set(record.database, record.at);
    fold.uncaged = record.uncaged ?? null;
  }
  if (record.record === 'key-drill') for (const key of record.opened) fold.drilled.set(key, record.at);
  if (record.record === 'scheduler') fold.scheduler = record;
  if (record.record !== 'event') return;
  takeHeld(fold.held, record);
  if (!isTerminal(record.status)) {
    fold.unended.set(record.id, record);
    return;
  }
  fold.unended.delete(record.id);
  if (record.status === 'cancelled') return;
  fold.lastRuns.set(record.database, record);
  if (record.status !== 'completed' || record.scheduleId === undefined) return;
  const key = `${record.scheduleId} ${record.database}`;
  fold.lastCompleted.set(key, record.timestamp);
  if (record.equalTo !== undefined) fold.lastEqual.set(key, { backupId: record.equalTo, at: record.timestamp });
}

function takeHeld(held: Map<string, Held>, { scheduleId, database, status, slot, reasons = [] }: BackupEvent): void {
  const key = `${scheduleId} ${database}`;
  const elsewhere = reasons[0]?.startsWith('duplicate:') === true;
  if (slot !== undefined && reasons.length > 0 && !elsewhere && (status === 'pending' || status === 'cancelled'))
    held.set(key, { waits: status === 'pending', reasons });
  else if (status !== 'pending') held.delete(key);
}

function lastRunOf({ database, id, timestamp, status, result, warnings = [] }: BackupEvent): LastRun {
  return {
    database,
    eventId: id,
    at: new Date(timestamp),
    error: status === 'completed' ? null : (result?.error ?? 'no reason was recorded'),
    lostPlace: warnings.includes(lostPlace),
  };
}
