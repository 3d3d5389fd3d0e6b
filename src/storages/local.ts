/**
 * storages: a folder on a file system that this machine mounts; writes by the commit protocol and never follows a link.
 *
 * A backup is written into `<database>/<id>.partial`, each file made durable, the manifest last, and then renamed to
 * `<database>/<id>`: the one atomic step that makes it exist. After a failed fsync nothing of the attempt is used.
 */
import { randomUUID } from 'node:crypto';
import { constants } from 'node:fs';
import { access, lstat, mkdir, open, readdir, rename, rm, rmdir, type FileHandle } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import type { Readable } from 'node:stream';
import { z } from 'zod';
import { backupIdPattern, databaseNamePattern, type BackupPlace } from '../model/backup.js';
import { Failure, type FailureCode } from '../model/errors.js';
import { manifestName } from '../model/names.js';
import type { Deposit, Storage, StoredBackup } from '../model/storage.js';
import { freeBytes } from '../system/disk.js';
import { createAtomic } from '../system/files.js';
import type { StorageMemory } from '../system/storage-memory.js';
import { writerTo } from '../system/whole-file.js';

const options = z.strictObject({
  kind: z.literal('local').describe('A folder on a mounted file system.'),
  path: z.string().min(1).describe('The folder; relative paths are relative to the configuration file.'),
});

const markerName = '.backup-automation-storage';

/** A manifest is a few kB; anything beyond this is not one. */
const manifestLimit = 16 * 1024 * 1024;
const piece = 1024 * 1024;
const { O_CREAT, O_DIRECTORY, O_EXCL, O_NOFOLLOW, O_NONBLOCK, O_RDONLY, O_WRONLY } = constants;

const codes: Record<string, FailureCode> = {
  ENOSPC: 'no-space',
  EDQUOT: 'no-space',
  EACCES: 'storage-denied',
  EPERM: 'storage-denied',
  EROFS: 'storage-denied',
};

const errnoOf = (error: unknown): string => (error as NodeJS.ErrnoException).code ?? '';
const isMissing = (error: unknown): boolean => errnoOf(error) === 'ENOENT' || errnoOf(error) === 'ENOTDIR';

async function syncFolder(path: string): Promise<void> {
  const folder = await open(path, O_RDONLY | O_DIRECTORY);
  try {
    await folder.sync();
  } finally {
    await folder.close();
  }
}

async function makeFile(path: string): Promise<FileHandle> {
  return open(path, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW, 0o600);
}

/** Opens a regular file for reading; links, pipes and devices are refused. */
async function openFile(path: string): Promise<FileHandle> {
  const handle = await open(path, O_RDONLY | O_NOFOLLOW | O_NONBLOCK);
  if ((await handle.stat()).isFile()) return handle;
  await handle.close();
  throw new Error(`${path} is not a regular file`);
}

async function readSmall(path: string): Promise<Uint8Array | null> {
  try {
    const handle = await openFile(path);
    try {
      return (await handle.stat()).size > manifestLimit ? null : await handle.readFile();
    } finally {
      await handle.close();
    }
  } catch {
    return null;
  }
}

class LocalDeposit implements Deposit {
  readonly #storage: LocalStorage;
  readonly #folder: string;
  readonly #final: string;
  readonly #madeParent: boolean;
  readonly #open = new Map<string, FileHandle>();

  constructor(storage: LocalStorage, final: string, madeParent: boolean) {
    this.#storage = storage;
    this.#madeParent = madeParent;
    this.#final = final;
    this.#folder = `${final}.partial`;
  }

