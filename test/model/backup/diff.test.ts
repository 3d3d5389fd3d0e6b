/**
 * test: differences of two backups are found whatever they are, and only then.
 */
import * as fc from 'fast-check';
import { expect, it } from 'vitest';
import type { BackupDetails } from '../../../src/model/backup/backup.js';
import { diffBackups } from '../../../src/model/backup/diff.js';
import { byThemselves } from '../../../src/model/backup/object-diff.js';

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
  objects: [],
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
    objects: { onlyInA: [], onlyInB: [], changed: [] },
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
  ['object', { objects: [{ kind: 'VIEW', schema: 'public', name: 'v', hash: '1' }] }],
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

it('a backup of an earlier version does not say what it holds: told, and never equal', () => {
  const { objects: _objects, ...old } = details({}, [table('x', 1)]);
  const warnings = [expect.stringContaining('the first does not say what it holds')];
  expect(diffBackups(old, details({}, [table('x', 2)]))).toMatchObject({ objects: null, equal: false, warnings, tables: [{ name: 'x' }] });
});

it('objects that came, went or are defined otherwise, with the columns that differ', () => {
  const one = (kind: string, name: string, hash: string, parts?: string[]) => ({
    kind,
    schema: 'public',
    name,
    hash,
    ...(parts && { parts }),
  });
  const a = details({ objects: [one('TABLE', 't', '1', ['id integer', 'n text']), one('VIEW', 'v', '1'), one('INDEX', 'i', '1')] });
  const b = details({ objects: [one('TABLE', 't', '2', ['id bigint', 'n text']), one('VIEW', 'v', '2'), one('FUNCTION', 'f()', '1')] });
  const named = (kind: string, name: string) => ({ kind, schema: 'public', name });
  expect(diffBackups(a, b).objects).toEqual({
    onlyInA: [named('INDEX', 'i')],
    onlyInB: [named('FUNCTION', 'f()')],
    changed: [
      { ...named('TABLE', 't'), partsA: ['id integer'], partsB: ['id bigint'] },
      { ...named('VIEW', 'v'), partsA: [], partsB: [] },
    ],
  });
});

it('what is told of a table is not told of its parts again', () => {
  const named = (kind: string, name: string) => ({ kind, schema: 'public', name });
  const all = [
    named('TABLE', 't'),
    named('CONSTRAINT', 't t_pkey'),
    named('COMMENT', 'TABLE t'),
    named('TABLE', 'parent'),
    named('INDEX', 'i'),
  ];
  expect(byThemselves(all, [{ schema: 'public', name: 't' }])).toEqual([named('TABLE', 'parent'), named('INDEX', 'i')]);
});
