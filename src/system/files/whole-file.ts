/**
 * system: makes a file that appears under its name only when it is whole and durable; never replaces one.
 */
import { randomBytes } from 'node:crypto';
import { constants } from 'node:fs';
import { open, rename, rm, type FileHandle } from 'node:fs/promises';
import { dirname } from 'node:path';
import { Writable } from 'node:stream';
import { Failure } from '../../model/errors.js';
import type { WholeFile } from '../../model/roles/whole-file.js';
import { syncDirectory } from './files.js';

/** Writes whole pieces: a disk that fills up answers the first time with a short count and no error. Leaves the handle open. */
export function writerTo(handle: FileHandle, explain: (error: unknown) => Error): Writable {
  const writeAll = async (data: Buffer) => {
    for (let done = 0; done < data.length;) done += (await handle.write(data, done)).bytesWritten;
  };
  return new Writable({
    write: (data: Buffer, _encoding, next) =>
      void writeAll(data).then(
        () => next(),
        (error: unknown) => next(explain(error)),
      ),
  });
}

/** Throws `usage` when something is there already or the folder cannot be written. */
export async function createWhole(path: string): Promise<WholeFile> {
  const { O_WRONLY, O_CREAT, O_EXCL, O_NOFOLLOW } = constants;
  const partial = `${path}.${randomBytes(4).toString('hex')}.partial`;
  const explain = (error: unknown) =>
    new Failure('usage', `${path} cannot be written: ${error instanceof Error ? error.message : String(error)}`, { cause: error });
  const existing = await open(path, constants.O_RDONLY).catch(() => null);
  await existing?.close();
  if (existing) throw new Failure('usage', `${path} exists already`, { hint: 'name another file, or remove it first' });
  const handle = await open(partial, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW, 0o600).catch((error: unknown) => {
    throw explain(error);
  });
  return {
    stream: writerTo(handle, explain),
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
