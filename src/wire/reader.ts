/**
 * wire: what is kept of the ledger, for whoever is asked about it again and again.
 */
import { LedgerReader } from '../core/history/reader.js';
import { openMemory } from '../system/files/memory.js';
import type { OpenSight } from './sight.js';

/** Remembered by the name that `metrics` remembers it by: they keep the same. */
export const openReader = ({ ledger, stateDirectory }: OpenSight): LedgerReader =>
  new LedgerReader(ledger, openMemory(stateDirectory, 'metrics.json'));
