/**
 * model: who did what, from where: what the ledger's records say of the people and programs that caused them. Pure.
 */
import type { Actor } from '../access/actor.js';
import type { LedgerRecord } from './ledger.js';
import { countOf } from '../units.js';

export interface AuditLine extends Actor {
  /** ISO 8601. */
  readonly at: string;
  /** As it would be typed: `execute`, `config update`. */
  readonly action: string;
  readonly target: string;
  readonly ok: boolean;
}

interface Deed {
  readonly action: string;
  readonly target: string;
  readonly ok?: boolean;
}

/** What was done, of the records that tell of a deed; null for others. */
function deedOf(record: LedgerRecord): Deed | null {
  switch (record.record) {
    case 'audit':
      return record;
    case 'event':
      return record.step === 0 && record.attempt === 1
        ? { action: 'execute', target: `${record.scheduleId ?? record.type} ${record.database} ${record.id}` }
        : null;
    case 'clear':
      return { action: 'events clear', target: countOf(record.cleared, 'event') };
    case 'pin':
      return { action: record.pinned ? 'pin' : 'unpin', target: `${record.backupId}: ${record.reason}` };
    case 'configuration':
      return { action: 'config update', target: record.key };
    case 'scheduler':
      return { action: record.installed ? 'schedule install' : 'schedule remove', target: record.kind };
    case 'prune':
      return record.phase === 'intent'
        ? null
        : { action: `prune, ${record.phase}`, target: `${record.storage}: ${record.backupIds.join(', ')}` };
    case 'restore':
      return { action: 'restore', target: `${record.backupId} into ${record.target}`, ok: record.ok };
    case 'verification':
      return { action: 'verify', target: `${record.backupId} ${record.level} in ${record.storage}`, ok: record.ok };
    case 'key-drill':
      return { action: 'verify --keys', target: record.encryption, ok: record.ok };
    case 'copy':
      return { action: 'copy', target: `${record.backupId} to ${record.to}`, ok: record.ok };
    case 'alert':
    case 'alerting':
    case 'delivery':
    case 'missed':
    case 'schedule':
    case 'segment':
    case 'unknown':
      return null;
  }
}

/** Null: nobody in particular caused it, or it tells of no deed. */
export function auditLine(record: LedgerRecord): AuditLine | null {
  if (!('by' in record) || record.by === undefined) return null;
  const deed = deedOf(record);
  return (
    deed && { at: record.at, by: record.by, address: record.address ?? '', action: deed.action, target: deed.target, ok: deed.ok ?? true }
  );
}
