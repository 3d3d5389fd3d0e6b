/**
 * test: which copies are owed and when they are tried, from lines of the ledger alone.
 */
import { describe, expect, test } from 'vitest';
import { OwedCopies } from '../../../src/model/backup/owed-copies.js';
import type { LedgerRecord } from '../../../src/model/events/ledger.js';

const at = (hours: number): string => new Date(Date.UTC(2026, 0, 1) + hours * 3_600_000).toISOString();
const made = (id: string, hours: number, missing?: string[]): LedgerRecord =>
  ({ record: 'event', id, database: 'shop', status: 'completed', at: at(hours), ...(missing && { missing }) }) as unknown as LedgerRecord;
const copy = (backupId: string, to: string, hours: number, ok: boolean): LedgerRecord =>
  ({
    record: 'copy',
    backupId,
    database: 'shop',
    from: 'a',
    to,
    ok,
    at: at(hours),
    detail: '',
    size: 0,
    duration: 0,
  }) as unknown as LedgerRecord;

/** Lines oldest first, as they were written. */
function fold(...lines: LedgerRecord[]): OwedCopies {
  const copies = new OwedCopies();
  for (const line of lines.toReversed()) copies.take(line);
  return copies;
}
const due = (copies: OwedCopies, hours: number) => copies.due(new Date(at(hours))).map(({ backupId, storage }) => `${backupId} ${storage}`);

describe('owed copies', () => {
  test('nothing is owed where nothing was missing', () => {
    expect(due(fold(made('b1', 0), made('b2', 1)), 2)).toEqual([]);
  });

  test('what was missing is owed until it was copied, each storage by itself', () => {
    const lines = [made('b1', 0, ['b', 'c']), made('b2', 1, ['b'])];
    expect(due(fold(...lines), 2)).toEqual(['b2 b', 'b1 b', 'b1 c']);
    expect(due(fold(...lines, copy('b1', 'b', 2, true)), 3)).toEqual(['b2 b', 'b1 c']);
  });

  test.each([
    [1, 1],
    [2, 2],
    [3, 4],
    [5, 16],
    [6, 24],
    [20, 24],
  ])('after %i failures in a row a storage is left alone for %i h, and another one is not', (failures, hours) => {
    const tries = Array.from({ length: failures }, (_, index) => copy('b1', 'b', (index + 1) / 100, false));
    const copies = fold(made('b1', 0, ['b', 'c']), ...tries);
    expect(due(copies, failures / 100 + hours - 0.01)).toEqual(['b1 c']);
    expect(due(copies, failures / 100 + hours)).toEqual(['b1 b', 'b1 c']);
  });

  test('a copy that went well ends the row of failures', () => {
    const lines = [
      made('b1', 0, ['b']),
      made('b2', 1, ['b']),
      ...[2, 3, 4].map((hour) => copy('b2', 'b', hour, false)),
      copy('b2', 'b', 5, true),
    ];
    expect(due(fold(...lines), 5)).toEqual(['b1 b']);
    expect(due(fold(...lines, copy('b1', 'b', 6, false)), 6.5)).toEqual([]);
    expect(due(fold(...lines, copy('b1', 'b', 6, false)), 7)).toEqual(['b1 b']);
  });
});
