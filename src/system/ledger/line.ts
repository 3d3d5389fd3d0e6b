/**
 * system: one line of the ledger, record to bytes and back. It believes nothing that its checksum does not prove.
 *
 * `{"v":1,"at":...,"record":...,...,"prev":"<sha256 of the line before>","crc":"<crc32 of all before ,"crc">"}`, JSON in one line.
 */
import { hash } from 'node:crypto';
import { crc32 } from 'node:zlib';
import { eventStatuses } from '../../model/events/event.js';
import type { LedgerRecord, LineFrame } from '../../model/events/ledger.js';

/** What no line of ours is longer than, bytes. */
export const longestLine = 64 * 1024;
/** What the very first line has before it. */
export const noLine = '0'.repeat(64);

const trailerHead = ',"crc":"';
const trailerEnd = '"}';
const trailerLength = trailerHead.length + 8 + trailerEnd.length;
const trailer = (crc: number) => `${trailerHead}${crc.toString(16).padStart(8, '0')}${trailerEnd}`;
const codes = (text: string) => Uint8Array.from(text, (character) => character.charCodeAt(0));
const [headCodes, endCodes, digitCodes] = [codes(trailerHead), codes(trailerEnd), codes('0123456789abcdef')];

/** Whether the trailer for `crc` lies at `at`, byte by byte: it is asked for every line there is. */
function hasTrailer(bytes: Buffer, at: number, crc: number): boolean {
  const digits = at + headCodes.length;
  for (let index = 0; index < headCodes.length; index += 1) if (bytes[at + index] !== headCodes[index]) return false;
  for (let index = 0; index < 8; index += 1) if (bytes[digits + index] !== digitCodes[(crc >>> (28 - 4 * index)) & 15]) return false;
  return bytes[digits + 8] === endCodes[0] && bytes[digits + 9] === endCodes[1];
}
const beginning = '{"v":';

/** What chains a line to the one before: SHA-256 in hex, of the raw bytes without the newline. */
export const hashLine = (bytes: Uint8Array): string => hash('sha256', bytes);

/** A copy with every text at most `length` characters and every list at most `count` long, saying what was left out. */
function shorten(value: unknown, length: number, count: number): unknown {
  if (typeof value === 'string')
    return value.length <= length ? value : `${value.slice(0, length)}... (${value.length - length} more characters left out)`;
  if (Array.isArray(value)) {
    const kept = value.slice(0, count).map((item) => shorten(item, length, count));
    return value.length <= count ? kept : [...kept, `... (${value.length - count} more left out)`];
  }
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([key, item]) => [key, shorten(item, length, count)]));
}

/** JSON keeps a line a line; what a terminal or an editor takes for a line's end or a command is escaped as well. */
const escapeMore = (json: string): string =>
  json.replace(/[\u007f-\u009f\u2028\u2029]/g, (character) => `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`);

/** The line without its newline, at most `longestLine` bytes: texts that are too long are cut, and say so. */
export function encodeLine(content: object, { v, at, nolock, prev }: LineFrame): Buffer {
  for (let length = 8192, count = 100; ; length = Math.ceil(length / 2), count = Math.ceil(count / 2)) {
    const bounded = shorten(content, length, count) as object;
    const json = escapeMore(JSON.stringify({ v, at, ...(nolock && { nolock }), ...bounded, prev }));
    const body = Buffer.from(json.slice(0, -1));
    if (body.length + trailerLength <= longestLine || count === 1) return Buffer.concat([body, Buffer.from(trailer(crc32(body)))]);
  }
}

const statuses: ReadonlySet<unknown> = new Set(eventStatuses);
const isEventLike = (record: Record<string, unknown>): boolean =>
  typeof record['id'] === 'string' &&
  statuses.has(record['status']) &&
  typeof record['timestamp'] === 'string' &&
  typeof record['database'] === 'string' &&
  typeof record['type'] === 'string' &&
  typeof record['step'] === 'number' &&
  typeof record['metadata'] === 'object';

/** A checked line's content; null when it is no record that this code could have written. */
export function parseLine(text: string): LedgerRecord | null {
  try {
    const parsed = JSON.parse(text) as Record<string, unknown>;
    if (typeof parsed['v'] !== 'number' || typeof parsed['record'] !== 'string' || Object.hasOwn(parsed, '__proto__')) return null;
    const { v, at, prev } = parsed as unknown as LineFrame;
    if (v > 1) return { v, at, prev, record: 'unknown', content: parsed };
    if (parsed['record'] === 'event' && !isEventLike(parsed)) return null;
    return parsed as unknown as LedgerRecord;
  } catch {
    return null;
  }
}

/** The text of the line in `bytes[start, end)`, without its newline; null when any of its bytes is not as it was written. */
export function checkLine(bytes: Buffer, start: number, end: number): string | null {
  const bodyEnd = end - trailerLength;
  if (bodyEnd <= start) return null;
  return hasTrailer(bytes, bodyEnd, crc32(bytes.subarray(start, bodyEnd))) ? bytes.toString('utf8', start, end) : null;
}

/** The record of the line in `bytes[start, end)`, as far as it is as it was written. */
export function decodeLine(bytes: Buffer, start: number, end: number): LedgerRecord | null {
  const text = checkLine(bytes, start, end);
  return text === null ? null : parseLine(text);
}

const idAt = '{"v":1,"at":"2026-01-01T00:00:00.000Z","record":"event","id":"'.length;
const eventHead = '","record":"event","id":"';
const statusHead = '"status":"';

/**
 * The event that a checked line leaves unended, without parsing it, which is most of the cost of reading; null for every other line,
 * and for one that is not laid out as we do. Neither head can occur inside a text, where its quotes would be escaped.
 */
export function unendedId(text: string): string | null {
  if (!text.startsWith(eventHead, idAt - eventHead.length)) return null;
  const idEnd = text.indexOf('"', idAt);
  const status = text.indexOf(statusHead, idEnd) + statusHead.length;
  if (status < statusHead.length) return null;
  return text.startsWith('pending"', status) || text.startsWith('running"', status) ? text.slice(idAt, idEnd) : null;
}

/** A whole line found inside damaged bytes. */
export interface Piece {
  readonly start: number;
  readonly end: number;
  readonly text: string;
}

/** The most places of a damaged line that are tried as beginnings: bounds the time that garbage made for it can cost. */
const mostBeginnings = 64;

/**
 * The whole lines inside the damaged one in `bytes[start, end)`: what stays of two that a damaged newline glued together.
 * The beginning cannot occur inside a text, where its quotes would be escaped.
 */
export function salvage(bytes: Buffer, start: number, end: number): Piece[] {
  const text = bytes.toString('latin1', start, end);
  const ends = [...text.matchAll(/,"crc":"[0-9a-f]{8}"\}/g)].map((match) => match.index + trailerLength);
  const pieces: Piece[] = [];
  let tried = 0;
  for (let from = text.indexOf(beginning); from >= 0 && tried < mostBeginnings; tried += 1) {
    const to = ends.find((one) => one > from);
    if (to === undefined) break;
    const piece = checkLine(bytes, start + from, start + to);
    if (piece !== null) pieces.push({ start: start + from, end: start + to, text: piece });
    from = text.indexOf(beginning, piece === null ? from + 1 : to);
  }
  return pieces;
}
