/** test: who compresses, of what is asked for and what is there. */
import { expect, test } from 'vitest';
import { decideCompression } from '../../../src/model/backup/compression.js';

const [nobody, codec, engine, both] = [
  { zstd: false, engineZstd: false, jobs: 1 },
  { zstd: true, engineZstd: false, jobs: 1 },
  { zstd: false, engineZstd: true, jobs: 1 },
  { zstd: true, engineZstd: true, jobs: 1 },
];

test.each([
  ['auto', nobody, false, 'gzip'],
  ['auto', codec, false, 'zstd'],
  ['auto', engine, 'zstd:3', null],
  ['auto', both, 'zstd:3', null],
  ['zstd', codec, false, 'zstd'],
  ['zstd', engine, 'zstd:3', null],
  ['zstd', both, 'zstd:3', null],
  ['gzip', nobody, false, 'gzip'],
  ['gzip', both, false, 'gzip'],
  ['none', nobody, false, null],
  ['none', both, false, null],
] as const)('%s with %j', (algorithm, has, own, behind) => {
  expect(decideCompression({ algorithm, level: 3 }, has)).toEqual({ engine: own, codec: behind });
});

test('several processes share gzip, which is slow, and never more than it knows', () => {
  expect(decideCompression({ algorithm: 'gzip', level: 12 }, { ...both, jobs: 2 })).toEqual({ engine: '9', codec: null });
  expect(decideCompression({ algorithm: 'auto', level: 1 }, { ...nobody, jobs: 2 })).toEqual({ engine: '1', codec: null });
  expect(decideCompression({ algorithm: 'auto', level: 1 }, { ...codec, jobs: 2 })).toEqual({ engine: false, codec: 'zstd' });
});

test('zstd by name is never something else', () => {
  expect(() => decideCompression({ algorithm: 'zstd', level: 1 }, nobody)).toThrow(expect.objectContaining({ code: 'configuration' }));
});
