/**
 * storages: the marker in the root of a local storage, by which one that is not mounted, or another in its place, is known. It reads no
 * backup.
 */
import { randomUUID } from 'node:crypto';
import { lstat, mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { Failure } from '../../model/errors.js';
import { createAtomic, writeAtomic } from '../../system/files/files.js';
import type { StorageMemory } from '../../system/files/storage-memory.js';
import { readSmall } from './files.js';

const markerName = '.backup-automation-storage';

export class Marker {
  readonly #storage: string;
  readonly #root: string;
  readonly #memory: StorageMemory;

  constructor({ storage, root }: { readonly storage: string; readonly root: string }, memory: StorageMemory) {
    this.#storage = storage;
    this.#root = root;
    this.#memory = memory;
  }

  /** `new` when this state directory never used the storage; throws `storage-marker` when the remembered marker is not the one found. */
  async find(): Promise<'known' | 'new'> {
    const remembered = await this.#memory.recall(this.#storage);
    if (remembered === null) return 'new';
    const found = await this.#read();
    if (found === remembered) return 'known';
    const what = found === null ? 'has no marker: it is not mounted, or was emptied' : 'carries the marker of another storage';
    throw new Failure('storage-marker', `storage "${this.#storage}" (${this.#root}) ${what}`, {
      hint: `mount it; or, if this is right, type: backup-automation test --adopt ${this.#storage}`,
    });
  }

  async adopt(): Promise<void> {
    await mkdir(this.#root, { recursive: true, mode: 0o700 });
    const file = join(this.#root, markerName);
    const there = await lstat(file).catch(() => null);
    // an empty one is left by a crash; whatever else is there is not ours to replace
    if (there?.isFile() && there.size === 0) writeAtomic(file, `${randomUUID()}\n`);
    else if (!there) createAtomic(file, `${randomUUID()}\n`);
    const id = await this.#read();
    if (id === null) throw new Error(`${markerName} cannot be read as a marker`);
    await this.#memory.remember(this.#storage, id);
  }

  async #read(): Promise<string | null> {
    const bytes = await readSmall(join(this.#root, markerName));
    return bytes && (new TextDecoder().decode(bytes).trim() || null);
  }
}
