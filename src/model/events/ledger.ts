/**
 * model: the LedgerRecord, one line of the ledger: an event's state at one moment, or a fact. What is written is never changed.
 */
import type { Actor } from '../access/actor.js';
import type { Alert, AlertKind } from '../alert/alert.js';
import type { Level } from '../backup/level.js';
import type { FailureCode } from '../errors.js';
import type { BackupEvent, EventStatus } from './event.js';

/** Who did it; lines of older versions lack the address. */
type Done = Pick<Actor, 'by'> & Partial<Actor>;

/** An event's whole state at one moment. */
export type EventRecord = BackupEvent & {
  readonly record: 'event';
  /** The ordinal of this state in its event; 0 creates it. */
  readonly step: number;
  /** The state it followed; none at step 0. */
  readonly from?: EventStatus;
};

/** A backup was looked at: what `verify` found. */
export interface VerificationRecord extends Partial<Actor> {
  readonly record: 'verification';
  readonly backupId: string;
  readonly database: string;
  /** Whose copy was looked at; several, `a, b`, where it holds for each. */
  readonly storage: string;
  readonly level: Level;
  /** Stored bytes of the backup in one storage. */
  readonly size?: number;
  readonly ok: boolean;
  /** It could not be done: not `ok`, and nothing is said about the backup. */
  readonly undone?: true;
  /** What failed. */
  readonly code?: FailureCode;
  readonly detail: string;
  /** Why the restore was not caged, where it was not. */
  readonly uncaged?: string;
  readonly duration: number;
}

export interface RestoreRecord extends Partial<Actor> {
  readonly record: 'restore';
  readonly backupId: string;
  readonly database: string;
  /** Host, port and database; never a secret. */
  readonly target: string;
  readonly ok: boolean;
  readonly compared: boolean;
  readonly duration: number;
  /** Stored bytes of the backup, where all of it was restored. */
  readonly size?: number;
}

/** Backups are put aside (`intent` before, `done` after), brought back (`undone`) or removed for good (`emptied`). */
export interface PruneRecord extends Partial<Actor> {
  readonly record: 'prune';
  readonly phase: 'intent' | 'done' | 'undone' | 'emptied';
  readonly storage: string;
  readonly database: string;
  readonly scheduleId: string | null;
  /** At most 50. */
  readonly backupIds: readonly string[];
  /** By which rules; only with `intent`. */
  readonly policy?: Readonly<Record<string, unknown>>;
}

/** A storage that lacked a backup was given a copy from another, or not. */
export interface CopyRecord extends Partial<Actor> {
  readonly record: 'copy';
  readonly backupId: string;
  readonly database: string;
  /** Null: there was nothing to be copied any more, or no storage to copy from could be read. */
  readonly from: string | null;
  readonly to: string;
  readonly ok: boolean;
  readonly detail: string;
  readonly size: number;
  readonly duration: number;
}

/** A backup was pinned, so that no rule removes it, or is no longer. The storage holds the pin itself. */
export interface PinRecord extends Done {
  readonly record: 'pin';
  readonly pinned: boolean;
  readonly backupId: string;
  readonly database: string;
  readonly storages: readonly string[];
  readonly reason: string;
}

/** A private key was tried on what is sealed to its public one: what `verify --keys` found. */
export interface KeyDrillRecord extends Partial<Actor> {
  readonly record: 'key-drill';
  /** Where the configuration asks for it: `encryption`, `schedules.daily.encryption`. */
  readonly encryption: string;
  /** Public ids of the keys it seals to; none: a passphrase. */
  readonly keys: readonly string[];
  /** Those whose private keys were proven. */
  readonly opened: readonly string[];
  readonly ok: boolean;
  readonly detail: string;
  readonly duration: number;
}

/** An alert that no other record tells of: health that changed, slots that were missed, a digest, a test message. */
export interface AlertRecord {
  readonly record: 'alert';
  readonly alert: Alert;
  /** To these channels only, whatever their routing; left out: to all that it is routed to. */
  readonly channels?: readonly string[];
  /** Of a digest: the ordinals of the alerts that it stands for, `3-17,19`. */
  readonly covers?: string;
}

