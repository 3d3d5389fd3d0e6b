/**
 * system: appending one line to the ledger so that it outlives a power cut, or saying loudly that it could not.
 *
 * One write to an O_APPEND descriptor, then fdatasync. A torn line before it is left alone behind a newline. After a failed
 * fdatasync the file is never synced again: the line goes to the next segment. Nothing is ever truncated or rewritten.
 */
import { createHash } from 'node:crypto';
import { closeSync, constants, fdatasyncSync, fstatSync, fsyncSync, statSync, writeSync } from 'node:fs';
import { basename } from 'node:path';
import { Failure } from '../../model/errors.js';
import type { SegmentRecord } from '../../model/events/ledger.js';
import { ensurePrivateDirectory, errnoOf, syncDirectory } from '../files/files.js';
import { encodeLine, hashLine, noLine } from './line.js';
import { ledgerFailure, ledgerFolder, openSegment, readAt, segmentAt, segmentsOf, type OpenFile, type Segment } from './segments.js';

const { O_RDONLY, O_RDWR, O_APPEND, O_CREAT, O_EXCL } = constants;
const newline = Buffer.from('\n');

/** What the next line is joined to. */
interface Tail {
  readonly prev: string;
  /** The last line has no newline. */
  readonly torn: boolean;
}

/** Where the line starts that ends at `end`. */
export function lineStart(fd: number, end: number): number {
  const block = Buffer.allocUnsafe(8192);
  for (let from = end; from > 0;) {
    const length = Math.min(block.length, from);
    from -= length;
    readAt(fd, block, { offset: 0, length, position: from });
    const found = block.lastIndexOf(newline, length - 1);
    if (found >= 0 && found < length) return from + found + 1;
  }
  return 0;
}

/** The hash of a line, read in blocks: it may be garbage of any length. */
function hashOf(fd: number, start: number, end: number): string {
  const hash = createHash('sha256');
  const block = Buffer.allocUnsafe(8192);
  for (let position = start; position < end; position += block.length) {
    const length = Math.min(block.length, end - position);
    readAt(fd, block, { offset: 0, length, position });
    hash.update(block.subarray(0, length));
  }
  return hash.digest('hex');
}

function tailOf({ fd, size }: OpenFile): Tail | null {
  if (size === 0) return null;
  const last = Buffer.alloc(1);
  readAt(fd, last, { offset: 0, length: 1, position: size - 1 });
  const torn = !last.equals(newline);
  const end = torn ? size : size - 1;
  return { prev: hashOf(fd, lineStart(fd, end), end), torn };
}

/** The hash of the last line of the newest segment that has one. */
function previousHash(segments: readonly Segment[]): string {
  for (const segment of segments.toReversed()) {
    const file = openSegment(segment, O_RDONLY);
    try {
      const tail = tailOf(file);
      if (tail) return tail.prev;
    } finally {
      closeSync(file.fd);
    }
  }
  return noLine;
}

export interface AppendOptions {
  readonly stateDirectory: string;
  /** A segment that has as many bytes gets a successor. */
  readonly segmentLimit: number;
  /** Told of what went wrong and was survived. */
  readonly warn: (message: string) => void;
}

export interface NewLine {
  readonly content: object;
  readonly at: string;
  readonly nolock?: true;
}

interface Target {
  readonly segment: Segment;
  readonly older: readonly Segment[];
  readonly fd: number;
}

/** The bytes to write: the line, before it what keeps it apart from a torn one, and what every later segment begins with. */
function bytesFor(line: NewLine, { older, fd }: Target): Buffer {
  const frame = { v: 1, at: line.at, ...(line.nolock && { nolock: line.nolock }) };
  const tail = tailOf({ fd, size: fstatSync(fd).size });
  const parts: Uint8Array[] = tail?.torn ? [newline] : [];
  let prev = tail?.prev ?? previousHash(older);
  const last = older.at(-1);
  if (!tail && last) {
    const head: SegmentRecord = { record: 'segment', previous: basename(last.path), previousSize: statSync(last.path).size };
    const first = encodeLine(head, { ...frame, prev });
    parts.push(first, newline);
    prev = hashLine(first);
  }
  return Buffer.concat([...parts, encodeLine(line.content, { ...frame, prev }), newline]);
}

/** One write; after a short count or an error once more in full, since what was written of the first is isolated by a newline. */
function writeLine(line: NewLine, target: Target): void {
  const first = attempt(line, target);
  if (first === null) return;
  const second = attempt(line, target);
  if (second !== null) throw ledgerFailure('append to', target.segment.path, second);
}

/** Null when all of it was written. */
function attempt(line: NewLine, target: Target): unknown {
  try {
    const bytes = bytesFor(line, target);
    const count = writeSync(target.fd, bytes);
    return count === bytes.length ? null : `only ${count} of ${bytes.length} bytes could be written`;
  } catch (error) {
    return error;
  }
}

/** Refuses a segment that somebody else owns or may write to. */
function refuseForeign(segment: Segment, fd: number): void {
  const { uid, mode } = fstatSync(fd);
  const why = uid !== process.geteuid?.() ? `it belongs to user ${uid}` : (mode & 0o022) !== 0 ? 'others may write to it' : null;
  if (why !== null) throw new Failure('ledger', `cannot append to ${segment.path}: ${why}`, { class: 'permanent' });
}

/** Creates the next segment with the line in it; false when another process was faster. */
function startSegment(line: NewLine, older: readonly Segment[], { stateDirectory, warn }: AppendOptions): boolean {
  const segment = segmentAt(stateDirectory, (older.at(-1)?.number ?? 0) + 1);
  let file: OpenFile;
  try {
    file = openSegment(segment, O_RDWR | O_APPEND | O_CREAT | O_EXCL);
  } catch (error) {
    if (error instanceof Failure && errnoOf(error.cause) === 'EEXIST') return false;
    throw error;
  }
  try {
    writeLine(line, { segment, older, fd: file.fd });
    fsyncSync(file.fd);
    if (!syncDirectory(ledgerFolder(stateDirectory)))
      warn(`${segment.path}: its file system cannot make names durable: a power cut may take it`);
    return true;
  } catch (error) {
    throw ledgerFailure('append to', segment.path, error);
  } finally {
    closeSync(file.fd);
  }
}

/** Appends to a segment that is there. False: it is full, or can no longer be trusted to keep what it is given. */
function appendTo(segment: Segment, older: readonly Segment[], line: NewLine, { segmentLimit, warn }: AppendOptions): boolean {
  const { fd, size } = openSegment(segment, O_RDWR | O_APPEND);
  try {
    refuseForeign(segment, fd);
    if (size >= segmentLimit) return false;
    writeLine(line, { segment, older, fd });
    try {
      fdatasyncSync(fd);
    } catch (error) {
      warn(`${segment.path} could not be made durable (${errnoOf(error)}); going on in a new segment`);
      return false;
    }
    return true;
  } finally {
    closeSync(fd);
  }
}

/** Appends one line; when it returns the line is durable. To be called under the ledger's lock. Throws a Failure `ledger`. */
export function appendLine(line: NewLine, options: AppendOptions): void {
  ensurePrivateDirectory(ledgerFolder(options.stateDirectory));
  for (;;) {
    const segments = segmentsOf(options.stateDirectory);
    const newest = segments.at(-1);
    if (newest && appendTo(newest, segments.slice(0, -1), line, options)) return;
    if (startSegment(line, segments, options)) return;
  }
}
