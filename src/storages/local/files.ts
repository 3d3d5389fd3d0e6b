/**
 * storages: files and folders of a local storage, made durable, and never reached through a link.
 */
import { constants } from 'node:fs';
import { lstat, open, readdir, rename, rm, stat, type FileHandle } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { Readable } from 'node:stream';
import { manifestName } from '../../model/settings/names.js';
import { cannotSync } from '../../system/files/files.js';

/** A manifest is a few kB; anything beyond this is not one. */
const manifestLimit = 16 * 1024 * 1024;
const { O_CREAT, O_DIRECTORY, O_EXCL, O_NOFOLLOW, O_NONBLOCK, O_RDONLY, O_WRONLY } = constants;

export const errnoOf = (error: unknown): string => (error as NodeJS.ErrnoException).code ?? '';
export const isMissing = (error: unknown): boolean => errnoOf(error) === 'ENOENT' || errnoOf(error) === 'ENOTDIR';

/** Makes the names in a folder durable; false where the file system cannot. */
export async function syncFolder(path: string): Promise<boolean> {
  const folder = await open(path, O_RDONLY | O_DIRECTORY);
  try {
    await folder.sync();
    return true;
  } catch (error) {
    if (cannotSync(error)) return false;
    throw error;
  } finally {
    await folder.close();
  }
}

/** The folder itself or, while it is not there, its nearest parent that is. Throws where that is no folder. */
export async function nearestFolder(path: string): Promise<string> {
  const there = await stat(path).catch((error: unknown) => {
    if (errnoOf(error) === 'ENOENT' && dirname(path) !== path) return null;
    throw error;
  });
  if (there === null) return nearestFolder(dirname(path));
  if (!there.isDirectory()) throw new Error(`${path} is not a folder`);
  return path;
}

export async function makeFile(path: string): Promise<FileHandle> {
  return open(path, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW, 0o600);
}

/** A file with this text and nothing else; the folder is not synced yet. */
async function writeText(path: string, text: string): Promise<void> {
  const handle = await makeFile(path);
  try {
    await handle.writeFile(text);
    await handle.sync();
  } finally {
    await handle.close();
  }
}

/** Opens a regular file for reading; links, pipes and devices are refused. */
async function openFile(path: string): Promise<FileHandle> {
  const handle = await open(path, O_RDONLY | O_NOFOLLOW | O_NONBLOCK);
  if ((await handle.stat()).isFile()) return handle;
  await handle.close();
  throw new Error(`${basename(path)} is not a regular file`);
}

/** What is read at once. Greater pieces stay in memory for long after they were used (measured: 30 MB more on Node 24). */
const piece = 64 * 1024;

/** A file's bytes. Only what the file itself cannot give is put into words by `explain`, never why somebody stopped reading. */
export async function readFrom(path: string, explain: (error: unknown) => Error): Promise<Readable> {
  const handle = await openFile(path);
  return new Readable({
    highWaterMark: piece,
    read() {
      handle.read(Buffer.allocUnsafe(piece), 0, piece, null).then(
        ({ bytesRead, buffer }) => this.push(bytesRead > 0 ? buffer.subarray(0, bytesRead) : null),
        (error: unknown) => this.destroy(explain(error)),
      );
    },
    destroy(reason, next) {
      void handle.close().finally(() => next(reason));
    },
  });
}

/** The whole content of a small file; null when it is not there, too large, or cannot be read. */
export async function readSmall(path: string): Promise<Uint8Array | null> {
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

/** Names that no artifact has. */
function markPath(folder: string, name: string): string {
  if (!/^[A-Z]{1,32}$/.test(name)) throw new Error(`${JSON.stringify(name)} is not the name of a mark`);
  return join(folder, name);
}

export async function writeMark(folder: string, name: string, text: string): Promise<void> {
  const path = markPath(folder, name);
  await rm(`${path}.new`, { force: true });
  await writeText(`${path}.new`, text);
  await rename(`${path}.new`, path);
  await syncFolder(folder);
}

export async function removeMark(folder: string, name: string): Promise<void> {
  await rm(markPath(folder, name), { force: true });
  await syncFolder(folder);
}

/** A backup's folder is put aside under this name beside it. */
export const trashOf = (folder: string): string => `${folder}.trash`;
/** In a folder that was put aside: when. */
const removedName = 'REMOVED';

/** The one step is the rename: before it the backup is listed, after it not. */
export async function discardFolder(folder: string, at: string): Promise<void> {
  await writeMark(folder, removedName, `${at}\n`);
  await rename(folder, trashOf(folder));
  await syncFolder(dirname(folder));
}

export async function recoverFolder(folder: string): Promise<void> {
  // a rename would take the place of an empty folder without a word
  if (await lstat(folder).catch(() => null)) throw new Error(`${basename(folder)} is there already`);
  await rename(trashOf(folder), folder);
  await syncFolder(dirname(folder));
  await removeMark(folder, removedName);
}

/** When a folder was put aside, ISO 8601; null when that is not to be read. */
export async function discardedAt(folder: string): Promise<string | null> {
  const bytes = await readSmall(join(trashOf(folder), removedName));
  const text = bytes ? new TextDecoder().decode(bytes).trim() : '';
  return Number.isNaN(Date.parse(text)) ? null : text;
}

/** The manifest first, and the date last: what is left of an interrupted removal cannot be taken for a backup, and is known for what it is. */
export async function removeTrash(folder: string): Promise<void> {
  const trash = trashOf(folder);
  if (!(await lstat(trash)).isDirectory()) throw new Error(`${basename(trash)} is not a folder`);
  await rm(join(trash, manifestName), { force: true });
  await syncFolder(trash);
  for (const name of await readdir(trash)) if (name !== removedName) await rm(join(trash, name), { recursive: true, force: true });
  await rm(trash, { recursive: true });
  await syncFolder(dirname(trash));
}
