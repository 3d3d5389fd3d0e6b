/**
 * The public library surface: re-exports only.
 */
export { catalog, findBackup, type Catalog } from './core/catalog/catalog.js';
export type { Context } from './core/context.js';
export { execute } from './core/execute.js';
export type { Executed, ExecuteRequest } from './core/event/request.js';
export { health, type HealthDocument } from './core/health.js';
export { reconcile } from './core/history/reconcile.js';
export { restore, type Restored, type RestoreRequest } from './core/restore.js';
export { verifyBackup, type VerifyResult } from './core/verify.js';
export type { Artifact, Backup, BackupDetails, Fingerprint, Manifest, Proof } from './model/backup/backup.js';
export { Failure, type FailureClass, type FailureCode } from './model/errors.js';
export type { BackupEvent, EventMetadata, EventResult, EventStatus, EventType } from './model/events/event.js';
export type { Level } from './model/backup/level.js';
export type { Announce, Progress } from './model/roles/progress.js';
export { makeContext, type Wired, type WireOptions } from './wire.js';
