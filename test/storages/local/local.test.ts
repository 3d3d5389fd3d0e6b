/**
 * test: the storage `local` by the contract of all storages; and the one in memory, so that the contract is not only about folders.
 */
import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { local } from '../../../src/storages/local/local.js';
import { openStorageMemory } from '../../../src/system/files/storage-memory.js';
import { discardContract } from '../../contracts/discard.js';
import { storageContract, type StorageUnderTest } from '../../contracts/storage.js';
import { memoryStorage } from '../../fakes/storage.js';
import { eventId } from '../../fixtures/ledger.js';

async function makeLocal(): Promise<StorageUnderTest & { readonly folder: string; readonly root: string }> {
  const folder = mkdtempSync(join(tmpdir(), 'backup-automation storage-'));
  const root = join(folder, 'root');
  const again = () => local.create('local', { kind: 'local', path: root }, openStorageMemory(join(folder, 'state')));
  return {
    folder,
    root,
    storage: again(),
    again,
    async plantForeign() {
      const places = [
        'notes.txt',
        'lost+found/x',
        'shop/notes.txt',
        `shop/${eventId(9)}x/manifest.json`,
        'Other DB/0/manifest.json',
        '.hidden/x',
      ];
      for (const path of places) {
        mkdirSync(join(root, path, '..'), { recursive: true });
        writeFileSync(join(root, path), path);
      }
      symlinkSync(join(root, 'shop'), join(root, 'linked'));
      return async () => places.every((path) => readFileSync(join(root, path), 'utf8') === path) && existsSync(join(root, 'linked'));
    },
    everything: async () => (existsSync(root) ? (readdirSync(root, { recursive: true }) as string[]) : []),
    remove: async () => rmSync(folder, { recursive: true, force: true }),
  };
}

storageContract('local', makeLocal);
discardContract('local', makeLocal);

storageContract('in memory', async () => {
  const storage = memoryStorage('memory');
  return {
    storage,
    again: () => storage,
    plantForeign: async () => async () => true,
    everything: async () => [
      ...storage.open,
      ...[...storage.kept].flatMap(([backup, files]) => [...files.keys()].map((file) => `${backup}/${file}`)),
    ],
    remove: async () => {},
  };
});

test('only its owner may look inside', async () => {
  const { storage, root, folder } = await makeLocal();
  const umask = process.umask(0);
  try {
    const deposit = await storage.put({ database: 'shop', backupId: eventId(1) });
    (await deposit.write('database.dump')).end('x');
    await deposit.commit(Buffer.from('{}'));
    for (const path of ['', 'shop', `shop/${eventId(1)}`]) expect(statSync(join(root, path)).mode & 0o777, path).toBe(0o700);
    for (const file of ['.backup-automation-storage', `shop/${eventId(1)}/database.dump`, `shop/${eventId(1)}/manifest.json`])
      expect(statSync(join(root, file)).mode & 0o777, file).toBe(0o600);
  } finally {
    process.umask(umask);
    rmSync(folder, { recursive: true });
  }
});

test('B12: another storage in its place is neither read, nor written to, nor removed from', async () => {
  const { storage, root, folder, ...given } = await makeLocal();
  const place = { database: 'shop', backupId: eventId(1) };
  await (await storage.put(place)).commit(Buffer.from('{}'));
  writeFileSync(join(root, '.backup-automation-storage'), 'another\n');
  const again = given.again();
  const listing = async () => {
    for await (const _ of again.list()) throw new Error('something is listed');
  };
  const deeds = [() => again.probe(), () => again.put({ ...place, backupId: eventId(2) }), listing, () => again.stat(place)];
  const changes = [() => again.discard(place, '2026-01-01T00:00:00Z'), () => again.mark(place, 'PINNED', ''), () => again.sweep(place)];
  for (const deed of [...deeds, ...changes]) await expect(deed()).rejects.toMatchObject({ code: 'storage-marker' });
  expect(readdirSync(join(root, 'shop'))).toEqual([eventId(1)]);
  rmSync(folder, { recursive: true });
});

test('a marker that a crash left empty is no marker', async () => {
  const { storage, root, folder, ...given } = await makeLocal();
  const again = () => given.again();
  await storage.adopt();
  writeFileSync(join(root, '.backup-automation-storage'), '');
  await expect(again().put({ database: 'shop', backupId: eventId(1) })).rejects.toMatchObject({ code: 'storage-marker' });
  await again().adopt();
  expect(await again().probe()).toMatchObject({ marker: 'known' });
  rmSync(folder, { recursive: true });
});

test('a file where the folder, or one above it, should be is told by the first look', async () => {
  const { storage, root, folder } = await makeLocal();
  expect(await storage.probe()).toMatchObject({ marker: 'new' });
  writeFileSync(root, 'a file');
  await expect(storage.probe()).rejects.toMatchObject({ code: 'storage', message: expect.stringContaining('is not a folder') as string });
  const below = local.create('local', { kind: 'local', path: join(root, 'deeper', 'still') }, openStorageMemory(join(folder, 'state')));
  await expect(below.probe()).rejects.toMatchObject({ code: 'storage', message: expect.stringContaining('ENOTDIR') as string });
  rmSync(folder, { recursive: true });
});
