/**
 * system: reading the ledger forwards and backwards, in constant memory, without a lock. Damage is counted, never thrown,
 * and costs only the line it lies in.
 *
 * Both ways yield batches, a chunk of the file each, so that a million lines do not cost a million promises.
 */
import { closeSync, constants } from 'node:fs';
import type { LedgerDamage, LedgerLine, Position } from '../../model/roles/ledger.js';
import { checkLine, parseLine, salvage, unendedId } from './line.js';
import { openSegment, readAt, segmentsOf, type OpenFile, type Segment } from './segments.js';

/** Longer than any line of ours, even two glued ones; what has no newline for so long is skipped. */
const chunkSize = 160 * 1024;
const firstLookBack = 32 * 1024;
const newline = 10;

const nothingDamaged = (): LedgerDamage => ({ corruptLines: 0, tornTail: false, gaps: 0 });

/** What becomes of a line's bytes. */
export interface Taking<T> {
  /** A line that ends in a newline. */
  line(bytes: Buffer, start: number, end: number, offset: number): T[];
  /** What is left after the last newline of the segment. */
  tail(bytes: Buffer, start: number, end: number, offset: number): T[];
  /** A line longer than any of ours, which is not kept in memory. */
  tooLong(offset: number): T[];
}

interface Line {
  readonly segment: Segment;
  readonly offset: number;
  readonly text: string;
}

/** Null: it is no record, although no byte of it has changed. */
const parsed = ({ segment, offset, text }: Line): LedgerLine[] | null => {
  const record = parseLine(text);
  return record && [{ position: { segment: segment.number, offset }, record }];
};

/**
 * Turns lines into records, counting what cannot be read. The newest segment's end may be torn: that is no damage.
 * `open` is what a whole line becomes.
 */
function records(segment: Segment, last: boolean, damage: LedgerDamage, open = parsed): Taking<LedgerLine> {
  const take = (bytes: Buffer, start: number, end: number, offset: number, bad: () => void): LedgerLine[] => {
    const text = checkLine(bytes, start, end);
    const lines = text === null ? null : open({ segment, offset, text });
    if (lines) return lines;
    bad();
    const pieces = text === null ? salvage(bytes, start, end) : [];
    return pieces.flatMap((piece) => open({ segment, offset: offset + piece.start - start, text: piece.text }) ?? []);
  };
  const corrupt = () => void (damage.corruptLines += 1);
  const torn = () => void (last ? (damage.tornTail = true) : corrupt());
  return {
    line: (bytes, start, end, offset) => take(bytes, start, end, offset, corrupt),
    tail: (bytes, start, end, offset) => take(bytes, start, end, offset, torn),
    tooLong: () => {
      corrupt();
      return [];
    },
  };
}

const nothing: LedgerLine[] = [];

/** Holds the newest line of each event that is not ended, unparsed. */
class Unended {
  private readonly lines = new Map<string, Line>();

  /** What a line becomes: nothing yet, when it leaves its event unended. */
  readonly open = (line: Line): LedgerLine[] | null => {
    const id = unendedId(line.text);
    if (id !== null) {
      this.lines.set(id, line);
      return nothing;
    }
    const lines = parsed(line);
    const record = lines?.[0]?.record;
    if (record?.record === 'event') this.lines.delete(record.id);
    return lines && record?.record === 'clear' ? [...this.flush(), ...lines] : lines;
  };

  flush(): LedgerLine[] {
    const lines = [...this.lines.values()].flatMap((line) => parsed(line) ?? []);
    this.lines.clear();
    return lines;
  }
}

/** Lines of one segment from `offset`; returns the offset after the last newline. */
export function* forwardsIn<T>(file: OpenFile, offset: number, taking: Taking<T>): Generator<T[], number> {
  const buffer = Buffer.allocUnsafe(chunkSize);
  let kept = 0; // bytes of an unfinished line at the buffer's start
  let skipping = false;
  let position = offset; // of the buffer's start in the file
  while (position + kept < file.size) {
    const length = Math.min(chunkSize - kept, file.size - position - kept);
    const count = readAt(file.fd, buffer, { offset: kept, length, position: position + kept });
    if (count === 0) break;
    const filled = buffer.subarray(0, kept + count);
    const batch: T[] = [];
    let start = 0;
    for (let end = filled.indexOf(newline, kept); end >= 0; end = filled.indexOf(newline, start)) {
      if (!skipping) for (const one of taking.line(filled, start, end, position + start)) batch.push(one);
      skipping = false;
      start = end + 1;
    }
    if (start === 0 && filled.length === chunkSize) {
      if (!skipping) batch.push(...taking.tooLong(position));
      skipping = true;
      start = filled.length;
    }
    buffer.copyWithin(0, start, filled.length);
    kept = filled.length - start;
    position += start;
    if (batch.length > 0) yield batch;
  }
  if (kept > 0 && !skipping) yield taking.tail(buffer, 0, kept, position);
  return position;
}

