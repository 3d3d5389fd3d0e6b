/**
 * system: small deeds on files that must last or stay private; it never knows what is in them.
 */
import {
  closeSync,
  constants,
  fchmodSync,
  fsyncSync,
  linkSync,
  lstatSync,
  mkdirSync,
  openSync,
  renameSync,
  rmSync,
  statSync,
  writeSync,
} from 'node:fs';
import { randomBytes } from 'node:crypto';
import { basename, dirname, join, resolve } from 'node:path';
import { Failure } from '../../model/errors.js';

/** The code of a system call's error: `ENOSPC`; empty for any other error. */
export const errnoOf = (error: unknown): string => (error instanceof Error && 'code' in error ? String(error.code) : '');

/** Whether a file system says that it cannot make a folder durable, as some of networks and of FUSE do; EIO is a failure of the disk. */
export const cannotSync = (error: unknown): boolean => ['EINVAL', 'ENOTSUP'].includes(errnoOf(error));

/** Makes names created in a folder, or removed from it, durable; false where the file system cannot. */
export function syncDirectory(path: string): boolean {
  const fd = openSync(path, constants.O_RDONLY | constants.O_DIRECTORY);
  try {
    fsyncSync(fd);
    return true;
  } catch (error) {
    if (cannotSync(error)) return false;
    throw error;
  } finally {
    closeSync(fd);
  }
}

/** Writes all of it; a short count, which a full disk gives without an error, is an error here. */
function writeAll(fd: number, bytes: Uint8Array): void {
  for (let done = 0; done < bytes.length;) {
    const count = writeSync(fd, bytes, done);
    if (count === 0) throw new Error(`wrote ${done} of ${bytes.length} bytes`);
    done += count;
  }
}

/**
 * Replaces a file in one step: readers and a power cut see the old content or the new, never a part.
 * Throws the system call's error, leaving the old content and no temporary file.
 */
export function writeAtomic(path: string, content: string | Uint8Array, mode = 0o600): void {
  const bytes = typeof content === 'string' ? Buffer.from(content) : content;
  const temporary = join(dirname(path), `.${basename(path)}.${randomBytes(6).toString('hex')}.tmp`);
  const { O_WRONLY, O_CREAT, O_EXCL, O_NOFOLLOW } = constants;
  const fd = openSync(temporary, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW, mode);
  try {
    try {
      fchmodSync(fd, mode);
      writeAll(fd, bytes);
      fsyncSync(fd);
    } finally {
      closeSync(fd);
    }
    renameSync(temporary, path);
  } catch (error) {
    rmSync(temporary, { force: true });
    throw error;
  }
  syncDirectory(dirname(path));
}

/** Creates a file with all its content in one step; one that is there already stays as it is. Throws the system call's error. */
export function createAtomic(path: string, content: string | Uint8Array): void {
  const temporary = `${path}.${randomBytes(6).toString('hex')}.tmp`;
  writeAtomic(temporary, content);
  try {
    linkSync(temporary, path);
  } catch (error) {
    if (errnoOf(error) !== 'EEXIST') renameSync(temporary, path); // a file system without links
  } finally {
    rmSync(temporary, { force: true });
  }
  syncDirectory(dirname(path));
}

/**
 * Makes sure of a folder that only this user can write to, creating it (0700) where it is missing.
 * Throws a Failure `ledger` when it belongs to somebody else, others may write to it, or it cannot be made.
 */
export function ensurePrivateDirectory(path: string): void {
  try {
    const created = mkdirSync(path, { recursive: true, mode: 0o700 });
    if (created !== undefined) syncDirectory(dirname(resolve(created)));
  } catch (error) {
    throw new Failure('ledger', `cannot create the folder ${path}: ${errnoOf(error) || String(error)}`, { cause: error });
  }
  const { uid: folderUid, mode } = statSync(path);
  const { uid: linkUid } = lstatSync(path); // a link that somebody else made leads where he wants
  const uid = linkUid === process.geteuid?.() ? folderUid : linkUid;
  if (uid !== process.geteuid?.())
    throw new Failure('ledger', `the folder ${path} belongs to user ${uid}, not to user ${process.geteuid?.()} who runs this`, {
      class: 'permanent',
      hint: `run as its owner, or choose another stateDirectory`,
    });
  if ((mode & 0o022) !== 0)
    throw new Failure('ledger', `others may write to the folder ${path} (mode ${(mode & 0o777).toString(8)})`, {
      class: 'permanent',
      hint: `chmod go-w '${path}'`,
    });
}
