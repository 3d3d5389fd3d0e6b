/**
 * system: the ledger's files, `ledger/events-000001.jsonl` and its successors. It finds and opens them; it never changes a byte.
 */
import { closeSync, constants, fstatSync, openSync, readdirSync, readSync } from 'node:fs';
import { join } from 'node:path';
import { Failure } from '../../model/errors.js';
import { errnoOf } from '../files/files.js';

export interface Segment {
  readonly number: number;
  readonly path: string;
}

export const ledgerFolder = (stateDirectory: string): string => join(stateDirectory, 'ledger');
export const segmentAt = (stateDirectory: string, number: number): Segment => ({
  number,
  path: join(ledgerFolder(stateDirectory), `events-${String(number).padStart(6, '0')}.jsonl`),
});

/** Codes after which making room does not help. */
const lasting = new Set(['EACCES', 'EPERM', 'EROFS', 'ELOOP', 'EISDIR', 'ENOTDIR']);

/** The Failure `ledger` for a system call on a file of the ledger; a Failure stays what it is. */
export function ledgerFailure(deed: string, path: string, error: unknown): Failure {
  if (error instanceof Failure) return error;
  const code = errnoOf(error);
  const why = code === '' ? String(error) : code === 'ELOOP' ? 'it is a symbolic link (ELOOP)' : code;
  return new Failure('ledger', `cannot ${deed} ${path}: ${why}`, { class: lasting.has(code) ? 'permanent' : 'resource', cause: error });
}

/** The segments that are there, oldest first; none where there is no ledger yet. */
export function segmentsOf(stateDirectory: string): Segment[] {
  let names: string[];
  try {
    names = readdirSync(ledgerFolder(stateDirectory));
  } catch (error) {
    if (errnoOf(error) === 'ENOENT') return [];
    throw ledgerFailure('list', ledgerFolder(stateDirectory), error);
  }
  const numbers = names.flatMap((name) => /^events-(\d{6,12})\.jsonl$/.exec(name)?.[1] ?? []).map(Number);
  return numbers.sort((a, b) => a - b).map((number) => segmentAt(stateDirectory, number));
}

export interface OpenFile {
  readonly fd: number;
  /** Bytes there were when it was opened. */
  readonly size: number;
}

/** Opens a segment without following a link or waiting for a pipe's other end. Throws a Failure `ledger`. */
export function openSegment({ path }: Segment, flags: number): OpenFile {
  let fd: number;
  try {
    fd = openSync(path, flags | constants.O_NOFOLLOW | constants.O_NONBLOCK, 0o600);
  } catch (error) {
    throw ledgerFailure('open', path, error);
  }
  const found = fstatSync(fd);
  if (found.isFile()) return { fd, size: found.size };
  closeSync(fd);
  throw new Failure('ledger', `cannot use ${path}: it is not a regular file`, { class: 'permanent', hint: 'move it away and repeat' });
}

/** Fills `buffer[offset, offset + length)` from the file's `position`; fewer bytes only at the file's end. */
export function readAt(
  fd: number,
  buffer: Buffer,
  { offset, length, position }: { offset: number; length: number; position: number },
): number {
  let done = 0;
  while (done < length) {
    const count = readSync(fd, buffer, offset + done, length - done, position + done);
    if (count === 0) break;
    done += count;
  }
  return done;
}
