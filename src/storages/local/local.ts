/**
 * storages: a folder on a file system that this machine mounts; writes by the commit protocol and never follows a link.
 *
 * A backup is written into `<database>/<id>.partial`, each file made durable, the manifest last, and then renamed to
 * `<database>/<id>`: the one atomic step that makes it exist. After a failed fsync nothing of the attempt is used. A backup that is put
 * aside is renamed to `<database>/<id>.trash`, the one step back.
 */
import { constants } from 'node:fs';
import { access, lstat, mkdir, readdir, rm } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import * as z from 'zod';
import { backupIdPattern, databaseNamePattern, refuseBadName, type BackupPlace } from '../../model/backup/backup.js';
import { Failure, type FailureCode } from '../../model/errors.js';
import { manifestName } from '../../model/settings/names.js';
import type { DiscardedBackup, Storage, StoredBackup } from '../../model/roles/storage.js';
import { freeBytes } from '../../system/files/disk.js';
import type { StorageMemory } from '../../system/files/storage-memory.js';
import { LocalDeposit } from './deposit.js';
import { Marker } from './marker.js';
import {
  discardedAt,
  discardFolder,
  errnoOf,
  isMissing,
  nearestFolder,
  readFrom,
  readSmall,
  recoverFolder,
  removeMark,
  removeTrash,
  syncFolder,
  trashOf,
  writeMark,
} from './files.js';

const options = z.strictObject({
  kind: z.literal('local').describe('A folder on a mounted file system.'),
  path: z.string().min(1).describe('The folder; relative paths are relative to the configuration file.'),
  required: z.boolean().default(false).describe('Whether a backup fails that cannot be stored here.'),
});

const codes: Record<string, FailureCode> = {
  ENOSPC: 'no-space',
  EDQUOT: 'no-space',
  EACCES: 'storage-denied',
  EPERM: 'storage-denied',
  EROFS: 'storage-denied',
};

