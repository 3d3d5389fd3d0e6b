/**
 * model: the Storage role, a place that keeps backups. A backup exists from the moment its manifest does, and not before.
 */
import type { Readable, Writable } from 'node:stream';
import type { BackupPlace } from '../backup/backup.js';

export interface StorageProbe {
  /** `known`: the marker is the remembered one; `new`: none yet and the storage is empty, first use writes it. */
  readonly marker: 'known' | 'new';
  readonly freeBytes: number | null;
  readonly detail: string;
}

/** What lies in a storage under one database's folder. */
export interface StoredBackup {
  readonly place: BackupPlace;
  /** The manifest's bytes as stored, not yet believed. Null: there is none that can be read, so no backup. */
  readonly manifest: Uint8Array | null;
  /** Sizes of the files beside the manifest, by name. */
  readonly sizes: Readonly<Record<string, number>>;
}

/** A backup that was put aside: in no listing any more, and still there. */
export interface DiscardedBackup extends StoredBackup {
  /** When it was put aside, ISO 8601; null where that cannot be read. */
  readonly discardedAt: string | null;
}

/** A backup being written. Invisible to `list` until `commit` resolves. */
export interface Deposit {
  /** Opens one artifact for writing. The stream's `finish` means the bytes were counted, not yet that they are durable. */
  write(artifact: string): Promise<Writable>;
  /** Makes an artifact durable; rejects unless exactly `size` bytes are there. */
  seal(artifact: string, size: number): Promise<void>;
  /** Reads back what was sealed. */
  read(artifact: string): Promise<Readable>;
  /** Manifest last, then the one atomic step; resolves when all of it is durable. */
  commit(manifest: Uint8Array): Promise<void>;
  /** Leaves nothing behind, of what was committed neither. Never throws. */
  abort(): Promise<void>;
}

export interface Storage {
  readonly name: string;
  readonly kind: string;
  /** Whether a backup fails that cannot be stored here. */
  readonly required: boolean;
  /** Reaches it, checks the marker (throws `storage-marker`) and that it can be written; leaves nothing. */
  probe(): Promise<StorageProbe>;
  /** Writes a new marker, or takes over the one that is there. */
  adopt(): Promise<void>;
  put(place: BackupPlace): Promise<Deposit>;
  get(place: BackupPlace, artifact: string): Promise<Readable>;
  /** Every committed folder, of each database the newest first; `database` narrows it. */
  list(database?: string): AsyncIterable<StoredBackup>;
  /** Throws, rather than resolve to null, when the storage cannot be asked. */
  stat(place: BackupPlace): Promise<StoredBackup | null>;
  /** Removes what an interrupted `put` of this backup left; nothing may be there. Throws when the storage cannot be asked. */
  sweep(place: BackupPlace): Promise<void>;
  /** Puts a small text beside the manifest, in the place of one of that name; durable when it resolves. `name` is of A-Z. */
  mark(place: BackupPlace, name: string, text: string): Promise<void>;
  /** Takes it away. Never throws when there is none. */
  unmark(place: BackupPlace, name: string): Promise<void>;
  /** Puts a backup aside in one step: out of `list` at once, nothing of it removed. `at`: ISO 8601. */
  discard(place: BackupPlace, at: string): Promise<void>;
  /** Puts it back. Throws when one of that name is there. */
  recover(place: BackupPlace): Promise<void>;
  /** What was put aside, in no order. */
  discarded(database?: string): AsyncIterable<DiscardedBackup>;
  /** Removes what was put aside, the manifest first, for good. Interrupted, it can be repeated. */
  remove(place: BackupPlace): Promise<void>;
}
