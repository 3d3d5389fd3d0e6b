/**
 * model: the Event, one backup operation and its outcome, exactly the specification's `BackupAutomationEvent` and more.
 *
 * Times are ISO 8601 UTC strings, durations ms, sizes bytes, `databaseLoad` %, `diskSpace` GB of 10^9 bytes.
 */
import type { Actor } from '../access/actor.js';
import type { Impact } from '../moment/observation.js';
import type { Level } from '../backup/level.js';
import type { FailureClass, FailureCode } from '../errors.js';

export const eventTypes = ['scheduled', 'manual', 'retry', 'emergency'] as const;
export type EventType = (typeof eventTypes)[number];

export const eventStatuses = ['pending', 'running', 'completed', 'failed', 'cancelled'] as const;
export type EventStatus = (typeof eventStatuses)[number];

/** What a backup may pass by; nothing passes by `enabled` and the concurrency limit. */
export type PassedCondition = 'window' | 'load' | 'disk' | 'health';

export interface EventResult {
  readonly success: boolean;
  readonly backupId?: string;
  /** What a person reads: the reason of a failure or cancellation. */
  readonly error?: string;
  readonly code?: FailureCode;
  readonly class?: FailureClass;
  readonly hint?: string;
  readonly duration: number;
  readonly size: number;
}

/** What was measured when the event was decided; null where it could not be measured. */
export interface EventMetadata {
  readonly databaseLoad: number | null;
  readonly diskSpace: number | null;
  readonly concurrentBackups: number | null;
}

/** A warning: the session broke that held the backup's place on the server. */
export const lostPlace =
  "concurrency: the session that held this backup's place on the server was lost; another host may have backed up beside it";

export interface BackupEvent extends Partial<Actor> {
  readonly id: string;
  readonly type: EventType;
  readonly scheduleId?: string;
  /** Who or what started it: `cli`, `cron`, `api`, `retry`, ... */
  readonly trigger: string;
  /** What a trigger of its schedule found, a sentence. */
  readonly cause?: string;
  readonly timestamp: string;
  readonly status: EventStatus;
  readonly result?: EventResult;
  readonly metadata: EventMetadata;
  /** The configured name, for a member of a cluster `<name>--<slug>-<8 hex>`. */
  readonly database: string;
  /** The k-th try of one original event, from 1. */
  readonly attempt: number;
  /** The original event's id, on a retry. */
  readonly retryOf?: string;
  readonly notBefore?: string;
  /** Of a failed one: when its retry is due. */
  readonly retryAt?: string;
  readonly slot?: string;
  /** The conditions that it passes by, asked for by --force or --emergency; a retry does as the original. */
  readonly passBy?: readonly PassedCondition[];
  /** Of a request with an `Idempotency-Key`: what tells that it is the same one again. */
  readonly requestKey?: string;
  /** Why it waits or was cancelled, one sentence each. */
  readonly reasons?: readonly string[];
  readonly warnings?: readonly string[];
  /** While it runs: the lock that it waits for, and who holds it. */
  readonly waits?: string;
  /** The backup that was made before and holds the database as it is: none was made anew. */
  readonly equalTo?: string;
  /** What it cost the database; only where that could be watched. */
  readonly impact?: Impact;
  /** Storages that should hold its backup and did not when it was completed: they get their copies later. */
  readonly missing?: readonly string[];
  /** How far its backup was proven before it was committed. */
  readonly proven?: Level;
  /** Set by the reconciler: the process died after the commit, the backup was found whole. */
  readonly recovered?: boolean;
  readonly host: string;
  readonly pid: number;
}

export const isTerminal = (status: EventStatus): boolean => status === 'completed' || status === 'failed' || status === 'cancelled';

/** An emergency backup or a retry of one: it passes by what --emergency does, and not by the disk's room as --force. */
export const isEmergency = ({ type, passBy }: Pick<BackupEvent, 'type' | 'passBy'>): boolean =>
  type === 'emergency' || (type === 'retry' && passBy !== undefined && passBy.length > 0 && !passBy.includes('disk'));

/** The states that may follow a state; nothing follows a terminal one but a recovery, which the ledger allows by `recovered`. */
const successors: Record<EventStatus, readonly EventStatus[]> = {
  pending: ['pending', 'running', 'failed', 'cancelled'],
  running: ['running', 'completed', 'failed', 'cancelled'],
  completed: [],
  failed: [],
  cancelled: [],
};

/** Whether an event may go from `from` (undefined: it does not exist yet) to `to`. */
export function mayFollow(from: BackupEvent | undefined, to: BackupEvent): boolean {
  if (from === undefined) return to.status === 'pending';
  if (from.status === 'failed' && to.status === 'completed') return to.recovered === true;
  return successors[from.status].includes(to.status);
}