/** What a path has before its last name: the storage's own folder says enough. */
const folders = /(?<=')\/[^']*\/(?=[^'/]+')/g;

class LocalStorage implements Storage {
  readonly kind = 'local';
  readonly name: string;
  readonly required: boolean;
  readonly #root: string;
  readonly #marker: Marker;
  #warn: ((message: string) => void) | null;

  constructor(name: string, { path, required = false }: z.input<typeof options>, memory: StorageMemory, warn: (message: string) => void) {
    this.name = name;
    this.required = required;
    this.#root = path;
    this.#marker = new Marker({ storage: name, root: path }, memory);
    this.#warn = warn;
  }

  /** Runs a deed and turns what the system says into a Failure that names this storage. */
  async attempt<T>(deed: () => Promise<T>): Promise<T> {
    try {
      return await deed();
    } catch (error) {
      throw this.explain(error);
    }
  }

  explain = (error: unknown, known: Readonly<Record<string, FailureCode>> = codes): Failure => {
    if (error instanceof Failure) return error;
    const text = (error instanceof Error ? error.message : String(error)).replaceAll(folders, '');
    return new Failure(known[errnoOf(error)] ?? 'storage', `storage "${this.name}" (${this.#root}): ${text}`, { cause: error });
  };

  /** Said once: it is so with every backup here. */
  weak = (): void => {
    this.#warn?.(
      `storage "${this.name}" (${this.#root}): its file system cannot make names durable: a power cut may take its newest backups`,
    );
    this.#warn = null;
  };

  #explainRead = (error: unknown): Failure => this.explain(error, { EIO: 'unreadable' });

  async probe() {
    return this.attempt(async () => {
      const marker = await this.#marker.find();
      await access(await nearestFolder(this.#root), constants.R_OK | constants.W_OK | constants.X_OK);
      return { marker, freeBytes: await freeBytes(this.#root), detail: this.#root } as const;
    });
  }

  async adopt() {
    await this.attempt(() => this.#marker.adopt());
  }

  async put(place: BackupPlace) {
    return this.attempt(async () => {
      if ((await this.#marker.find()) === 'new') await this.#marker.adopt();
      const folder = join(this.#root, place.database);
      const made = await mkdir(folder, { mode: 0o700 }).then(
        () => true,
        (error: unknown) => {
          if (errnoOf(error) !== 'EEXIST') throw error;
          return false;
        },
      );
      if (made) await syncFolder(this.#root);
      if (!(await lstat(folder)).isDirectory()) throw new Error(`${place.database} is not a folder`);
      await mkdir(this.#partial(place), { mode: 0o700 });
      return new LocalDeposit(this.#path(place), made, this);
    });
  }

  #path(place: BackupPlace): string {
    refuseBadName(place);
    return join(this.#root, place.database, place.backupId);
  }

  #partial = (place: BackupPlace): string => `${this.#path(place)}.partial`;

  async get(place: BackupPlace, artifact: string) {
    return this.attempt(() => readFrom(join(this.#path(place), artifact), this.#explainRead));
  }

  async *list(database?: string): AsyncIterable<StoredBackup> {
    for await (const place of this.#places(database, '')) {
      const stored = await this.#look(place, this.#path(place));
      if (stored) yield stored;
    }
  }

  async *discarded(database?: string): AsyncIterable<DiscardedBackup> {
    for await (const place of this.#places(database, trashOf(''))) {
      const folder = this.#path(place);
      const stored = await this.#look(place, trashOf(folder));
      if (stored) yield { ...stored, discardedAt: await discardedAt(folder) };
    }
  }

  /** The backups whose folders have this ending after their ids; of each database the newest first, for ids sort by time. */
  async *#places(database: string | undefined, ending: string): AsyncIterable<BackupPlace> {
    await this.attempt(() => this.#marker.find());
    for (const folder of await this.#entries(this.#root)) {
      if (!databaseNamePattern.test(folder) || folder !== (database ?? folder)) continue;
      for (const entry of (await this.#entries(join(this.#root, folder))).toSorted().toReversed()) {
        const backupId = entry.slice(0, entry.length - ending.length);
        if (entry.endsWith(ending) && backupIdPattern.test(backupId)) yield { database: folder, backupId };
      }
    }
  }

  /** Names of the real folders in a folder; links are not followed. */
  async #entries(path: string): Promise<string[]> {
    return this.attempt(async () => {
      try {
        return (await readdir(path, { withFileTypes: true })).filter((entry) => entry.isDirectory()).map((entry) => entry.name);
      } catch (error) {
        if (isMissing(error)) return [];
        throw error;
      }
    });
  }

  async stat(place: BackupPlace): Promise<StoredBackup | null> {
    await this.attempt(() => this.#marker.find());
    return this.#look(place, this.#path(place));
  }

  async #look(place: BackupPlace, folder: string): Promise<StoredBackup | null> {
    return this.attempt(async () => {
      const names = await readdir(folder).catch((error: unknown) => {
        if (isMissing(error)) return null;
        throw error;
      });
      if (names === null) return null;
      const sizes: Record<string, number> = Object.create(null) as Record<string, number>;
      for (const name of names) {
        const found = await lstat(join(folder, name)).catch(() => null);
        if (found?.isFile() && name !== manifestName) sizes[name] = found.size;
      }
      return { place, manifest: await readSmall(join(folder, manifestName)), sizes };
    });
  }

  async sweep(place: BackupPlace) {
    await this.attempt(async () => {
      await this.#marker.find();
      await rm(this.#partial(place), { recursive: true, force: true });
    });
  }

  async mark(place: BackupPlace, name: string, text: string) {
    await this.#change(place, (folder) => writeMark(folder, name, text));
  }

  async unmark(place: BackupPlace, name: string) {
    await this.#change(place, (folder) => removeMark(folder, name));
  }

  async discard(place: BackupPlace, at: string) {
    await this.#change(place, (folder) => discardFolder(folder, at));
  }

  async recover(place: BackupPlace) {
    await this.#change(place, recoverFolder);
  }

  async remove(place: BackupPlace) {
    await this.#change(place, removeTrash);
  }

  /** Changes what is there already: only in a storage that this state directory knows. */
  async #change(place: BackupPlace, deed: (folder: string) => Promise<void>): Promise<void> {
    await this.attempt(async () => {
      if ((await this.#marker.find()) === 'known') return deed(this.#path(place));
      throw new Failure('storage-marker', `storage "${this.name}" (${this.#root}) was not used from this state directory yet`, {
        hint: `if this is right, type: backup-automation test --adopt ${this.name}`,
      });
    });
  }
}

export const local = {
  kind: 'local',
  options,
  place: ({ path }: z.output<typeof options>) => ({ key: 'path', value: resolve('/', path), word: 'folder' }),
  create: (name: string, given: z.input<typeof options>, memory: StorageMemory, warn: (message: string) => void = () => {}): Storage =>
    new LocalStorage(name, given, memory, warn),
} as const;
