/**
 * core: what a backup is made from, and what comes of it. It makes none.
 */
import type { Failure } from '../../model/errors.js';
import type { Level } from '../../model/backup/level.js';
import type { Mark } from '../../model/backup/mark.js';
import type { BackupEvent } from '../../model/events/event.js';
import type { Database } from '../../model/roles/engine/dump.js';
import type { Plan } from '../event/plan.js';

export interface BackupRequest {
  readonly event: BackupEvent;
  readonly database: Database;
  readonly plan: Pick<Plan, 'schedule' | 'storages' | 'jobs'>;
  readonly healthIssues: readonly string[];
  readonly neededBytes: number | null;
  /** Looked at before; null: it could not be told. */
  readonly mark: Mark | null;
}

export interface Missing {
  readonly storage: string;
  readonly failure: Failure;
}

export interface Made {
  readonly backupId: string;
  /** Stored bytes in one storage. */
  readonly size: number;
  readonly warnings: readonly string[];
  readonly proven: Level | null;
  /** The storages beside the good ones that have no copy, and why. */
  readonly missing: readonly Missing[];
}
