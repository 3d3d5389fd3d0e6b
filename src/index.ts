/**
 * The public library surface: re-exports only.
 */
export type { BackupEvent, EventMetadata, EventResult, EventStatus, EventType } from './model/event.js';
export type { Artifact, Backup, BackupDetails, Fingerprint, Manifest, Proof } from './model/backup.js';
export type { Level } from './model/level.js';
export { Failure, type FailureClass, type FailureCode } from './model/errors.js';
