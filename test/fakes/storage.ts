/**
 * test: a storage in memory that fails where it is told to, and counts what it was given. It remembers nothing beyond its test.
 */
import { Readable, Writable } from 'node:stream';
import { setImmediate as turn } from 'node:timers/promises';
import { refuseBadName, type BackupPlace } from '../../src/model/backup/backup.js';
import { Failure } from '../../src/model/errors.js';
import { manifestName } from '../../src/model/settings/names.js';
import type { Deposit, Storage, StoredBackup } from '../../src/model/roles/storage.js';

export type StorageStep = 'put' | 'write' | 'bytes' | 'end' | 'late' | 'seal' | 'read' | 'commit';

export interface MemoryStorageOptions {
  /** The step that fails, always. `late`: the dump's stream breaks after its last piece was taken and before its end. */
  readonly failsAt?: StorageStep;
  /** Turns of the event loop that each piece takes. */
  readonly slowness?: number;
  /** Keeps no bytes, only counts them. */
  readonly forgetful?: boolean;
  readonly required?: boolean;
}

export interface MemoryStorage extends Storage {
  /** Committed backups: files by name. */
  readonly kept: Map<string, Map<string, Buffer>>;
  /** Backups begun, neither committed nor aborted. */
  readonly open: Set<string>;
  /** Bytes taken so far. */
  taken(): number;
}

const keyOf = ({ database, backupId }: BackupPlace): string => `${database}/${backupId}`;
const notHere = async (): Promise<never> => {
  throw new Error('the storage of this test does not know that');
};

export function memoryStorage(
  name: string,
  { failsAt, slowness = 0, forgetful = false, required = false }: MemoryStorageOptions = {},
): MemoryStorage {
  const kept = new Map<string, Map<string, Buffer>>();
  const open = new Set<string>();
  let [taken, known] = [0, false];
  const may = (step: StorageStep): void => {
    if (failsAt === step) throw new Failure('storage', `storage "${name}": ${step} failed`);
  };

  const streamInto = (pieces: Buffer[], artifact: string): Writable => {
    const take = async (data: Buffer) => {
      for (let waited = 0; waited < slowness; waited += 1) await turn();
      may('bytes');
      taken += data.length;
      if (!forgetful) pieces.push(Buffer.from(data));
    };
    const stream: Writable = new Writable({
      write: (data: Buffer, _encoding, next) => {
        take(data).then(() => {
          next();
          if (failsAt === 'late' && artifact === 'database.dump') stream.destroy(new Error('the line broke'));
        }, next);
      },
      final: (next) => next(failsAt === 'end' ? new Error('the line broke') : null),
    });
    return stream;
  };

  const depositAt = (place: BackupPlace): Deposit => {
    const files = new Map<string, Buffer[]>();
    const bytesOf = (artifact: string) => Buffer.concat(files.get(artifact) ?? []);
    return {
      async write(artifact) {
        may('write');
        files.set(artifact, []);
        return streamInto(files.get(artifact) ?? [], artifact);
      },
      async seal(artifact, size) {
        may('seal');
        const found = bytesOf(artifact).length;
        if (!forgetful && failsAt !== 'late' && found !== size)
          throw new Failure('storage', `${artifact} has ${found} bytes instead of ${size}`);
      },
      async read(artifact) {
        may('read');
        return Readable.from([bytesOf(artifact)], { objectMode: false });
      },
      async commit(manifest) {
        may('commit');
        open.delete(keyOf(place));
        kept.set(
          keyOf(place),
          new Map([...files.keys()].map((file) => [file, bytesOf(file)] as const)).set(manifestName, Buffer.from(manifest)),
        );
      },
      async abort() {
        open.delete(keyOf(place));
        kept.delete(keyOf(place));
      },
    };
  };

  const storedAt = (place: BackupPlace): StoredBackup | null => {
    const files = kept.get(keyOf(place));
    if (!files) return null;
    const sizes = [...files].filter(([file]) => file !== manifestName).map(([file, bytes]) => [file, bytes.length] as const);
    return { place, manifest: files.get(manifestName) ?? null, sizes: Object.fromEntries(sizes) };
  };

  return {
    name,
    kind: 'memory',
    required,
    kept,
    open,
    taken: () => taken,
    probe: async () => ({ marker: known ? 'known' : 'new', freeBytes: null, detail: 'memory' }),
    adopt: async () => void (known = true),
    async put(place) {
      may('put');
      refuseBadName(place);
      known = true;
      if (open.has(keyOf(place)) || kept.has(keyOf(place))) throw new Failure('storage', `${keyOf(place)} is there already`);
      open.add(keyOf(place));
      return depositAt(place);
    },
    async get(place, artifact) {
      const bytes = kept.get(keyOf(place))?.get(artifact);
      if (!bytes) throw new Failure('storage', `storage "${name}": there is no ${artifact}`);
      return Readable.from([bytes], { objectMode: false });
    },
    async *list(database) {
      for (const key of [...kept.keys()].toSorted().toReversed()) {
        const [folder = '', backupId = ''] = key.split('/');
        const stored = folder === (database ?? folder) ? storedAt({ database: folder, backupId }) : null;
        if (stored) yield stored;
      }
    },
    stat: async (place) => {
      refuseBadName(place);
      return storedAt(place);
    },
    sweep: async (place) => {
      refuseBadName(place);
      open.delete(keyOf(place));
    },
    mark: notHere,
    unmark: notHere,
    discard: notHere,
    recover: notHere,
    async *discarded() {},
    remove: notHere,
  };
}
