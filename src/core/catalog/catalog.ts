/**
 * core: which backups exist, told by the storages themselves; the ledger only adds what was proven since.
 */
import { storedSize, type Backup, type Manifest } from '../../model/backup/backup.js';
import { Failure } from '../../model/errors.js';
import { isToCome } from '../../model/health/clock.js';
import { minuteOf } from '../../model/moment/minute.js';
import { pinnedName } from '../../model/settings/names.js';
import { nearest } from '../../model/settings/nearest.js';
import type { StoredBackup } from '../../model/roles/storage.js';
import { countOf } from '../../model/units.js';
import type { Context } from '../context.js';
import { readManifest } from '../backup/manifest.js';
import { earliestProof, Proofs } from './proofs.js';

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
  /** In any storage. */
  pinned: boolean;
}

async function collect(context: Context, database: string | undefined, problems: string[]): Promise<Map<string, Found>> {
  const found = new Map<string, Found>();
  for (const storage of context.storages) {
    try {
      for await (const stored of storage.list(database)) {
        const read = readManifest(stored, context.signer);
        if ('problem' in read) problems.push(`${storage.name}: ${stored.place.database}/${stored.place.backupId}: ${read.problem}`);
        else {
          const pinned = pinnedName in stored.sizes;
          const known = found.get(stored.place.backupId);
          if (known) {
            known.storages.push(storage.name);
            known.pinned ||= pinned;
          } else {
            const signed = read.trust === 'signed';
            found.set(stored.place.backupId, { manifest: read.manifest, signed, storages: [storage.name], pinned });
          }
        }
      }
    } catch (error) {
      problems.push(error instanceof Error ? error.message : String(error));
    }
  }
  return found;
}

async function proofsSince(context: Context, oldest: string): Promise<Proofs> {
  const proofs = new Proofs();
  const earliest = earliestProof(oldest);
  for await (const { record } of context.ledger.readBackwards()) {
    if (record.at < earliest) break;
    proofs.take(record);
  }
  return proofs;
}

const newestFirst = (manifests: Iterable<Found>): Found[] =>
  [...manifests].toSorted((a, b) => (a.manifest.backupId < b.manifest.backupId ? 1 : -1));

/** The manifest of a database's newest backup in any storage that can be read; null when there is none. Reads no more than it must. */
export async function newestManifest(context: Context, database: string): Promise<Manifest | null> {
  const newest = await Promise.all(context.storages.map((storage) => firstManifest(context, storage.list(database)).catch(() => null)));
  return newest.reduce((a, b) => (a && b ? (a.backupId > b.backupId ? a : b) : (a ?? b)), null);
}

async function firstManifest(context: Context, listed: AsyncIterable<StoredBackup>): Promise<Manifest | null> {
  for await (const stored of listed) {
    const read = readManifest(stored, context.signer);
    if ('manifest' in read) return read.manifest;
  }
  return null;
}

/** Every backup in every storage, newest first; `database` is a configured name. */
export async function catalog(context: Context, database?: string): Promise<Catalog> {
  const problems: string[] = [];
  const found = await collect(context, database, problems);
  const whole = newestFirst(found.values());
  const proofs = await proofsSince(context, whole.at(-1)?.manifest.startedAt ?? context.clock.now().toISOString());
  const backups = whole.map(({ manifest, signed, storages, pinned }): Backup => {
    const doubts = proofs.doubts(manifest, storages);
    return {
      backupId: manifest.backupId,
      database: manifest.database,
      scheduleId: manifest.scheduleId,
      timestamp: manifest.startedAt,
      size: storedSize(manifest),
      storages,
      badCopies: storages.filter((storage) => proofs.isBad(manifest.backupId, storage)),
      proven: proofs.of(manifest),
      pinned,
      suspect: doubts.length > 0,
      doubts,
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
  if (id === 'latest') return newest(context, backups);
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

/** The newest that nothing speaks against, and that is not dated ahead where another is not; with several databases one must be named. */
function newest(context: Context, backups: readonly Backup[]): Backup {
  const names = new Set(backups.map((backup) => backup.database));
  if (names.size > 1)
    throw new Failure('usage', `there are backups of ${names.size} databases`, {
      hint: `add --database with one of: ${[...names].join(', ')}`,
    });
  const [first] = backups;
  const now = context.clock.now();
  const sound = backups.filter((backup) => !backup.suspect);
  const good = sound.find(({ timestamp }) => !isToCome(timestamp, now)) ?? sound[0];
  if (!good) throw new Failure('verification', 'every backup is suspect', { hint: 'name one by its id to use it all the same' });
  if (first && first !== good) {
    const why = first.suspect ? `it is suspect: ${first.doubts.join('; ')}` : `it is dated in the future, ${minuteOf(first.timestamp)}`;
    const message = `${first.backupId} is newer, and passed over because ${why}`;
    context.announce({ kind: 'warning', database: good.database, message });
  }
  if (!good.signed) {
    const message = `${good.backupId} was made by another installation, on ${good.manifest.host}: name one by its id if that is not the one you mean`;
    context.announce({ kind: 'warning', database: good.database, message });
  }
  return good;
}

/** What others put into these storages, for whoever asks how things are. */
export function foreignAdvice({ backups }: Pick<Catalog, 'backups'>): string[] {
  const foreign = backups.filter(({ signed }) => !signed);
  if (foreign.length === 0) return [];
  const hosts = [...new Set(foreign.map(({ manifest }) => manifest.host))].join(', ');
  return [
    `${countOf(foreign.length, 'backup was', 'backups were')} made by another installation, on ${hosts}: they are listed and may be the \`latest\`, and are never removed from here; give each installation a folder of its own`,
  ];
}
