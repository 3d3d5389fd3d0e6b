/**
 * test: what every storage must do with what is put aside, brought back, removed and marked, whatever it is made of.
 */
import type { Readable } from 'node:stream';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import type { Storage } from '../../src/model/roles/storage.js';
import { eventId } from '../fixtures/ledger.js';
import type { StorageUnderTest } from './storage.js';

const place = { database: 'shop', backupId: eventId(1) };
const at = '2026-01-02T03:04:05.000Z';

async function all<T>(list: AsyncIterable<T>): Promise<T[]> {
  const found: T[] = [];
  for await (const one of list) found.push(one);
  return found;
}
const namesOf = async (list: AsyncIterable<{ place: { backupId: string } }>) => (await all(list)).map((one) => one.place.backupId);
const textOf = async (input: Readable) => Buffer.concat((await all(input)) as Buffer[]).toString('utf8');

async function keep(storage: Storage): Promise<void> {
  const deposit = await storage.put(place);
  const stream = await deposit.write('database.dump');
  await new Promise<void>((resolve) => stream.end('bytes', resolve));
  await deposit.seal('database.dump', 5);
  await deposit.commit(Buffer.from('{}'));
}

/** Runs the suite on a storage of which `make` gives a new, empty one each time. */
export function discardContract(name: string, make: () => Promise<Pick<StorageUnderTest, 'storage' | 'everything' | 'remove'>>): void {
  describe(`the storage ${name}, with a backup in it`, () => {
    let storage: Storage;
    let given: Pick<StorageUnderTest, 'everything' | 'remove'>;
    beforeEach(async () => {
      ({ storage, ...given } = await make());
      await keep(storage);
    });
    afterEach(() => given.remove());

    test('put aside it is in no listing, and whole; brought back it is as before', async () => {
      await storage.discard(place, at);
      expect(await namesOf(storage.list())).toEqual([]);
      expect(await storage.stat(place)).toBeNull();
      expect(await all(storage.discarded('shop'))).toMatchObject([{ place, discardedAt: at, sizes: { 'database.dump': 5 } }]);
      expect(await namesOf(storage.discarded('other'))).toEqual([]);
      await storage.recover(place);
      expect(await namesOf(storage.list())).toEqual([place.backupId]);
      expect(await namesOf(storage.discarded())).toEqual([]);
      const back = await storage.stat(place);
      expect({ manifest: String(back?.manifest), sizes: back?.sizes }).toEqual({ manifest: '{}', sizes: { 'database.dump': 5 } });
    });

    test('only what was put aside is removed, and then it is gone', async () => {
      await expect(storage.remove(place)).rejects.toMatchObject({ code: 'storage' });
      expect(await namesOf(storage.list())).toEqual([place.backupId]);
      await storage.discard(place, at);
      await storage.remove(place);
      expect((await given.everything()).filter((file) => file.includes(place.backupId))).toEqual([]);
    });

    test('nothing is brought back in the place of something that is there', async () => {
      await storage.discard(place, at);
      await keep(storage);
      await expect(storage.recover(place)).rejects.toMatchObject({
        code: 'storage',
        message: expect.stringContaining('there already') as string,
      });
      expect(await namesOf(storage.discarded())).toEqual([place.backupId]);
    });

    test('a mark lies beside the manifest, is replaced and taken away', async () => {
      await storage.mark(place, 'PINNED', 'first');
      await storage.mark(place, 'PINNED', 'second');
      expect((await storage.stat(place))?.sizes).toEqual({ 'database.dump': 5, PINNED: 6 });
      expect(await textOf(await storage.get(place, 'PINNED'))).toBe('second');
      await storage.unmark(place, 'PINNED');
      await storage.unmark(place, 'PINNED');
      expect((await storage.stat(place))?.sizes).toEqual({ 'database.dump': 5 });
    });

    test.each(['manifest.json', '../PINNED', 'database.dump', ''])('%j is no name of a mark', async (mark) => {
      await expect(storage.mark(place, mark, 'x')).rejects.toThrow('not the name of a mark');
      await expect(storage.unmark(place, mark)).rejects.toThrow('not the name of a mark');
      expect((await storage.stat(place))?.sizes).toEqual({ 'database.dump': 5 });
    });
  });
}
