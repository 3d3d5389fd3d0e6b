/**
 * test: what is put aside, brought back and removed in a folder; marks beside the manifest.
 */
import { existsSync, mkdirSync, mkdtempSync, renameSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import type { Storage } from '../../../src/model/roles/storage.js';
import { local } from '../../../src/storages/local/local.js';
import { openStorageMemory } from '../../../src/system/files/storage-memory.js';
import { eventId } from '../../fixtures/ledger.js';

let folder: string;
let storage: Storage;
const place = { database: 'shop', backupId: eventId(1) };
const path = () => join(folder, 'store', 'shop', place.backupId);
const at = '2026-01-02T03:04:05.000Z';

const open = (state = 'state') =>
  local.create('local', { kind: 'local', path: join(folder, 'store') }, openStorageMemory(join(folder, state)));
async function all<T>(list: AsyncIterable<T>): Promise<T[]> {
  const found: T[] = [];
  for await (const one of list) found.push(one);
  return found;
}
const namesOf = async (list: AsyncIterable<{ place: { backupId: string } }>) => (await all(list)).map((one) => one.place.backupId);

beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), 'backup-automation-test-'));
  storage = open();
  const deposit = await storage.put(place);
  const stream = await deposit.write('database.dump');
  await new Promise<void>((resolve) => stream.end('bytes', resolve));
  await deposit.seal('database.dump', 5);
  await deposit.commit(Buffer.from('{}'));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

test('what an interrupted removal left is removed too', async () => {
  await storage.discard(place, at);
  rmSync(join(`${path()}.trash`, 'manifest.json'));
  expect(await all(storage.discarded())).toMatchObject([{ place, manifest: null }]);
  await storage.remove(place);
  expect(await namesOf(storage.discarded())).toEqual([]);
});

test('nothing is brought back in the place of an empty folder, which a rename would take without a word', async () => {
  await storage.discard(place, at);
  mkdirSync(path());
  await expect(storage.recover(place)).rejects.toMatchObject({
    code: 'storage',
    message: expect.stringContaining('there already') as string,
  });
  expect(await namesOf(storage.discarded())).toEqual([place.backupId]);
});

test('a date that cannot be read is none', async () => {
  await storage.discard(place, at);
  writeFileSync(join(`${path()}.trash`, 'REMOVED'), 'yesterday');
  expect(await all(storage.discarded())).toMatchObject([{ discardedAt: null }]);
});

test('in a storage that is away, or not known from here, nothing is touched', async () => {
  const stranger = open('another state');
  const deeds = [
    (one: Storage) => one.discard(place, at),
    (one: Storage) => one.remove(place),
    (one: Storage) => one.recover(place),
    (one: Storage) => one.mark(place, 'PINNED', 'x'),
    (one: Storage) => one.unmark(place, 'PINNED'),
  ];
  for (const deed of deeds) await expect(deed(stranger)).rejects.toMatchObject({ code: 'storage-marker' });
  renameSync(join(folder, 'store'), join(folder, 'away'));
  for (const deed of deeds) await expect(deed(storage)).rejects.toMatchObject({ code: 'storage-marker' });
  renameSync(join(folder, 'away'), join(folder, 'store'));
  expect(await namesOf(storage.list())).toEqual([place.backupId]);
});

test('a link among what was put aside is not followed', async () => {
  mkdirSync(join(folder, 'outside'));
  writeFileSync(join(folder, 'outside', 'precious'), 'x');
  symlinkSync(join(folder, 'outside'), join(folder, 'store', 'shop', `${eventId(2)}.trash`));
  expect(await namesOf(storage.discarded())).toEqual([]);
  await expect(storage.remove({ database: 'shop', backupId: eventId(2) })).rejects.toMatchObject({ code: 'storage' });
  expect(existsSync(join(folder, 'outside', 'precious'))).toBe(true);
});
