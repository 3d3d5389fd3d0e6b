/**
 * test: the list of mutants is true: each text stands where it says, each test that is to fail is there. `npm run test:mutants` runs them.
 */
import { existsSync, readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { transformSync } from 'esbuild';
import { expect, test } from 'vitest';
import { mutants } from './all.js';
import { mutated } from './mutant.js';

const root = resolve(import.meta.dirname, '../..');

test.each(mutants.map((mutant) => [mutant.name, mutant] as const))('%s', (_name, mutant) => {
  const text = mutated(root, mutant);
  expect(text).not.toBe(readFileSync(join(root, 'src', mutant.file), 'utf8'));
  expect(() => transformSync(text, { loader: 'ts' })).not.toThrow();
  expect(mutant.tests.filter((file) => !existsSync(join(root, 'test', file)))).toEqual([]);
  expect(mutant.tests.length).toBeGreaterThan(0);
});

test('each has a name of its own', () => {
  expect(new Set(mutants.map(({ name }) => name)).size).toBe(mutants.length);
});
