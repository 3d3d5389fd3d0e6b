/**
 * storages: a backup on its way into a local storage, by the commit protocol. It knows the one folder, and neither the storage nor the
 * backup.
 */
import { rename, rm, rmdir, type FileHandle } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import type { Failure } from '../../model/errors.js';
import type { Deposit } from '../../model/roles/storage.js';
import { manifestName } from '../../model/settings/names.js';
import { writerTo } from '../../system/files/whole-file.js';
import { makeFile, readFrom, syncFolder } from './files.js';

interface Tell {
  /** Says in whose name a deed failed. */
  readonly explain: (error: unknown) => Failure;
  /** Hears that the file system could not make the backup's name durable. */
  readonly weak: () => void;
}

export class LocalDeposit implements Deposit {
  readonly #folder: string;
  readonly #final: string;
  readonly #madeParent: boolean;
  readonly #tell: Tell;
  readonly #open = new Map<string, FileHandle>();

  /** Writes beside `final`, into a folder that is there already. */
  constructor(final: string, madeParent: boolean, tell: Tell) {
    this.#madeParent = madeParent;
    this.#final = final;
    this.#folder = `${final}.partial`;
    this.#tell = tell;
  }

  async #attempt<T>(deed: () => Promise<T>): Promise<T> {
    try {
      return await deed();
    } catch (error) {
      throw this.#tell.explain(error);
    }
  }

  async write(artifact: string) {
    return this.#attempt(async () => {
      const handle = await makeFile(join(this.#folder, artifact));
      this.#open.set(artifact, handle);
      return writerTo(handle, this.#tell.explain);
    });
  }

  async seal(artifact: string, size: number) {
    return this.#attempt(async () => {
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
    return this.#attempt(() => readFrom(join(this.#folder, artifact), this.#tell.explain));
  }

  async commit(manifest: Uint8Array) {
    await this.#attempt(async () => {
      const handle = await makeFile(join(this.#folder, manifestName));
      this.#open.set(manifestName, handle);
      await handle.writeFile(manifest);
    });
    await this.seal(manifestName, manifest.byteLength);
    await this.#attempt(async () => {
      await syncFolder(this.#folder);
      await rename(this.#folder, this.#final);
      if (!(await syncFolder(dirname(this.#final)))) this.#tell.weak();
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
