import { describe, expect, test } from 'vitest';
import type { Fingerprint, Manifest } from '../../../src/model/backup/backup.js';
import { rowSuspicion, sizeSuspicions } from '../../../src/model/backup/suspect.js';

const sized = (
  size: number,
  more: { codecs?: string[]; databaseSize?: number | null } = {},
): Pick<Manifest, 'artifacts' | 'databaseSize'> => ({
  databaseSize: more.databaseSize ?? null,
  artifacts: [
    { name: 'database.dump', kind: 'database', size, sha256: 'a'.repeat(64), plainSha256: null, codecs: more.codecs ?? ['zstd'] },
    { name: 'details.json', kind: 'details', size: 1_000_000_000, sha256: 'a'.repeat(64), plainSha256: null, codecs: [] },
  ],
});
const MB = 1_000_000;
const last = [100, 110, 90, 120, 80].map((size) => sized(size * MB));

describe('sizes', () => {
  test.each([
    ['as usual', 100 * MB, false],
    ['half of the median', 50 * MB, false],
    ['less than half of it', 50 * MB - 1, true],
    ['G5: a tenth of it', 10 * MB, true],
    ['G5: 12 bytes', 12, true],
    ['three times', 300 * MB, false],
    ['more than that', 300 * MB + 1, true],
  ])('%s', (_name, size, suspect) => {
    expect(sizeSuspicions(sized(size), last)).toHaveLength(suspect ? 1 : 0);
  });

  test('says what was found and what is usual', () => {
    expect(sizeSuspicions(sized(10 * MB), last)).toEqual(['the archive has 10.0 MB, and was 100 MB in the last 5 good backups (10 %)']);
  });

  test('only the last five count, and the first backup is compared with nothing', () => {
    expect(sizeSuspicions(sized(10 * MB), [...Array.from({ length: 5 }, () => sized(10 * MB)), ...last])).toEqual([]);
    expect(sizeSuspicions(sized(12), [])).toEqual([]);
  });

  test('small databases may double, and halve', () => {
    expect(sizeSuspicions(sized(200_000), [sized(20_000)])).toEqual([]);
    expect(sizeSuspicions(sized(5_000), [sized(20_000)])).toEqual([]);
    expect(sizeSuspicions(sized(12), [sized(30_000)])).toHaveLength(1);
  });

  test('another codec makes another size; the size on the server is compared all the same', () => {
    expect(sizeSuspicions(sized(900 * MB, { codecs: [] }), last)).toEqual([]);
    const before = [sized(100 * MB, { databaseSize: 1000 * MB })];
    expect(sizeSuspicions(sized(900 * MB, { codecs: [], databaseSize: 10 * MB }), before)).toEqual([
      'the database has 10.0 MB, and was 1.0 GB in the last good backup (1 %)',
    ]);
  });
});

const counts = (tables: Readonly<Record<string, number>>, method: Fingerprint['method'] = 'counts'): Fingerprint => ({
  method,
  tables: Object.entries(tables).map(([name, rows]) => ({ schema: 'public', name, rows })),
  largeObjects: 0,
});

describe('rows', () => {
  const before = counts({ orders: 100_000, customers: 5000, codes: 900 });

  test('as many as before, more, or a little fewer: nothing', () => {
    expect(rowSuspicion(before, before)).toBeNull();
    expect(rowSuspicion(counts({ orders: 50_000, customers: 9000, codes: 900, new: 1 }), before)).toBeNull();
  });

  test('more than half of them gone, by name for the person and without for the manifest', () => {
    expect(rowSuspicion(counts({ orders: 49_999, customers: 0, codes: 900 }), before)).toEqual({
      sealed: '2 tables lost most of the rows that the last good backup has',
      told: '2 tables lost most of the rows that the last good backup has: public.orders has 49999 rows of 100000; public.customers has 0 rows of 5000',
    });
  });

  test('a table that is gone; a tiny one may go', () => {
    expect(rowSuspicion(counts({ orders: 100_000, customers: 5000 }), before)).toBeNull();
    expect(rowSuspicion(counts({ customers: 5000, codes: 900 }), before)?.told).toContain('public.orders with 100000 rows is gone');
  });

  test('a partition that is dropped while others like it are there', () => {
    const parts = counts({ visits_2026_01: 50_000, visits_2026_02: 50_000 });
    expect(rowSuspicion(counts({ visits_2026_02: 50_000, visits_2026_03: 1 }), parts)).toBeNull();
    expect(rowSuspicion(counts({ visits: 1 }), parts)?.sealed).toContain('2 tables');
  });

  test('many are counted, five named', () => {
    const many = counts(Object.fromEntries(Array.from({ length: 9 }, (_, k) => [`t${'x'.repeat(k)}`, 2000])));
    const { told } = rowSuspicion(counts({}), many) ?? { told: '' };
    expect(told).toContain('9 tables');
    expect(told.match(/is gone/g)).toHaveLength(5);
    expect(told).toContain('and 4 more');
  });

  test('what was not counted is not compared', () => {
    expect(rowSuspicion(counts({}, 'none'), before)).toBeNull();
    expect(rowSuspicion(counts({}), counts({ orders: 9 }, 'none'))).toBeNull();
  });
});
