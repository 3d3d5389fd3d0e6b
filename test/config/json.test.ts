import fc from 'fast-check';
import { expect, test } from 'vitest';
import { JsonError, readJson } from '../../src/config/json.js';
import { setInText } from '../../src/config/update.js';

/** With prototypes again, to compare. */
const plain = (value: unknown): unknown => JSON.parse(JSON.stringify(value));

test('reads what JSON.parse reads, however it is indented', () => {
  fc.assert(
    fc.property(fc.jsonValue({ maxDepth: 6 }), fc.constantFrom(0, 2, '\t'), (value, indent) => {
      const text = JSON.stringify(value, null, indent);
      expect(plain(readJson(text).value)).toEqual(JSON.parse(text));
    }),
    { numRuns: 500 },
  );
});

test('refuses what JSON.parse refuses, and says where', () => {
  const characters = fc.constantFrom(...'{}[]",:\\ \n1e-+.truefalsn0u');
  fc.assert(
    fc.property(fc.string({ unit: characters, maxLength: 12 }), (text) => {
      const judged = (read: () => unknown) => {
        try {
          return [read()];
        } catch (error) {
          if (error instanceof JsonError) expect(error.line).toBeGreaterThan(0);
          return null;
        }
      };
      expect(judged(() => plain(readJson(text).value)) === null).toBe(judged(() => JSON.parse(text)) === null);
    }),
    { numRuns: 5000 },
  );
});

test('setting a key changes that key alone', () => {
  const key = fc.string({ unit: fc.constantFrom(...'abc'), minLength: 1, maxLength: 2 });
  const object = fc.dictionary(key, fc.oneof(fc.jsonValue({ maxDepth: 1 }), fc.dictionary(key, fc.integer())));
  fc.assert(
    fc.property(
      object,
      fc.array(key, { minLength: 1, maxLength: 3 }),
      fc.jsonValue(),
      fc.constantFrom(0, 2, '\t'),
      (given, path, value, indent) => {
        const expected = structuredClone(given) as Record<string, unknown>;
        let here = expected;
        for (const part of path.slice(0, -1)) {
          here[part] ??= here[part] === null ? null : {};
          if (typeof here[part] !== 'object' || here[part] === null || Array.isArray(here[part])) return;
          here = here[part] as Record<string, unknown>;
        }
        here[path.at(-1) ?? ''] = value;
        const text = setInText(JSON.stringify(given, null, indent), path, value);
        expect(JSON.parse(text)).toEqual(JSON.parse(JSON.stringify(expected)));
        expect(Object.keys(JSON.parse(text) as object)).toEqual(Object.keys(expected));
      },
    ),
    { numRuns: 1000 },
  );
});
