/**
 * core: which backups exist, told by the storages themselves; the ledger only adds what was proven since.
 */
import { storedSize, type Backup, type Manifest, type Proof } from '../model/backup.js';
import { Failure } from '../model/errors.js';
import { levelRank } from '../model/level.js';
import { nearest } from '../model/nearest.js';
import { msPerDay } from '../model/units.js';
import type { Context } from './context.js';
import { readManifest } from './manifest.js';

export interface Catalog {
  /** Newest first. */
  readonly backups: readonly Backup[];
  /** Folders that are not backups, and storages that could not be read, a sentence each. */
  readonly problems: readonly string[];
}

interface Found {
  readonly manifest: Manifest;
  readonly signed: boolean;
  readonly storages: string[];
}

async function collect(context: Context, database: string | undefined, problems: string[]): Promise<Map<string, Found>> {
  const found = new Map<string, Found>();
  for (const storage of context.storages) {
    try {
      for await (const stored of storage.list(database)) {
        const read = readManifest(stored, context.signer);
        if ('problem' in read) problems.push(`${storage.name}: ${stored.place.database}/${stored.place.backupId}: ${read.problem}`);
        else {
          const known = found.get(stored.place.backupId);
          if (known) known.storages.push(storage.name);
          else found.set(stored.place.backupId, { manifest: read.manifest, signed: read.trust === 'signed', storages: [storage.name] });
        }
      }
    } catch (error) {
      problems.push(error instanceof Error ? error.message : String(error));
    }
  }
  return found;
}

/** A clock may have been set back by this much between a backup and its verification. */
const clockSlack = msPerDay;

/** The highest level proven of each backup since it was made, and those whose newest verification failed. */
async function proofs(context: Context, oldest: string): Promise<{ best: Map<string, Proof>; failed: Set<string> }> {
  const best = new Map<string, Proof>();
  const failed = new Set<string>();
  const earliest = new Date(Date.parse(oldest) - clockSlack).toISOString();
  for await (const { record } of context.ledger.readBackwards()) {
    if (record.at < earliest) break;
    if (record.record !== 'verification') continue;
    const known = best.get(record.backupId);
    if (!record.ok && !known) failed.add(record.backupId);
    if (record.ok && !failed.has(record.backupId) && levelRank(record.level) > levelRank(known?.level))
      best.set(record.backupId, { level: record.level, at: record.at });
  }
  return { best, failed };
}

const newestFirst = (manifests: Iterable<Found>): Found[] =>
  [...manifests].toSorted((a, b) => (a.manifest.backupId < b.manifest.backupId ? 1 : -1));

/** The manifests of one database's backups, newest first, without what the ledger knows of them. */
export async function manifestsOf(context: Context, database: string): Promise<Manifest[]> {
  return newestFirst((await collect(context, database, [])).values()).map(({ manifest }) => manifest);
}

/** Every backup in every storage, newest first; `database` is a configured name. */
export async function catalog(context: Context, database?: string): Promise<Catalog> {
  const problems: string[] = [];
  const found = await collect(context, database, problems);
  const whole = newestFirst(found.values());
  const { best, failed } = await proofs(context, whole.at(-1)?.manifest.startedAt ?? context.clock.now().toISOString());
  const backups = whole.map(({ manifest, signed, storages }): Backup => {
    const later = best.get(manifest.backupId);
    const proven = levelRank(later?.level) >= levelRank(manifest.proven?.level) ? (later ?? manifest.proven) : manifest.proven;
    return {
      backupId: manifest.backupId,
      database: manifest.database,
      scheduleId: manifest.scheduleId,
      timestamp: manifest.startedAt,
      size: storedSize(manifest),
      storages,
      proven,
      pinned: false,
      suspect: failed.has(manifest.backupId),
      signed,
      manifest,
    };
  });
  return { backups, problems };
}

/** One backup by id (or the unique beginning of one) or `latest`. Throws `not-found` naming the nearest. */
export async function findBackup(context: Context, id: string, database?: string): Promise<Backup> {
  if (database !== undefined && !/^[a-z0-9][a-z0-9_-]*$/.test(database))
    throw new Failure('not-found', `there is no database "${database}"`, { hint: `there are: ${context.databases.join(', ')}` });
  const { backups, problems } = await catalog(context, database);
  if (backups.length === 0)
    throw new Failure(
      'not-found',
      `there is no backup${database ? ` of ${database}` : ''}${problems.length > 0 ? `: ${problems.join('; ')}` : ''}`,
      {
        hint: 'make one with `backup-automation execute`',
      },
    );
  if (id === 'latest') return newest(backups);
  const matches = backups.filter((backup) => backup.backupId === id || (id.length >= 4 && backup.backupId.startsWith(id)));
  const [match, second] = matches;
  if (match && !second) return match;
  if (match) throw new Failure('not-found', `"${id}" is the beginning of ${matches.length} backups`, { hint: 'type more of it' });
  const near = nearest(
    id,
    backups.map((backup) => backup.backupId),
  );
  throw new Failure('not-found', `there is no backup "${id}"`, {
    hint: `the nearest: ${near.join(', ')}; list them with \`backup-automation backups\``,
  });
}

/** The newest that no verification spoke against; with several databases one must be named. */
function newest(backups: readonly Backup[]): Backup {
  const names = new Set(backups.map((backup) => backup.database));
  if (names.size > 1)
    throw new Failure('usage', `there are backups of ${names.size} databases`, {
      hint: `add --database with one of: ${[...names].join(', ')}`,
    });
  const good = backups.find((backup) => !backup.suspect);
  if (!good)
    throw new Failure('verification', 'every backup failed its newest verification', { hint: 'name one by its id to use it all the same' });
  return good;
}
