/**
 * core: what `execute` is asked, and what it answers. It does neither.
 */
import type { Failure } from '../../model/errors.js';
import type { BackupEvent, EventType, PassedCondition } from '../../model/events/event.js';

export interface ExecuteRequest {
  readonly scheduleId?: string;
  /** One entry of `databases`, or one member of a cluster. */
  readonly database?: string;
  readonly type: EventType;
  readonly trigger: string;
  readonly passBy: readonly PassedCondition[];
  /** Processes that dump at once, whatever the schedule says. */
  readonly jobs?: number;
  /** How long to wait for conditions and to do retries in this process, ms; null: not at all. */
  readonly wait: number | null;
}

export interface Executed {
  readonly events: readonly BackupEvent[];
  /** Those of which there is something new to tell. */
  readonly news: readonly BackupEvent[];
  /** What went wrong, with the exit code; null when everything went well. */
  readonly failure: Failure | null;
}