/** From here on these channels are told of what happens; written when they, or what they are told, change. */
export interface AlertingRecord {
  readonly record: 'alerting';
  readonly channels: readonly string[];
  readonly onFailure: boolean;
  readonly onSuccess: boolean;
}

/** What became of telling an alert to a channel. The alert is owed until one of these is `ok` or `dead`. */
export interface DeliveryRecord {
  readonly record: 'delivery';
  readonly alertId: string;
  readonly channel: string;
  /** Why it was told: a digest, a reminder or a fall-back tells of others. */
  readonly kind: AlertKind;
  /** The k-th try, from 1. */
  readonly attempt: number;
  readonly ok: boolean;
  /** Given up: refused for good, or not delivered for too long. */
  readonly dead: boolean;
  /** The other side's receipt, or why it was not taken; nothing secret. */
  readonly detail: string;
  readonly notBefore: string | null;
}

/** Slots that no run was started for, when they are too many to be events of their own. */
export interface MissedRecord {
  readonly record: 'missed';
  readonly scheduleId: string;
  readonly database: string;
  readonly count: number;
  /** The first and the last one, ISO 8601. */
  readonly from: string;
  readonly until: string;
  /** Their keys. */
  readonly firstSlot: string;
  readonly lastSlot: string;
}

/** The slots of a schedule up to a moment are accounted for: each has its events, was recorded as missed, or came before it was known. */
export interface ScheduleRecord {
  readonly record: 'schedule';
  readonly scheduleId: string;
  /** What its slots follow from, see `moment/slots`. */
  readonly timing: string;
  /** ISO 8601. */
  readonly until: string;
}

/** What starts `execute --due` every minute was set up, or taken away. */
export interface SchedulerRecord extends Done {
  readonly record: 'scheduler';
  readonly installed: boolean;
  readonly kind: string;
  readonly id: string;
  /** SHA-256 of what stands in the scheduler, hex: so that an edit is noticed. */
  readonly sha256: string | null;
}

/** Listings and statistics do not look behind it. */
export interface ClearRecord extends Done {
  readonly record: 'clear';
  readonly cleared: number;
}

/** The configuration was changed by this tool. */
export interface ConfigurationRecord extends Done {
  readonly record: 'configuration';
  readonly key: string;
}

/** Something was done that no other record tells of. */
export interface AuditRecord extends Actor {
  readonly record: 'audit';
  /** As it would be typed: `token create`. */
  readonly action: string;
  readonly target: string;
  readonly ok: boolean;
}

/** First line of a segment after the first. */
export interface SegmentRecord {
  readonly record: 'segment';
  readonly previous: string;
  readonly previousSize: number;
}

/** A line of a newer version of this tool: shown, never transitioned. */
export interface UnknownRecord {
  readonly record: 'unknown';
  readonly content: Readonly<Record<string, unknown>>;
}

export type Fact =
  | VerificationRecord
  | RestoreRecord
  | KeyDrillRecord
  | PruneRecord
  | PinRecord
  | CopyRecord
  | AlertRecord
  | AlertingRecord
  | DeliveryRecord
  | MissedRecord
  | SchedulerRecord
  | ScheduleRecord
  | ClearRecord
  | ConfigurationRecord
  | AuditRecord
  | SegmentRecord;

/** What a line holds beside its content. */
export interface LineFrame {
  readonly v: number;
  /** When the line was written. */
  readonly at: string;
  /** Appended without the lock, because its holder stood still for 10 s. */
  readonly nolock?: true;
  /** SHA-256 of the line before, hex; 64 zeros on the very first. */
  readonly prev: string;
  /** CRC-32 of the line, hex; of one that was read. */
  readonly crc?: string;
}

export type LedgerRecord = (EventRecord | Fact | UnknownRecord) & LineFrame;
