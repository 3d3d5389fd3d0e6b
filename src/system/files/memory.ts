/**
 * system: the Memory role on a file of the state directory. It knows nothing of what it keeps.
 */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Memory } from '../../model/roles/memory.js';
import { ledgerFailure } from '../ledger/segments.js';
import { ensurePrivateDirectory, writeAtomic } from './files.js';

/** `name`: the file's. */
export function openMemory(stateDirectory: string, name: string): Memory {
  const path = join(stateDirectory, name);
  return {
    recall() {
      try {
        return JSON.parse(readFileSync(path, 'utf8')) as unknown;
      } catch {
        return null; // it is folded anew
      }
    },
    keep(content) {
      ensurePrivateDirectory(stateDirectory);
      try {
        writeAtomic(path, `${JSON.stringify(content)}\n`);
      } catch (error) {
        throw ledgerFailure('write', path, error);
      }
    },
  };
}
