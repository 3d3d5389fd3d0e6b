/**
 * test: differences of two backups are found whatever they are, and only then.
 */
import * as fc from 'fast-check';
import { expect, it } from 'vitest';
import type { BackupDetails } from '../../../src/model/backup/backup.js';
import { diffBackups } from '../../../src/model/backup/diff.js';

const details = (more: Partial<BackupDetails> = {}, tables: BackupDetails['fingerprint']['tables'] = []): BackupDetails => ({
  format: 1,
  encoding: 'UTF8',
  collate: 'C',
  ctype: 'C',
  roles: ['app'],
  extensions: [{ name: 'citext', version: '1.6', schema: 'public' }],
  tablespaces: [],
  notIncluded: [],
  fingerprint: { method: 'counts', tables, largeObjects: 3 },
  ...more,
});
const table = (name: string, rows: number) => ({ schema: 'public', name, rows });

it('finds rows, tables, extensions, roles and properties that changed', () => {
  const a = details({ roles: ['app', 'old'] }, [table('same', 1), table('grew', 1), table('went', 5)]);
  const b = details(
    {
      roles: ['app', 'new'],
      collate: 'de_DE',
      tablespaces: ['fast'],
      extensions: [
        { name: 'citext', version: '1.7', schema: 'public' },
        { name: 'hstore', version: '1', schema: 'public' },
      ],
    },
    [table('same', 1), table('grew', 4), table('came', 0)],
  );
  expect(diffBackups(a, b)).toEqual({
    tables: [{ schema: 'public', name: 'grew', rowsA: 1, rowsB: 4 }],
    onlyInA: [table('went', 5)],
    onlyInB: [table('came', 0)],
    extensions: [
      { name: 'citext', a: '1.6', b: '1.7' },
      { name: 'hstore', a: null, b: '1' },
    ],
    roles: { onlyInA: ['old'], onlyInB: ['new'] },
    tablespaces: { onlyInA: [], onlyInB: ['fast'] },
    properties: [{ name: 'collate', a: 'C', b: 'de_DE' }],
    equal: false,
    warnings: [],
  });
});

it('never calls equal what was not counted', () => {
  const a = details({ fingerprint: { method: 'none', tables: [], largeObjects: null } });
  expect(diffBackups(a, details({}, [table('x', 1)]))).toMatchObject({
    equal: false,
    onlyInB: [],
    warnings: [expect.stringContaining('the first')],
  });
});

it.each<[string, Partial<BackupDetails>]>([
  ['role', { roles: [] }],
  ['tablespace', { tablespaces: ['x'] }],
  ['extension', { extensions: [] }],
  ['encoding', { encoding: 'LATIN1' }],
  ['large objects', { fingerprint: { method: 'counts', tables: [], largeObjects: 4 } }],
])('one %s is enough to differ', (_what, more) => {
  expect(diffBackups(details(), details(more)).equal).toBe(false);
  expect(diffBackups(details(more), details(more)).equal).toBe(true);
});

it('is equal exactly when the tables are, and turns around', () => {
  const anyTables = fc.uniqueArray(
    fc.record({ schema: fc.constantFrom('a', 'a.b'), name: fc.constantFrom('b.c', 'c', 'd'), rows: fc.nat(2) }),
    {
      selector: ({ schema, name }) => JSON.stringify([schema, name]),
    },
  );
  const sorted = (tables: BackupDetails['fingerprint']['tables']) => tables.map((one) => JSON.stringify(one)).toSorted();
  fc.assert(
    fc.property(anyTables, anyTables, (a, b) => {
      const there = diffBackups(details({}, a), details({}, b));
      const back = diffBackups(details({}, b), details({}, a));
      expect(there.equal).toBe(JSON.stringify(sorted(a)) === JSON.stringify(sorted(b)));
      expect(back.onlyInA).toEqual(there.onlyInB);
      expect(back.tables).toHaveLength(there.tables.length);
    }),
  );
});
