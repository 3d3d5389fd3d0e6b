/**
 * bench: a ledger of many lines as the real writer writes them: chained, checked, in segments of the usual size, without its fsyncs.
 */
import { randomBytes } from 'node:crypto';
import { closeSync, mkdirSync, openSync, writeSync } from 'node:fs';
import { basename } from 'node:path';
import type { BackupEvent } from '../../src/model/events/event.js';
import type { EventRecord, SegmentRecord } from '../../src/model/events/ledger.js';
import { uuidv7 } from '../../src/model/id.js';
import { encodeLine, hashLine, noLine } from '../../src/system/ledger/line.js';
import { ledgerFolder, segmentAt } from '../../src/system/ledger/segments.js';

const segmentLimit = 16 * 1024 * 1024;
const newline = Buffer.from('\n');

/** ms between two events. */
export const apart = 600_000;

/** Three lines an event: pending, running, completed; every fiftieth fails. */
function* records(lines: number, start: number): Generator<EventRecord> {
  const noise = randomBytes(64 * 1024);
  for (let index = 0; index * 3 < lines; index += 1) {
    const at = new Date(start + index * apart);
    const id = uuidv7(at, noise.subarray((index * 10) % 65_000));
    const event: BackupEvent = {
      id,
      type: 'scheduled',
      scheduleId: 'daily-backup',
      trigger: 'cron',
      timestamp: at.toISOString(),
      status: 'pending',
      metadata: { databaseLoad: index % 80, diskSpace: 100 + (index % 50), concurrentBackups: 0 },
      database: `shop-${index % 20}`,
      attempt: 1,
      host: 'db1',
      pid: 1000 + (index % 30_000),
    };
    const good = index % 50 !== 0;
    const duration = 60_000 + (index % 1000) * 37;
    const result = good
      ? { success: true, backupId: id, duration, size: 1e8 + (index % 1000) * 12_345 }
      : { success: false, error: 'shop: pg_dump failed: connection refused', code: 'connection' as const, duration, size: 0 };
    yield { record: 'event', ...event, step: 0 };
    yield { record: 'event', ...event, status: 'running', step: 1, from: 'pending' };
    yield { record: 'event', ...event, status: good ? 'completed' : 'failed', result, step: 2, from: 'running' };
  }
}

/** Writes so many lines of events below a state directory, the first of them at `start`; the number of bytes. */
export function writeHistory(stateDirectory: string, lines: number, start = Date.parse('2020-01-01T00:00:00Z')): number {
  mkdirSync(ledgerFolder(stateDirectory), { recursive: true, mode: 0o700 });
  let prev = noLine;
  let [number, size, total, fd] = [0, 0, 0, -1];
  let pieces: Buffer[] = [];
  const add = (content: object, at: string) => {
    const line = encodeLine(content, { v: 1, at, prev });
    prev = hashLine(line);
    pieces.push(line, newline);
    size += line.length + 1;
  };
  const flush = () => {
    total += writeSync(fd, Buffer.concat(pieces));
    pieces = [];
  };
  for (const record of records(lines, start)) {
    if (fd < 0 || size >= segmentLimit) {
      if (fd >= 0) {
        flush();
        closeSync(fd);
      }
      const previous = { previous: basename(segmentAt(stateDirectory, number).path), previousSize: size };
      number += 1;
      fd = openSync(segmentAt(stateDirectory, number).path, 'wx', 0o600);
      size = 0;
      if (number > 1) add({ record: 'segment', ...previous } satisfies SegmentRecord, record.timestamp);
    }
    add(record, record.timestamp);
    if (pieces.length > 4000) flush();
  }
  flush();
  closeSync(fd);
  return total;
}
