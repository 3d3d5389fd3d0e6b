/**
 * test: what an archive lacks, and what is gone since the last one, in words.
 */
import { describe, expect, it } from 'vitest';
import type { StoredObject } from '../../../src/model/backup/backup.js';
import { disappearance, incompleteness } from '../../../src/model/backup/objects.js';

const object = (kind: string, name: string): StoredObject => ({ kind, schema: 'public', name, hash: '' });
const expected = (name: string) => ({ kind: 'table', schema: 'public', name, key: `1259/${name}` });

describe('incompleteness', () => {
  const contents = { objects: [], keys: new Set(['1259/a']), largeObjects: 2 };

  it('is none where everything is there, and more', () => {
    expect(incompleteness('shop', { expected: [expected('a')], largeObjects: 1 }, contents)).toBeNull();
  });

  it('names what is missing, and stays short', () => {
    const many = Array.from({ length: 50 }, (_one, index) => expected(`t${index}`));
    const { message = '', code } = incompleteness('shop', { expected: many, largeObjects: 3 }, contents) ?? {};
    expect(message).toMatch(/^shop: the dump leaves out table public\.t0, .*public\.t19; and 31 more$/);
    expect(code).toBe('incomplete');
  });
});

describe('disappearance', () => {
  it('nothing, or nobody knows', () => {
    expect(disappearance(undefined, [object('TABLE', 't')])).toBeNull();
    expect(disappearance([], undefined)).toBeNull();
    expect(disappearance([object('TABLE', 't')], [object('TABLE', 't')])).toBeNull();
  });

  it('tells a table without what goes along, and no name to everybody', () => {
    const before = [
      object('TABLE', 't'),
      object('TRIGGER', 't fires'),
      object('CONSTRAINT', 't t_pkey'),
      object('TRIGGER', 'u fires'),
      object('ACL', 'TABLE u'),
    ];
    const { sealed, told } = disappearance([object('TABLE', 'u')], before) ?? {};
    expect(sealed).toBe('2 objects are gone that the last good backup has');
    expect(told).toBe(`${sealed}: table public.t, trigger public.u fires`);
  });

  it('does not miss a partition when its like has come', () => {
    expect(disappearance([object('TABLE', 'day_02')], [object('TABLE', 'day_01')])).toBeNull();
    expect(disappearance([object('TABLE', 'night_02')], [object('TABLE', 'day_01')])).not.toBeNull();
  });
});
