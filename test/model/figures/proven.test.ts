/** test: the highest level proven of each database's backups, out of records read forwards. */
import { expect, test } from 'vitest';
import type { Level } from '../../../src/model/backup/level.js';
import type { LedgerRecord } from '../../../src/model/events/ledger.js';
import { ProvenLevels } from '../../../src/model/figures/proven.js';
import { makeEvent } from '../../fixtures/ledger.js';

const at = (day: number): string => new Date(Date.UTC(2026, 0, day)).toISOString();
const made = (day: number, database: string, proven?: Level): LedgerRecord => {
  const result = { success: true, backupId: `${database}-${day}`, duration: 1, size: 1 };
  const event = { ...makeEvent(day, 'completed'), database, result, ...(proven && { proven }) };
  return { record: 'event', ...event, step: 2, from: 'running', v: 1, at: at(day), prev: '' };
};
const verified = (day: number, of: number, database: string, level: Level, ok = true): LedgerRecord => {
  const about = { backupId: `${database}-${of}`, database, storage: 'local', level, ok, detail: '', duration: 1 };
  return { record: 'verification', ...about, ...(!ok && { undone: true as const }), v: 1, at: at(day), prev: '' };
};
function proven(...records: LedgerRecord[]) {
  const fold = new ProvenLevels();
  for (const record of records) fold.take(record);
  return fold.figures();
}

test('is the highest, with its newest date and backup', () => {
  const records = [
    made(1, 'shop', 'archive'),
    verified(2, 1, 'shop', 'restore'),
    made(3, 'shop', 'archive'),
    verified(4, 3, 'shop', 'restore'),
    verified(5, 1, 'shop', 'checksum'),
    made(6, 'shop', 'archive'),
    made(2, 'club', 'checksum'),
    made(3, 'club', 'checksum'),
  ];
  expect(proven(...records)).toEqual([
    { database: 'club', level: 'checksum', at: at(3), backupId: 'club-3' },
    { database: 'shop', level: 'restore', at: at(4), backupId: 'shop-3' },
  ]);
});

test('what failed or was not done proves nothing; a database whose backups were never proven is there', () => {
  expect(proven(made(1, 'shop'), verified(2, 1, 'shop', 'restore', false))).toEqual([
    { database: 'shop', level: null, at: null, backupId: null },
  ]);
  expect(proven()).toEqual([]);
});
