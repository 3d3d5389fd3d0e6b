import { describe, expect, it } from 'vitest';
import type { Fingerprint } from '../../../src/model/backup/backup.js';
import { compareFingerprints, fingerprintFor, refreshedViews } from '../../../src/model/backup/fingerprint.js';

const table = (name: string, rows: number, hash?: string) => ({ schema: 's', name, rows, ...(hash === undefined ? {} : { hash }) });
const content = (more: Partial<Fingerprint>): Fingerprint => ({ method: 'content', tables: [], largeObjects: null, ...more });
const stands = (last: string, called = true, down = false) => content({ sequences: [{ schema: 's', name: 'q', last, called, down }] });

describe('fingerprints', () => {
  it.each([
    ['the same', content({ tables: [table('a', 1, '7')] }), content({ tables: [table('a', 1, '7')] }), []],
    [
      'other rows',
      content({ tables: [table('a', 1, '7')] }),
      content({ tables: [table('a', 1, '8')] }),
      ['table s.a has 1 row, but not the same ones'],
    ],
    [
      'fewer rows',
      content({ tables: [table('a', 2, '7')] }),
      content({ tables: [table('a', 1, '8')] }),
      ['table s.a has 1 row instead of 2'],
    ],
    ['a hash that could not be taken', content({ tables: [table('a', 1)] }), content({ tables: [table('a', 1, '8')] }), []],
    [
      'names with dots are two',
      content({ tables: [{ schema: 'a.b', name: 'c', rows: 1 }] }),
      content({ tables: [{ schema: 'a', name: 'b.c', rows: 1 }] }),
      ['table a.b.c is missing', 'table a.b.c was not in the source'],
    ],
    ['a sequence that went on', stands('5'), stands('9'), []],
    [
      'one that is behind, above 2^53',
      stands('9007199254740993'),
      stands('9007199254740992'),
      ['sequence s.q stands at 9007199254740992 instead of 9007199254740993'],
    ],
    ['one downwards that went on', stands('5', true, true), stands('3', true, true), []],
    [
      'one whose value would be given out again',
      stands('5'),
      stands('5', false),
      ['sequence s.q stands at 5 (not given out) instead of 5'],
    ],
    ['a sequence that is gone', stands('5'), content({ sequences: [] }), ['sequence s.q is missing']],
    [
      'large objects',
      content({ largeObjects: 1, largeObjectsHash: '1' }),
      content({ largeObjects: 1, largeObjectsHash: '2' }),
      ['the large objects do not hold what they held'],
    ],
  ])('%s', (_what, expected, found, differences) => {
    expect(compareFingerprints(expected, found)).toEqual(differences);
  });

  it('a view that was refreshed is told, and is no difference', () => {
    const [a, b] = [content({ views: [table('v', 2)] }), content({ views: [table('v', 3)] })];
    expect(compareFingerprints(a, b)).toEqual([]);
    expect(refreshedViews(a, b)).toEqual([expect.stringContaining('s.v was stale')]);
    expect(refreshedViews(a, a)).toEqual([]);
  });

  it('are not taken above a size, and then it is said', () => {
    const settings = { fingerprint: 'content', fingerprintLimit: 1 } as const;
    expect(fingerprintFor(settings, 1e9)).toEqual({ method: 'content', warning: null });
    expect(fingerprintFor(settings, null)).toEqual({ method: 'content', warning: null });
    expect(fingerprintFor(settings, 1e9 + 1)).toEqual({ method: 'none', warning: expect.stringContaining('fingerprintLimit (1 GB)') });
    expect(fingerprintFor({ ...settings, fingerprint: 'none' }, 1e12)).toEqual({ method: 'none', warning: null });
  });
});
