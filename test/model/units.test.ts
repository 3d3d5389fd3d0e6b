import fc from 'fast-check';
import { expect, test } from 'vitest';
import { formatBytes, formatDuration } from '../../src/model/units.js';

test.each([
  [0, '0 B'],
  [999, '999 B'],
  [1000, '1.0 kB'],
  [99_949, '99.9 kB'],
  [999_500, '1.0 MB'],
  [1_234_567, '1.2 MB'],
  [10e9, '10.0 GB'],
  [123e9, '123 GB'],
  [5e15, '5.0 PB'],
  [5e18, '5000 PB'],
])('%d bytes are %s', (bytes, text) => {
  expect(formatBytes(bytes)).toBe(text);
});

test.each([
  [0, '0 ms'],
  [850, '850 ms'],
  [999.6, '1.0 s'],
  [1000, '1.0 s'],
  [59_940, '59.9 s'],
  [59_960, '1m'],
  [62_000, '1m 2s'],
  [3_600_000, '1h'],
  [3_601_000, '1h'],
  [5_400_000, '1h 30m'],
  [90_061_000, '1d 1h'],
])('%d ms are %s', (ms, text) => {
  expect(formatDuration(ms)).toBe(text);
});

const units: Record<string, number> = { B: 1, kB: 1e3, MB: 1e6, GB: 1e9, TB: 1e12, PB: 1e15, ms: 1, s: 1e3, m: 6e4, h: 36e5, d: 864e5 };
const readBack = (text: string) =>
  [...text.matchAll(/([\d.]+) ?([A-Za-z]+)/g)].reduce((sum, [, n, unit]) => sum + Number(n) * (units[unit ?? ''] ?? NaN), 0);

test('words are within six per cent of what they say', () => {
  fc.assert(
    fc.property(fc.integer({ min: 1, max: 1e15 }), (number) => {
      expect(Math.abs(readBack(formatBytes(number)) - number) / number).toBeLessThan(0.06);
      expect(Math.abs(readBack(formatDuration(number)) - number) / number).toBeLessThan(0.06);
    }),
  );
});
