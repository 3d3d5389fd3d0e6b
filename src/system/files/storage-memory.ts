/**
 * system: remembers in the state directory which marker each storage carried at its first use; knows no storage.
 */
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { Failure } from '../../model/errors.js';
import { ensurePrivateDirectory, writeAtomic } from './files.js';
import { ledgerFailure } from '../ledger/segments.js';

export interface StorageMemory {
  /** The remembered marker; null before the first use. */
  recall(storage: string): Promise<string | null>;
  remember(storage: string, marker: string): Promise<void>;
}

export function openStorageMemory(stateDirectory: string): StorageMemory {
  const fileOf = (storage: string) => join(stateDirectory, 'storages', storage);
  return {
    async recall(storage) {
      try {
        return (await readFile(fileOf(storage), 'utf8')).trim();
      } catch (error) {
        if ((error as NodeJS.ErrnoException).code === 'ENOENT') return null;
        throw new Failure('ledger', `${fileOf(storage)} cannot be read: ${String(error)}`, { cause: error });
      }
    },
    async remember(storage, marker) {
      ensurePrivateDirectory(stateDirectory);
      ensurePrivateDirectory(join(stateDirectory, 'storages'));
      try {
        writeAtomic(fileOf(storage), `${marker}\n`);
      } catch (error) {
        throw ledgerFailure('write', fileOf(storage), error);
      }
    },
  };
}
