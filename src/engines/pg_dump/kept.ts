/**
 * engines: a load from an archive that is kept in a private folder: over several connections, of parts, from a directory, or once more.
 */
import { join } from 'node:path';
import type { TableCount } from '../../model/backup/backup.js';
import type { Installed } from '../../model/backup/client-choice.js';
import { tablesIn } from '../../model/backup/contents.js';
import type { Load, LoadRequest } from '../../model/roles/engine.js';
import type { ProgramStage } from '../../model/roles/flow.js';
import type { Session } from '../../system/postgres/postgres.js';
import { retakeFingerprint } from './content.js';
import { directoryIn, unpackStage } from './directory.js';
import { checkRoom, choose, keepIn, mostOf, output } from './spool.js';

/** How one pg_restore fills the target. */
export interface Way {
  /** What the archive holds is dropped before it is made anew, all in one transaction. */
  readonly replace: boolean;
  readonly jobs: number;
}

/** A pg_restore into the target. */
export type Stager = (way: Way, ...more: string[]) => ProgramStage;

export interface Keeping {
  readonly folder: string;
  readonly stage: Stager;
  /** Does a deed in a session on the target. */
  readonly use: <T>(deed: (session: Session) => Promise<T>) => Promise<T>;
}

/** Several connections would make a trigger of a partitioned table before its partitions are filled, and it would fire. */
const inTurn = [['--section=pre-data', '--section=data'], ['--section=post-data']];

const readSchemas = async (session: Session): Promise<string[]> =>
  (await session.query<{ name: string }>('SELECT nspname::text AS name FROM pg_catalog.pg_namespace')).map(({ name }) => name);

/** Throws `no-space` before a byte is taken. */
export async function loadKept(client: Installed, request: LoadRequest, { folder, stage, use }: Keeping): Promise<Omit<Load, 'close'>> {
  const { details, parts, replace, signal, form, jobs = 1 } = request;
  const kept = form === 'directory' ? directoryIn(folder) : join(folder, 'archive');
  await checkRoom(folder, request.expectedSize, 'the restore needs the archive');
  let filled: readonly TableCount[] | null = null;
  let chose: string[] = [];
  const run = async (way: Way) => {
    for (const sections of way.jobs > 1 ? inTurn : [[]]) await output(stage(way, ...chose, ...sections, kept), signal);
  };
  return {
    stage: form === 'directory' ? unpackStage(folder) : keepIn(kept, mostOf(request.expectedSize)),
    finish: async () => {
      const ground = parts && { empty: !replace, schemas: await use(readSchemas) };
      const chosen = parts && ground && (await choose(client, kept, { parts, ground, signal }));
      if (chosen) chose = [`--use-list=${chosen.list}`];
      await run({ replace, jobs });
      filled = chosen ? tablesIn(chosen.entries, details.fingerprint.tables) : null;
      return filled;
    },
    again: () => run({ replace: true, jobs: 1 }),
    fingerprint: () => use((session) => retakeFingerprint(session, details, filled)),
  };
}
