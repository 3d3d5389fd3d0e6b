/**
 * test: every row of the fault matrix has a test that bears its name, or stands in docs/reliability.md with the reason why not. It judges
 * names alone.
 */
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';

/** How many rows each part of the matrix has. */
const parts = { A: 16, B: 23, C: 26, D: 18, E: 19, F: 10, G: 15, H: 10, I: 9, J: 7, K: 17 };

const root = join(import.meta.dirname, '../..');
const named = /['"`]([A-K]\d+(?:, [A-K]\d+)*)\b[^'"`\n]*?:|['"`]([A-K]\d+)['"`]/g;

test('no row of the fault matrix is without a test or a reason', () => {
  const files = readdirSync(join(root, 'test'), { recursive: true, withFileTypes: true }).filter(({ name }) => name.endsWith('.test.ts'));
  const texts = files.map(({ parentPath, name }) => readFileSync(join(parentPath, name), 'utf8'));
  const tested = new Set(
    texts.flatMap((text) => [...text.matchAll(named)].flatMap(([, several = '', one = '']) => [...several.split(', '), one])),
  );
  const [, leftOut = ''] = readFileSync(join(root, 'docs/reliability.md'), 'utf8').split('## Rows left out');
  const reasons = new Set([...(leftOut.split('\nSome are tested')[0] ?? '').matchAll(/\b[A-K]\d+\b/g)].map(([row]) => row));
  // D1 to D18 are one line
  const isLeftOut = (row: string) => reasons.has(row) || (row.startsWith('D') && reasons.has('D1') && reasons.has('D18'));
  const rows = Object.entries(parts).flatMap(([part, rowCount]) => Array.from({ length: rowCount }, (_, index) => `${part}${index + 1}`));
  expect(rows.filter((row) => !tested.has(row) && !isLeftOut(row))).toEqual([]);
});