/** Counts numbers that are missing between `previous` and `segment`, and a segment before that has become shorter. */
function countGaps(line: LedgerLine | undefined, previousSize: number | null, damage: LedgerDamage): void {
  if (line?.record.record === 'segment' && previousSize !== null && previousSize < line.record.previousSize) damage.gaps += 1;
}

/** How many numbers are missing before a segment. */
export const missingBefore = (segments: readonly Segment[], index: number): number =>
  (segments[index]?.number ?? 1) - (segments[index - 1]?.number ?? 0) - 1;

/**
 * What folds over everything need: of each event only the line that ends it or, when none does, its newest one, which comes at the end
 * or before a `clear`; and every other record.
 */
export function* outcomes(stateDirectory: string, damage = nothingDamaged(), from?: Position): Generator<LedgerLine[]> {
  const unended = new Unended();
  yield* forwards(stateDirectory, damage, from, unended.open);
  yield unended.flush();
}

/** Oldest first, from a position on. Returns the position after the last line that is finished. */
export function* forwards(
  stateDirectory: string,
  damage = nothingDamaged(),
  from?: Position,
  open = parsed,
): Generator<LedgerLine[], Position> {
  const segments = segmentsOf(stateDirectory);
  let end: Position = from ?? { segment: 1, offset: 0 };
  let previousSize: number | null = null;
  for (const [index, segment] of segments.entries()) {
    if (from && segment.number < from.segment) continue;
    const missing = missingBefore(segments, index);
    if (!from) damage.gaps += missing;
    if (missing > 0) previousSize = null;
    const file = openSegment(segment, constants.O_RDONLY);
    try {
      const taking = records(segment, index === segments.length - 1, damage, open);
      const batches = forwardsIn(file, from?.segment === segment.number ? from.offset : 0, taking);
      let first = true;
      for (let next = batches.next(); ; next = batches.next()) {
        if (next.done) {
          end = { segment: segment.number, offset: next.value };
          break;
        }
        if (first) countGaps(next.value[0], previousSize, damage);
        first = false;
        yield next.value;
      }
    } finally {
      closeSync(file.fd);
    }
    previousSize = file.size;
  }
  return end;
}

/** Lines of one segment, newest first. */
function* backwardsIn(file: OpenFile, taking: Taking<LedgerLine>): Generator<LedgerLine[]> {
  const buffer = Buffer.allocUnsafe(chunkSize);
  let kept = 0; // bytes of an unfinished line's end, at the buffer's end
  let skipping = false;
  let position = file.size; // of the first byte that was read
  let atEnd = true; // what comes first has no newline after it
  while (position > 0) {
    const length = Math.min(atEnd ? firstLookBack : chunkSize - kept, position);
    const start = chunkSize - kept - length;
    position -= length;
    const count = readAt(file.fd, buffer, { offset: start, length, position });
    buffer.fill(0, start + count, start + length); // nothing, unless somebody made the file shorter meanwhile
    const lines: LedgerLine[] = [];
    let end = chunkSize;
    for (let found = buffer.lastIndexOf(newline, chunkSize - kept - 1); found >= start; found = buffer.lastIndexOf(newline, end - 1)) {
      const [from, to, offset] = [found + 1, end, position + found + 1 - start];
      if (atEnd && !skipping && to > from) lines.push(...taking.tail(buffer, from, to, offset).toReversed());
      else if (!atEnd && !skipping) lines.push(...taking.line(buffer, from, to, offset).toReversed());
      atEnd = false;
      skipping = false;
      end = found;
      if (end === 0) break;
    }
    kept = end - start;
    if (kept === chunkSize) {
      if (!skipping) lines.push(...taking.tooLong(position));
      [skipping, kept] = [true, 0];
    }
    buffer.copyWithin(chunkSize - kept, start, end);
    if (lines.length > 0) yield lines;
  }
  if (skipping || (atEnd && kept === 0)) return;
  yield taking[atEnd ? 'tail' : 'line'](buffer, chunkSize - kept, chunkSize, 0).toReversed();
}

/** Newest first, from the end or from the line before a position, reading only as much as is asked for. */
export function* backwards(stateDirectory: string, damage = nothingDamaged(), before?: Position): Generator<LedgerLine[]> {
  const segments = segmentsOf(stateDirectory);
  for (let index = segments.length - 1; index >= 0; index -= 1) {
    const segment = segments[index];
    if (!segment) break;
    if (before && segment.number > before.segment) continue;
    const file = openSegment(segment, constants.O_RDONLY);
    const size = segment.number === before?.segment ? Math.min(before.offset, file.size) : file.size;
    try {
      yield* backwardsIn({ fd: file.fd, size }, records(segment, index === segments.length - 1, damage));
    } finally {
      closeSync(file.fd);
    }
    damage.gaps += missingBefore(segments, index);
  }
}
