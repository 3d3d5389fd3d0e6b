/**
 * test: globs over names of databases: whatever is in a name, it is never left out in silence.
 */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { matches } from '../../../src/model/settings/glob.js';

describe('matches', () => {
  it('* fits every name, and every name fits itself', () => {
    fc.assert(fc.property(fc.string({ unit: 'binary', maxLength: 63 }), (name) => matches('*', name) && matches(name, name)));
  });

  it('a name in front of or behind * fits what begins or ends so, and nothing else', () => {
    const plain = fc.string({ unit: 'binary', maxLength: 20 }).filter((text) => !/[*?[\]]/.test(text));
    fc.assert(
      fc.property(plain, plain, (part, name) => {
        expect(matches(`${part}*`, name)).toBe(name.startsWith(part));
        expect(matches(`*${part}`, name)).toBe(name.endsWith(part));
      }),
    );
  });

  it.each([
    ['tmp_*', 'tmp_\n', true],
    ['?', '🙂', true],
    ['?', '\n', true],
    ['a.c', 'abc', false],
    ['shop_[0-9]', 'shop_5', true],
    ['shop_[!0-9]', 'shop_5', false],
    ['[]x]', ']', true],
    ['[a', '[a', true],
    ['x[z-a]', 'xb', false],
    ['(a|b)+', 'a', false],
    ['{a,b}', 'a', false],
    ['Shop', 'shop', false],
    ['shop', 'shop2', false],
  ])('%j, %j: %s', (glob, name, fits) => expect(matches(glob, name)).toBe(fits));
});
