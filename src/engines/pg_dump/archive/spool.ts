/**
 * engines: an archive kept in a private file for the time of one restore, where pg_restore must look into it before or from several sides.
 */
import { open, writeFile, type FileHandle } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { Transform } from 'node:stream';
import type { Installed } from '../../../model/backup/client-choice.js';
import { parseContents, selectEntries, type Entry, type Ground } from '../../../model/restore/contents.js';
import type { LoadRequest } from '../../../model/roles/engine/load.js';
import { Failure } from '../../../model/errors.js';
import type { ProgramStage, Stage, TransformStage } from '../../../model/roles/flow.js';
import { formatBytes } from '../../../model/units.js';
import { freeBytes } from '../../../system/files/disk.js';
import { runFlow } from '../../../system/programs/flow.js';
import { explainExit } from './stages.js';

export const roomHint = 'make room there, or set stateDirectory to a folder on a larger disk';

/** Refuses before a byte is written where `needed` bytes would not fit. `what`: who needs what. Throws `no-space`. */
export async function checkRoom(folder: string, needed: number | null | undefined, what: string): Promise<void> {
  const free = await freeBytes(folder);
  if (needed == null || free === null || free >= needed) return;
  throw new Failure('no-space', `${what} in ${folder}: up to ${formatBytes(needed)}, there are ${formatBytes(free)} free`, {
    hint: roomHint,
  });
}

/**
 * A decoded archive is hardly ever larger than its database: with rows that were compressed in their tables, several times. What is far beyond
 * that is none, and must not fill the disk. Bytes; null where the database's size is not known.
 */
export const mostOf = (databaseSize: number | null | undefined): number | null => (databaseSize == null ? null : databaseSize * 20 + 1e9);

/** Takes the archive into `file`, readable by us alone; yields nothing. Fails with `archive` before more than `most` bytes are written. */
export const keepIn = (file: string, most: number | null = null): TransformStage => ({
  kind: 'transform',
  create: () => {
    let handle: FileHandle | undefined;
    let kept = 0;
    const write = async (data: Buffer) => {
      kept += data.length;
      if (most !== null && kept > most) throw tooMuch(most);
      handle ??= await open(file, 'wx', 0o600);
      for (let done = 0; done < data.length;) done += (await handle.write(data, done)).bytesWritten;
    };
    const close = async () => handle?.close();
    const explain = (error: unknown) =>
      error instanceof Failure
        ? error
        : new Failure('no-space', `the decoded archive cannot be kept: ${error instanceof Error ? error.message : String(error)}`, {
            hint: roomHint,
          });
    return new Transform({
      transform: (data: Buffer, _encoding, next) =>
        void write(data).then(
          () => next(),
          (error: unknown) => next(explain(error)),
        ),
      destroy: (reason, next) => void close().then(() => next(reason), next),
    });
  },
});

const tooMuch = (most: number) =>
  new Failure(
    'archive',
    `the archive does not end where it should: decoded it is larger than ${formatBytes(most)}, twenty times its database`,
    {
      hint: 'prove the stored bytes with `backup-automation verify ID --level checksum`; without --jobs, --table and --schema nothing is kept on the disk',
    },
  );

/** Runs stages to their end; what the last prints. Throws what a stage explains. */
export async function output(stages: ProgramStage | readonly Stage[], signal: AbortSignal): Promise<string> {
  const flow = runFlow('kind' in stages ? [stages] : stages, { signal });
  const pieces: Buffer[] = [];
  flow.output.on('data', (data: Buffer) => pieces.push(data));
  await flow.done;
  return Buffer.concat(pieces).toString('utf8');
}

/** The table of contents of an archive. */
export async function list(client: Installed, file: string, args: readonly string[], signal: AbortSignal): Promise<Entry[]> {
  const explain: ProgramStage['explain'] = (exit) => explainExit('the archive', exit, 'archive');
  return parseContents(
    await output({ kind: 'program', file: client.file('pg_restore'), args: ['--list', ...args, file], explain }, signal),
  );
}

/** Names are pg_restore's to compare: exactly, none is a pattern. Throws `not-found`. */
async function findSeeds(client: Installed, file: string, { tables, schemas }: Parts, signal: AbortSignal): Promise<Set<number>> {
  const inSchemas = schemas.map((name) => `--schema=${name}`);
  const seeds = new Set<number>();
  for (const arg of tables.length > 0 ? tables.map((name) => `--table=${name}`) : inSchemas) {
    const found = await list(client, file, tables.length > 0 ? [arg, ...inSchemas] : [arg], signal);
    if (found.length === 0)
      throw new Failure(
        'not-found',
        `the backup has no ${arg.replace(/^--(\w+)=(.*)$/s, (_all, what: string, name: string) => `${what} ${JSON.stringify(name)}`)}`,
        {
          hint: 'see its tables with `backup-automation backups show ID`; names are compared exactly, a schema is named by --schema',
        },
      );
    for (const { id } of found) seeds.add(id);
  }
  return seeds;
}

type Parts = NonNullable<LoadRequest['parts']>;

/** Writes the list of what is to be restored beside the archive. */
export async function choose(
  client: Installed,
  file: string,
  { parts, ground, signal }: { parts: Parts; ground: Ground; signal: AbortSignal },
): Promise<{ readonly list: string; readonly entries: readonly Entry[] }> {
  const seeds = await findSeeds(client, file, parts, signal);
  const entries = selectEntries(await list(client, file, ['--verbose'], signal), seeds, ground);
  return { list: await writeList(join(dirname(file), 'contents'), entries), entries };
}

/** What pg_restore's --use-list reads. Resolves to its path. */
export async function writeList(path: string, entries: readonly Entry[]): Promise<string> {
  await writeFile(path, entries.map(({ id }) => `${id};\n`).join(''), { mode: 0o600 });
  return path;
}
