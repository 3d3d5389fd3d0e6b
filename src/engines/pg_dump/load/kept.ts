/**
 * engines: a load from an archive that is kept in a private folder: over several connections, of parts, from a directory, or once more.
 */
import { join } from 'node:path';
import type { TableCount } from '../../../model/backup/backup.js';
import type { Installed } from '../../../model/backup/client-choice.js';
import { passesOf, tablesIn, type Entry } from '../../../model/restore/contents.js';
import type { Load, LoadRequest } from '../../../model/roles/engine/load.js';
import type { Session } from '../../../system/postgres/postgres.js';
import { retakeFingerprint } from '../look/content.js';
import { directoryIn, unpackStage } from '../archive/directory.js';
import type { Stager, Way } from './stages.js';
import { checkRoom, choose, keepIn, list, mostOf, output, writeList } from '../archive/spool.js';

export interface Keeping {
  readonly folder: string;
  readonly stages: Stager;
  /** Does a deed in a session on the target. */
  readonly use: <T>(deed: (session: Session) => Promise<T>) => Promise<T>;
}

const readSchemas = async (session: Session): Promise<string[]> =>
  (await session.query<{ name: string }>('SELECT nspname::text AS name FROM pg_catalog.pg_namespace')).map(({ name }) => name);

/** What one pg_restore is told beside the way. */
interface Pass {
  readonly jobs: number;
  readonly options: readonly string[];
}

/**
 * Over several connections. Triggers of a partitioned table that are made before its partitions are filled would fire, so the tables are filled
 * first. Privileges are given over one: who hands on what was granted to them may need another grant before.
 */
async function passes(
  folder: string,
  entries: readonly Entry[],
  { jobs, chosen }: { jobs: number; chosen: string | null },
): Promise<Pass[]> {
  const { first, privileges, last } = passesOf(entries);
  const only = async (name: string, some: readonly Entry[]) => `--use-list=${await writeList(join(folder, name), some)}`;
  const filling = ['--section=pre-data', '--section=data', '--no-privileges', ...(chosen === null ? [] : [`--use-list=${chosen}`])];
  return [
    { jobs, options: filling },
    { jobs, options: ['--section=post-data', await only('first', first)] },
    ...(privileges.length > 0 ? [{ jobs: 1, options: [await only('privileges', privileges)] }] : []),
    ...(last.length > 0 ? [{ jobs, options: [await only('last', last)] }] : []),
  ];
}

/** Throws `no-space` before a byte is taken. */
export async function loadKept(client: Installed, request: LoadRequest, { folder, stages, use }: Keeping): Promise<Omit<Load, 'close'>> {
  const { details, parts, replace, signal, form, jobs = 1 } = request;
  const kept = form === 'directory' ? directoryIn(folder) : join(folder, 'archive');
  await checkRoom(folder, request.expectedSize, 'the restore needs the archive');
  let filled: readonly TableCount[] | null = null;
  let chosen: Awaited<ReturnType<typeof choose>> | null = null;
  const run = async (way: Way, options: readonly string[]) => output(stages(way, ...options, kept), signal);
  const byOne = async (way: Way) => run(way, chosen ? [`--use-list=${chosen.list}`] : []);
  const bySeveral = async () => {
    const entries = chosen?.entries ?? (await list(client, kept, [], signal));
    for (const pass of await passes(folder, entries, { jobs, chosen: chosen?.list ?? null }))
      await run({ clean: false, atomic: false, jobs: pass.jobs }, pass.options);
  };
  return {
    stages: [form === 'directory' ? unpackStage(folder) : keepIn(kept, mostOf(request.expectedSize))],
    finish: async () => {
      const ground = parts && { empty: !replace, schemas: await use(readSchemas) };
      chosen = parts && ground ? await choose(client, kept, { parts, ground, signal }) : null;
      filled = chosen && tablesIn(chosen.entries, details.fingerprint.tables);
      await (jobs > 1 ? bySeveral() : byOne({ clean: replace, atomic: replace, jobs: 1 }));
      return filled;
    },
    again: async () => {
      // not in one transaction: the target was empty, and a transaction has room for so many objects only
      await byOne({ clean: true, atomic: false, jobs: 1 });
      return filled;
    },
    fingerprint: () => use((session) => retakeFingerprint(session, details, filled)),
  };
}
