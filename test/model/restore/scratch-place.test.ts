/** test: where a backup is restored for proof, from measured places alone. */
import { describe, expect, test } from 'vitest';
import { chooseScratchPlace, type ScratchPlace } from '../../../src/model/restore/scratch-place.js';

const GB = 1e9;
const place = (folder: string, device: number, free: number | null, obstacle: string | null = null): ScratchPlace => ({
  folder,
  device,
  free: free === null ? null : free * GB,
  obstacle,
});
const choose = (places: readonly ScratchPlace[], source: readonly number[] | null, size: number | null = 10) =>
  chooseScratchPlace(places, { size: size === null ? null : size * GB, reserve: 5 * GB, source });

describe('chooseScratchPlace', () => {
  const temp = place('/tmp', 1, 100);
  test.each([
    ['the first, when the server is on another machine', [temp, place('/var/tmp', 2, 100)], [], '/tmp'],
    ["away from the source's volume", [temp, place('/var/tmp', 2, 100)], [1], '/var/tmp'],
    ['away from a volume of a tablespace or of the log, too', [temp, place('/b', 2, 100), place('/c', 3, 100)], [1, 2], '/c'],
    ['where the reserve is kept, rather than where there is just room', [temp, place('/b', 2, 13), place('/c', 3, 18)], [1], '/c'],
    ['away with just room, rather than beside the source', [temp, place('/b', 2, 13)], [1], '/b'],
    ['beside the source, where no other has room and the reserve is kept', [temp, place('/b', 2, 11)], [1], '/tmp'],
    ['where the free space cannot be told', [place('/tmp', 1, null)], [1], '/tmp'],
    ['past what cannot be used', [place('/a', 2, 100, 'is not a folder'), temp], [1], '/tmp'],
    ['where the reserve is kept, when the source may be anywhere', [place('/a', 1, 13), place('/b', 2, 17)], null, '/b'],
  ] as const)('%s', (_what, places, source, folder) => {
    expect(choose(places, source)).toBe(folder);
  });

  test('needs 1.2 times the size: one byte less is too little', () => {
    const exactly = (free: number) => [{ ...temp, free }];
    expect(choose(exactly(17 * GB), [1])).toBe('/tmp');
    expect(() => choose(exactly(17 * GB - 1), [1])).toThrow();
    expect(choose(exactly(12 * GB), [2])).toBe('/tmp');
    expect(() => choose(exactly(12 * GB - 1), [2])).toThrow();
  });

  test('keeps the reserve for a backup of unknown size, too', () => {
    expect(choose([place('/tmp', 1, 5)], [1], null)).toBe('/tmp');
    expect(() => choose([place('/tmp', 1, 4.9)], [1], null)).toThrow();
  });

  test('says of each volume what it has, and of each folder why it cannot be used', () => {
    const places = [place('/tmp', 1, 16), place('/var/tmp', 1, 16), place('/b', 2, 11), place('/c', 3, 99, 'may not be written to')];
    expect(() => choose(places, [1])).toThrow(
      expect.objectContaining({
        code: 'scratch',
        exit: 22,
        message:
          "there is no room to restore for proof, which needs 12.0 GB: /tmp has 16.0 GB free, on the volume of the database's own data, where 5.0 GB stay free (conditions.minDiskSpace); /b has 11.0 GB free; /c may not be written to",
        hint: expect.stringMatching(/verify\.folder.*verify\.server/) as string,
      }),
    );
    expect(() => choose([place('/tmp', 1, 16)], null)).toThrow(/perhaps on the volume/);
  });
});
