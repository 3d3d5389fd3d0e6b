/**
 * test: what every storage must do, whatever it is made of. A storage's own test file calls `storageContract` and adds what only it has.
 */
import { createHash, randomBytes } from 'node:crypto';
import type { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import fc from 'fast-check';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { Failure } from '../../src/model/errors.js';
import type { Deposit, Storage, StoredBackup } from '../../src/model/roles/storage.js';
import { count } from '../fixtures/counts.js';
import { eventId } from '../fixtures/ledger.js';

export interface StorageUnderTest {
  readonly storage: Storage;
  /** The same place seen by another process: nothing of the first one is remembered. */
  again(): Storage;
  /** Puts something that is none of ours at the root, among the databases and among the backups of `shop`; returns how to see that it is as it was. */
  plantForeign(): Promise<() => Promise<boolean>>;
  /** Names of all that lies there, markers and foreign things too. */
  everything(): Promise<string[]>;
  remove(): Promise<void>;
}

const place = (k: number, database = 'shop') => ({ database, backupId: eventId(k) });
const manifest = Buffer.from('{"format":1}');
const sha256 = (bytes: Uint8Array): string => createHash('sha256').update(bytes).digest('hex');

async function write(deposit: Deposit, artifact: string, bytes: Buffer): Promise<void> {
  const pieces = Array.from({ length: Math.ceil(bytes.length / 700_000) }, (_, k) => bytes.subarray(k * 700_000, (k + 1) * 700_000));
  await pipeline(pieces, await deposit.write(artifact));
}

async function contentOf(input: Readable): Promise<Buffer> {
  const pieces: Buffer[] = [];
  for await (const piece of input) pieces.push(piece as Buffer);
  return Buffer.concat(pieces);
}

async function keep(storage: Storage, k: number, database?: string, files: Readonly<Record<string, Buffer>> = {}): Promise<void> {
  const deposit = await storage.put(place(k, database));
  for (const [name, bytes] of Object.entries(files)) {
    await write(deposit, name, bytes);
    await deposit.seal(name, bytes.length);
  }
  await deposit.commit(manifest);
}

async function all(storage: Storage, database?: string): Promise<StoredBackup[]> {
  const found: StoredBackup[] = [];
  for await (const one of storage.list(database)) found.push(one);
  return found;
}
const idsIn = async (storage: Storage, database?: string) => (await all(storage, database)).map((one) => one.place.backupId).toSorted();

/** Runs the suite on a storage of which `make` gives a new, empty one each time. */
export function storageContract(name: string, make: () => Promise<StorageUnderTest>): void {
  describe(`the storage ${name}`, () => {
    let given: StorageUnderTest;
    let storage: Storage;
    beforeEach(async () => {
      given = await make();
      ({ storage } = given);
    });
    afterEach(() => given.remove());

    test('before its first use it is new, and looking at it leaves nothing', async () => {
      expect(await storage.probe()).toMatchObject({ marker: 'new' });
      expect(await all(storage)).toEqual([]);
      expect(await storage.stat(place(1))).toBeNull();
      expect(await given.everything()).toEqual([]);
    });

    test('adopted, or used once, it is known; to another process too', async () => {
      await storage.adopt();
      expect(await storage.probe()).toMatchObject({ marker: 'known' });
      await storage.adopt();
      expect(await given.again().probe()).toMatchObject({ marker: 'known' });
    });

    test('two that use it first at the same time both come to know it', async () => {
      await Promise.all([storage.adopt(), given.again().adopt()]);
      for (const one of [storage, given.again()]) expect(await one.probe()).toMatchObject({ marker: 'known' });
    });

    test('nothing is to be seen before the commit, everything after it', async () => {
      const bytes = randomBytes(100_000);
      const deposit = await storage.put(place(1));
      const unseen = async () => {
        for (const one of [storage, given.again()]) {
          expect(await all(one)).toEqual([]);
          expect(await one.stat(place(1))).toBeNull();
          await expect(one.get(place(1), 'database.dump')).rejects.toBeInstanceOf(Failure);
        }
      };
      await unseen();
      await write(deposit, 'database.dump', bytes);
      await unseen();
      await deposit.seal('database.dump', bytes.length);
      await unseen();
      await deposit.commit(manifest);
      for (const one of [storage, given.again()]) {
        expect(await all(one)).toEqual([
          { place: place(1), manifest: expect.anything() as unknown, sizes: { 'database.dump': bytes.length } },
        ]);
        const stored = await one.stat(place(1));
        expect(Buffer.from(stored?.manifest ?? []).equals(manifest)).toBe(true);
        expect((await contentOf(await one.get(place(1), 'database.dump'))).equals(bytes)).toBe(true);
      }
    });

    test.each([0, 1, 4096, 20_000_000])('an artifact of %i bytes comes back as it was', async (length) => {
      const bytes = randomBytes(length);
      const deposit = await storage.put(place(1));
      await write(deposit, 'database.dump', bytes);
      await deposit.seal('database.dump', length);
      expect(sha256(await contentOf(await deposit.read('database.dump')))).toBe(sha256(bytes));
      await deposit.commit(manifest);
      expect(sha256(await contentOf(await storage.get(place(1), 'database.dump')))).toBe(sha256(bytes));
      expect((await storage.stat(place(1)))?.sizes).toEqual({ 'database.dump': length });
    });

    test.each([-1, 1])('an artifact that has not the size it should (%i byte) is not sealed', async (difference) => {
      const deposit = await storage.put(place(1));
      await write(deposit, 'database.dump', randomBytes(1000));
      await expect(deposit.seal('database.dump', 1000 + difference)).rejects.toMatchObject({ code: 'storage' });
      await deposit.abort();
      expect(await all(storage)).toEqual([]);
    });

    test('aborted, nothing is left, at whatever point', async () => {
      await storage.adopt();
      const before = await given.everything();
      const steps: readonly ((deposit: Deposit) => Promise<unknown>)[] = [
        async () => {},
        async (deposit) => (await deposit.write('database.dump')).write(Buffer.alloc(10)),
        (deposit) => write(deposit, 'globals.sql', randomBytes(10)),
        (deposit) => deposit.seal('globals.sql', 10),
      ];
      for (const [last] of steps.entries()) {
        const deposit = await storage.put(place(last));
        for (const step of steps.slice(0, last + 1)) await step(deposit);
        await deposit.abort();
        await deposit.abort();
        expect(await all(storage)).toEqual([]);
        expect((await given.everything()).filter((file) => !before.includes(file) && file !== 'shop')).toEqual([]);
      }
    });

    test('two backups of one database at once do not disturb each other', async () => {
      const [a, b] = [await storage.put(place(1)), await given.again().put(place(2))];
      await Promise.all([write(a, 'database.dump', Buffer.from('aaa')), write(b, 'database.dump', Buffer.from('bb'))]);
      await Promise.all([a.seal('database.dump', 3), b.seal('database.dump', 2)]);
      await b.abort();
      await a.commit(manifest);
      expect(await idsIn(storage)).toEqual([eventId(1)]);
      expect((await contentOf(await storage.get(place(1), 'database.dump'))).toString()).toBe('aaa');
    });

    test('an id is used once', async () => {
      await keep(storage, 1, 'shop', { 'database.dump': Buffer.from('first') });
      const second = await storage.put(place(1)).then(
        async (deposit) => {
          await write(deposit, 'database.dump', Buffer.from('second'));
          await deposit.seal('database.dump', 6);
          return deposit.commit(manifest).then(
            () => 'committed',
            () => 'refused',
          );
        },
        () => 'refused',
      );
      expect(second).toBe('refused');
      expect((await contentOf(await storage.get(place(1), 'database.dump'))).toString()).toBe('first');
    });

    test('a database is asked for by its name alone', async () => {
      await keep(storage, 1, 'shop');
      await keep(storage, 2, 'shop-2');
      expect(await idsIn(storage, 'shop')).toEqual([eventId(1)]);
      expect(await idsIn(storage, 'sho')).toEqual([]);
      expect(await idsIn(storage)).toEqual([eventId(1), eventId(2)]);
    });

    test('a name that could be a path is refused', async () => {
      for (const bad of [place(1, '../shop'), place(1, ''), place(1, 'a/b'), { database: 'shop', backupId: '../../etc' }]) {
        await expect(storage.put(bad)).rejects.toBeInstanceOf(Failure);
        await expect(storage.stat(bad)).rejects.toBeInstanceOf(Failure);
        await expect(storage.sweep(bad)).rejects.toBeInstanceOf(Failure);
      }
    });

    test('sweep removes what an interrupted backup left, and nothing else', async () => {
      await keep(storage, 1, 'shop', { 'database.dump': Buffer.from('good') });
      const before = await given.everything();
      const dead = await storage.put(place(2));
      await write(dead, 'database.dump', randomBytes(10));
      const other = await storage.put(place(3));
      await given.again().sweep(place(2));
      await given.again().sweep(place(1));
      await given.again().sweep(place(4));
      await other.commit(manifest);
      expect(await idsIn(storage)).toEqual([eventId(1), eventId(3)]);
      await dead.abort();
      expect((await given.everything()).filter((file) => !before.includes(file) && !file.includes(eventId(3)))).toEqual([]);
    });

    test('what is not ours is not listed, and never touched', async () => {
      await keep(storage, 1, 'shop', { 'database.dump': Buffer.from('good') });
      const untouched = await given.plantForeign();
      expect(await idsIn(storage)).toEqual([eventId(1)]);
      await keep(storage, 2);
      const deposit = await storage.put(place(3));
      await deposit.abort();
      await storage.sweep(place(4));
      expect(await idsIn(storage)).toEqual([eventId(1), eventId(2)]);
      expect(await untouched()).toBe(true);
    });

    test('property: whatever is begun, committed, aborted and swept, what is listed is what was committed', async () => {
      const deed = fc.record({ k: fc.integer({ min: 1, max: 6 }), end: fc.constantFrom('commit', 'abort', 'die') });
      let base = 0;
      await fc.assert(
        fc.asyncProperty(fc.uniqueArray(deed, { selector: ({ k }) => k, maxLength: 6 }), async (deeds) => {
          base += 10;
          const before = await idsIn(storage);
          const open = await Promise.all(deeds.map(async (one) => ({ ...one, deposit: await storage.put(place(base + one.k)) })));
          await Promise.all(
            open.map(async ({ k, end, deposit }) => {
              await write(deposit, 'database.dump', Buffer.alloc(k));
              await deposit.seal('database.dump', k);
              if (end === 'commit') await deposit.commit(manifest);
              else if (end === 'abort') await deposit.abort();
              else await given.again().sweep(place(base + k));
            }),
          );
          const committed = deeds.filter(({ end }) => end === 'commit').map(({ k }) => eventId(base + k));
          expect(await idsIn(given.again())).toEqual([...before, ...committed].toSorted());
        }),
        { numRuns: count(15, 200) },
      );
    });
  });
}
