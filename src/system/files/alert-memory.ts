/**
 * system: the AlertMemory role on a file of the state directory. It knows nothing of what it keeps.
 */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { AlertMemory } from '../../model/roles/alert-memory.js';
import { ledgerFailure } from '../ledger/segments.js';
import { ensurePrivateDirectory, writeAtomic } from './files.js';

export function openAlertMemory(stateDirectory: string): AlertMemory {
  const path = join(stateDirectory, 'alerts.json');
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
