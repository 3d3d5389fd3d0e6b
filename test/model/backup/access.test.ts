/**
 * test: what a role lacks, in words and as SQL.
 */
import { describe, expect, it } from 'vitest';
import { grantsFor, refusal, type Access, type Unreadable } from '../../../src/model/backup/access.js';

const whole: Access = { role: 'ro"le', serverMajor: 15, unreadable: [], largeObjects: { count: 0, first: [] } };
const table = (name: string): Unreadable => ({ kind: 'table', schema: 'a b', name });

describe('refusal', () => {
  it('says nothing of a role that reads all', () => expect(refusal('shop', whole)).toBeNull());

  it('names everything at once', () => {
    const lacking: Access = {
      ...whole,
      unreadable: [{ kind: 'schema', schema: 'a b', name: null }, table('t'), table('u'), { kind: 'hidden', schema: 'public', name: 'h' }],
      largeObjects: { count: 7, first: ['1', '2'] },
    };
    expect(refusal('shop', lacking)?.message).toBe(
      'shop: the role "ro\\"le" may not read schema "a b"; tables "a b".t, "a b".u; 7 large objects (1, 2, ...); and it would not see all rows of public.h, for row security',
    );
  });

  it('stays short when there are thousands', () => {
    const unreadable = Array.from({ length: 5000 }, (_one, index) => table(`t${index}`));
    const { message = '' } = refusal('shop', { ...whole, unreadable }) ?? {};
    expect(message).toContain('lacks 4900 more');
    expect(message.length).toBeLessThan(2000);
  });
});

it('before 14 the schemas are granted one by one, and nothing that is not lacking', () => {
  const old = { ...whole, serverMajor: 13 };
  expect(grantsFor({ ...old, unreadable: [table('t')] })).toEqual(['GRANT SELECT ON ALL TABLES IN SCHEMA "a b" TO "ro""le";']);
  const sequence: Unreadable = { kind: 'sequence', schema: 's', name: 'q' };
  expect(grantsFor({ ...old, unreadable: [{ kind: 'schema', schema: 's', name: null }, sequence] })).toEqual([
    'GRANT USAGE ON SCHEMA "s" TO "ro""le";',
    'GRANT SELECT ON ALL SEQUENCES IN SCHEMA "s" TO "ro""le";',
  ]);
});
