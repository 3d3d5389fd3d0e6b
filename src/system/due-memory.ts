/**
 * system: the DueMemory role in `due.json` of the state directory. It believes nothing that does not fit what lies there now,
 * and deleting it is always safe.
 */
import { readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import type { Clock } from '../model/roles/clock.js';
import type { DueMemory, DueNote } from '../model/roles/due-memory.js';
import { writeAtomic } from './files/files.js';
import { ledgerFolder, segmentAt, segmentsOf } from './ledger/segments.js';

const format = 2;

interface Stored extends DueNote {
  readonly format: typeof format;
  /** When it was written, ISO 8601: nothing is proven for before, should the clock be set back. */
  readonly at: string;
  /** Which file the position lies in. */
  readonly file: string;
}

const isStored = (value: unknown): value is Stored =>
  typeof value === 'object' && value !== null && 'format' in value && value.format === format;

/** A file's status in short; empty when it is not there. */
function statusOf(path: string): string {
  const found = statSync(path, { throwIfNoEntry: false });
  return found ? `${found.ino}:${found.size}:${found.mtimeMs}` : '';
}

/** `configuration` tells what the answers depend on beside the state directory; null: nothing can be told, so that nothing is quiet. */
export function openDueMemory(stateDirectory: string, configuration: string | null, clock: Pick<Clock, 'now'>): DueMemory {
  const path = join(stateDirectory, 'due.json');

  const read = (): Stored | null => {
    try {
      const value: unknown = JSON.parse(readFileSync(path, 'utf8'));
      return isStored(value) ? value : null;
    } catch {
      return null;
    }
  };
  const mark = (watched: readonly string[]): string => {
    const newest = segmentsOf(stateDirectory).at(-1)?.path ?? '';
    return [
      configuration,
      statusOf(ledgerFolder(stateDirectory)),
      newest,
      statusOf(newest),
      statusOf(join(stateDirectory, 'run')),
      ...watched.map(statusOf),
    ].join(' ');
  };
  const fileOf = (segment: number, offset: number): string | null => {
    const found = statSync(segmentAt(stateDirectory, segment).path, { throwIfNoEntry: false });
    return found && found.size > offset ? `${found.dev}:${found.ino}` : null;
  };

  return {
    recall() {
      const note = read();
      return note && fileOf(note.position.segment, note.position.offset) === note.file ? note : null;
    },
    mark,
    remember(note) {
      const file = fileOf(note.position.segment, note.position.offset);
      try {
        if (file !== null)
          writeAtomic(path, `${JSON.stringify({ format, at: clock.now().toISOString(), file, ...note } satisfies Stored)}\n`);
      } catch {
        // the next one looks for itself
      }
    },
    isQuiet(at) {
      const note = configuration === null ? null : read();
      const time = at.toISOString();
      return note?.nextAt != null && note.at <= time && time < note.nextAt && note.mark === mark(note.watched);
    },
  };
}
