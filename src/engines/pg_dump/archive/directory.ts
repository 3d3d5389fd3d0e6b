/**
 * engines: archives that are directories, which several processes write and read at once, kept in a private folder while they do and
 * packed by tar to be stored. It never decides when that is worth it.
 */
import { createReadStream, mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { PassThrough, Transform } from 'node:stream';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Installed } from '../../../model/backup/client-choice.js';
import { asFailure, Failure } from '../../../model/errors.js';
import type { ProgramStage, TransformStage } from '../../../model/roles/flow.js';
import { sizeOfFolder } from '../../../system/files/disk.js';
import { runFlow } from '../../../system/programs/flow.js';
import { findProgram } from '../../../system/programs/programs.js';
import { output, roomHint } from './spool.js';
import { archiveStage, explainExit } from './stages.js';

/** The directory's name in the folder where it is kept, and in the tar. */
const directoryName = 'database.dir';
export const directoryIn = (folder: string): string => join(folder, directoryName);

/** The table of contents of a directory that is whole. */
export const contentsIn = (directory: string): AsyncIterable<Buffer> => createReadStream(join(directory, 'toc.dat'));

const piece = 1024 * 1024;

function tar(folder: string, args: readonly string[]): ProgramStage {
  const file = findProgram('tar');
  if (!file)
    throw new Failure('configuration', 'the program tar is not to be found: what several processes dumped is packed by it', {
      hint: 'install it, e.g. `apt-get install tar`, or set jobs to 1',
    });
  return {
    kind: 'program',
    file,
    stopsReading: true,
    args: [...args, '--file=-', `--directory=${folder}`, directoryName],
    explain: (exit) => {
      const failure = explainExit(`the archive in ${folder}`, exit, 'archive');
      return failure.code === 'no-space' ? new Failure('no-space', failure.message, { hint: roomHint }) : failure;
    },
  };
}

export const packStage = (folder: string): ProgramStage => tar(folder, ['--create', '--format=gnu', '--numeric-owner']);
/** Compares what it reads with the directory that was packed, byte by byte. */
export const compareStage = (folder: string): ProgramStage => tar(folder, ['--compare']);
export const unpackStage = (folder: string): ProgramStage => tar(folder, ['--extract', '--no-same-owner', '--no-same-permissions']);

/** Runs a pg_dump into its directory; says every second how much there is, or less often where that takes long to find out. */
export async function collect(dump: ProgramStage, folder: string, signal: AbortSignal, moved: (bytes: number) => void): Promise<void> {
  const over = new AbortController();
  const watch = async () => {
    for (let took = 0; ;) {
      await sleep(Math.max(1000, 20 * took), undefined, { signal: over.signal });
      const began = performance.now();
      moved(await sizeOfFolder(directoryIn(folder)));
      took = performance.now() - began;
    }
  };
  watch().catch(() => {});
  try {
    await output(dump, signal);
  } finally {
    over.abort();
  }
}

/** Unpacks what it is given, then has pg_restore read all of it; yields nothing. */
export const unpackedCheck = (client: Installed, folder: string): TransformStage => ({
  kind: 'transform',
  create: () => {
    mkdirSync(folder, { recursive: true, mode: 0o700 });
    const over = new AbortController();
    const input = new PassThrough({ writableHighWaterMark: piece, readableHighWaterMark: piece });
    const unpack = runFlow([unpackStage(folder)], { input, signal: over.signal });
    unpack.output.resume();
    const check = new Transform({
      transform: (data: Buffer, _encoding, next) => input.write(data, () => next()),
      flush: (next) => {
        input.end();
        unpack.done.then(() => output(archiveStage(client, directoryIn(folder)), over.signal)).then(() => next(), next);
      },
      destroy: (error, next) => {
        over.abort(asFailure(error ?? new Error('nothing is checked any more'), 'archive'));
        next(error);
      },
    });
    unpack.done.catch((error: unknown) => check.destroy(asFailure(error)));
    return check;
  },
});