  async write(artifact: string) {
    return this.#storage.attempt(async () => {
      const handle = await makeFile(join(this.#folder, artifact));
      this.#open.set(artifact, handle);
      return writerTo(handle, (error) => this.#storage.explain(error));
    });
  }

  async seal(artifact: string, size: number) {
    return this.#storage.attempt(async () => {
      const handle = this.#open.get(artifact);
      if (!handle) throw new Error(`${artifact} was not written`);
      const found = (await handle.stat()).size;
      if (found !== size) throw new Error(`${artifact} has ${found} bytes on disk instead of ${size}`);
      await handle.sync();
      this.#open.delete(artifact);
      await handle.close();
    });
  }

  async read(artifact: string) {
    return this.#storage.read(join(this.#folder, artifact));
  }

  async commit(manifest: Uint8Array) {
    await this.#storage.attempt(async () => {
      const handle = await makeFile(join(this.#folder, manifestName));
      this.#open.set(manifestName, handle);
      await handle.writeFile(manifest);
    });
    await this.seal(manifestName, manifest.byteLength);
    await this.#storage.attempt(async () => {
      await syncFolder(this.#folder);
      await rename(this.#folder, this.#final);
      await syncFolder(dirname(this.#final));
    });
  }

  async abort() {
    for (const handle of this.#open.values()) await handle.close().catch(() => {});
    this.#open.clear();
    // the rename may have happened although its folder could not be synced: the manifest goes first, so that it is not a backup
    await rm(join(this.#final, manifestName), { force: true }).catch(() => {});
    await rm(this.#final, { recursive: true, force: true }).catch(() => {});
    await rm(this.#folder, { recursive: true, force: true }).catch(() => {});
    // the database's folder, when this deposit made it and nothing else came since
    if (this.#madeParent) await rmdir(dirname(this.#final)).catch(() => {});
  }
}

class LocalStorage implements Storage {
  readonly kind = 'local';
  readonly name: string;
  readonly #root: string;
  readonly #memory: StorageMemory;

  constructor(name: string, root: string, memory: StorageMemory) {
    this.name = name;
    this.#root = root;
    this.#memory = memory;
  }

  /** Runs a deed and turns what the system says into a Failure that names this storage. */
  async attempt<T>(deed: () => Promise<T>): Promise<T> {
    try {
      return await deed();
    } catch (error) {
      throw this.explain(error);
    }
  }

  explain(error: unknown): Failure {
    if (error instanceof Failure) return error;
    const errno = errnoOf(error);
    const text = error instanceof Error ? error.message : String(error);
    return new Failure(codes[errno] ?? 'storage', `storage "${this.name}" (${this.#root}): ${text}`, { cause: error });
  }

  async probe() {
    return this.attempt(async () => {
      const marker = await this.#marker();
      if (marker === 'known') await access(this.#root, constants.R_OK | constants.W_OK | constants.X_OK);
      return { marker, freeBytes: await freeBytes(this.#root), detail: this.#root } as const;
    });
  }

  async #foundMarker(): Promise<string | null> {
    const bytes = await readSmall(join(this.#root, markerName));
    return bytes && (new TextDecoder().decode(bytes).trim() || null);
  }

  /** `new` when this state directory never used the storage; throws when the remembered marker is not the one found. */
  async #marker(): Promise<'known' | 'new'> {
    const remembered = await this.#memory.recall(this.name);
    if (remembered === null) return 'new';
    const found = await this.#foundMarker();
    if (found === remembered) return 'known';
    const what = found === null ? 'has no marker: it is not mounted, or was emptied' : 'carries the marker of another storage';
    throw new Failure('storage-marker', `storage "${this.name}" (${this.#root}) ${what}`, {
      hint: `mount it; or, if this is right, type: backup-automation test --adopt ${this.name}`,
    });
  }

  async adopt() {
    await this.attempt(async () => {
      await mkdir(this.#root, { recursive: true, mode: 0o700 });
      if ((await this.#foundMarker()) === null) createAtomic(join(this.#root, markerName), `${randomUUID()}\n`);
      const id = await this.#foundMarker();
      if (id === null) throw new Error(`${markerName} is not a regular file, or is empty`);
      await this.#memory.remember(this.name, id);
    });
  }

  async put(place: BackupPlace) {
    return this.attempt(async () => {
      if ((await this.#marker()) === 'new') await this.adopt();
      const folder = join(this.#root, place.database);
      const made = await mkdir(folder, { mode: 0o700 }).then(
        () => true,
        (error: unknown) => {
          if (errnoOf(error) !== 'EEXIST') throw error;
          return false;
        },
      );
      if (made) await syncFolder(this.#root);
      if (!(await lstat(folder)).isDirectory()) throw new Error(`${folder} is not a folder`);
      await mkdir(this.#partial(place), { mode: 0o700 });
      return new LocalDeposit(this, this.#path(place), made);
    });
  }

  #path(place: BackupPlace): string {
    if (!databaseNamePattern.test(place.database) || !backupIdPattern.test(place.backupId))
      throw new Failure('not-found', `"${place.database}/${place.backupId}" is not the name of a backup`);
    return join(this.#root, place.database, place.backupId);
  }

  #partial = (place: BackupPlace): string => `${this.#path(place)}.partial`;

  async read(path: string): Promise<Readable> {
    return this.attempt(async () => (await openFile(path)).createReadStream({ highWaterMark: piece }));
  }

  async get(place: BackupPlace, artifact: string) {
    return this.read(join(this.#path(place), artifact));
  }

  async *list(database?: string): AsyncIterable<StoredBackup> {
    await this.attempt(() => this.#marker());
    for (const folder of await this.#entries(this.#root)) {
      if (!databaseNamePattern.test(folder) || folder !== (database ?? folder)) continue;
      for (const backupId of await this.#entries(join(this.#root, folder))) {
        if (!backupIdPattern.test(backupId)) continue;
        const stored = await this.#look({ database: folder, backupId });
        if (stored) yield stored;
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
    await this.attempt(() => this.#marker());
    return this.#look(place);
  }

  async #look(place: BackupPlace): Promise<StoredBackup | null> {
    return this.attempt(async () => {
      const folder = this.#path(place);
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
      await this.#marker();
      await rm(this.#partial(place), { recursive: true, force: true });
    });
  }
}

export const local = {
  kind: 'local',
  options,
  create: (name: string, given: z.infer<typeof options>, memory: StorageMemory): Storage => new LocalStorage(name, given.path, memory),
} as const;
