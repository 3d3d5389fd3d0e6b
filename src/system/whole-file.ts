/**
 * system: makes a file that appears under its name only when it is whole and durable; never replaces one.
 */
import { constants } from 'node:fs';
import { open, rename, rm } from 'node:fs/promises';
import { dirname } from 'node:path';
import { Failure } from '../model/errors.js';
import type { WholeFile } from '../model/whole-file.js';
import { syncDirectory } from './files.js';

/** Throws `usage` when something is there already or the folder can not be written. */
export async function createWhole(path: string): Promise<WholeFile> {
  const { O_WRONLY, O_CREAT, O_EXCL, O_NOFOLLOW } = constants;
  const partial = `${path}.partial`;
  const refuse = (error: unknown): never => {
    throw new Failure('usage', `${path} can not be written: ${error instanceof Error ? error.message : String(error)}`, { cause: error });
  };
  const existing = await open(path, constants.O_RDONLY).catch(() => null);
  await existing?.close();
  if (existing) throw new Failure('usage', `${path} exists already`, { hint: 'name another file, or remove it first' });
  const handle = await open(partial, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW, 0o600).catch(refuse);
  return {
    stream: handle.createWriteStream({ autoClose: false }),
    keep: async () => {
      await handle.sync();
      await handle.close();
      await rename(partial, path);
      syncDirectory(dirname(path));
    },
    discard: async () => {
      await handle.close().catch(() => {});
      await rm(partial, { force: true });
    },
  };
}
