/**
 * test: a backup in two storages is read from the one that can give it, and each copy is judged by itself.
 */
import { randomBytes } from 'node:crypto';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { Readable, Writable } from 'node:stream';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { catalog } from '../../src/core/catalog/catalog.js';
import { anyOf, readDetails } from '../../src/core/catalog/fetch.js';
import { planPrune } from '../../src/core/prune.js';
import type { Context } from '../../src/core/context.js';
import { execute } from '../../src/core/execute.js';
import { extract } from '../../src/core/restore/extract.js';
import { verifyBackup } from '../../src/core/verify.js';
import type { Backup } from '../../src/model/backup/backup.js';
import { Failure } from '../../src/model/errors.js';
import type { VerificationRecord } from '../../src/model/events/ledger.js';
import type { Storage } from '../../src/model/roles/storage.js';
import { fakeEngine, yields } from '../fakes/engine.js';
import { byHand, inProcess, lab, type Lab } from '../fixtures/lab.js';

const bytes = randomBytes(1_000_000);
let project: Lab;
let context: Context;
let backup: Backup;

const path = (storage: string, name = 'database.dump') => join(project.directory, storage, 'shop', backup.backupId, name);
const flip = (file: string) => {
  const content = readFileSync(file);
  content[content.length >> 1] = (content[content.length >> 1] ?? 0) ^ 1;
  writeFileSync(file, content);
};

beforeEach(async () => {
  const storages = { near: { kind: 'local', path: './near' }, far: { kind: 'local', path: './far' } };
  project = lab({ shop: { host: 'nowhere.invalid' } }, { storages, compression: 'none' });
  context = { ...(await inProcess(project)), engine: fakeEngine(yields(() => [bytes])) };
  expect((await execute(context, byHand)).failure).toBeNull();
  backup = await only();
});
afterEach(() => project.cleanup());

async function only(): Promise<Backup> {
  const [found] = (await catalog(context)).backups;
  if (!found) throw new Error('no backup');
  return found;
}

/** The storage whose file breaks after so many bytes, as a disk does, or a share that goes away. */
function breaking(name: string, after: number, code: 'unreadable' | 'storage' = 'unreadable'): Context {
  const breaks = (storage: Storage): Storage =>
    Object.assign(Object.create(storage) as Storage, {
      get: async (...asked: Parameters<Storage['get']>) => {
        async function* some() {
          let left = after;
          for await (const piece of await storage.get(...asked)) {
            yield (piece as Buffer).subarray(0, left);
            left -= (piece as Buffer).length;
            if (left <= 0) throw new Failure(code, `storage "${name}": EIO: i/o error, read`);
          }
        }
        return Readable.from(some(), { objectMode: false });
      },
    });
  return { ...context, storages: context.storages.map((one) => (one.name === name ? breaks(one) : one)) };
}

async function contentOf(within: Context, of: Backup): Promise<Buffer> {
  const pieces: Buffer[] = [];
  const into = new Writable({ write: (data: Buffer, _encoding, next) => (pieces.push(data), next()) });
  await extract(within, of, into);
  return Buffer.concat(pieces);
}

const facts = async (): Promise<VerificationRecord[]> => {
  const found: VerificationRecord[] = [];
  for await (const { record } of context.ledger.read()) if (record.record === 'verification') found.push(record);
  return found;
};

describe('reading', () => {
  test.each([1, 65_536, 65_537, 500_000, 999_999])('goes on with the other copy at the same byte: after %i', async (after) => {
    const said: string[] = [];
    const within = { ...breaking('near', after), announce: (one: object) => 'message' in one && said.push(String(one.message)) };
    expect((await contentOf(within, backup)).equals(bytes)).toBe(true);
    expect(said.join()).toContain('going on with the copy in "far"');
  });

  test('fails as the last copy does', async () => {
    const neither = breaking('near', 500_000);
    const storages = breaking('far', 10).storages.map((one, index) => (index === 0 ? (neither.storages[0] ?? one) : one));
    await expect(contentOf({ ...context, storages }, backup)).rejects.toMatchObject({
      code: 'unreadable',
      message: expect.stringContaining('"far"') as string,
    });
  });

  test('begins with the copy of which nothing bad is known', async () => {
    flip(path('near'));
    expect(await verifyBackup(context, backup, 'checksum')).toMatchObject({ ok: false });
    expect((await contentOf(context, await only())).equals(bytes)).toBe(true);
    await expect(contentOf(context, backup)).rejects.toMatchObject({ code: 'verification' });
  });

  test('a pin on one copy is a pin', async () => {
    await context.storages[1]?.mark(backup, 'PINNED', 'why');
    expect(await only()).toMatchObject({ pinned: true });
  });

  test('one storage is read as it is', async () => {
    expect(anyOf(context, { ...backup, storages: ['far'] })).toBe(context.storages[1]);
    expect((await readDetails(breaking('near', 1), backup)).encoding).toBe('UTF8');
  });
});

describe('verifying', () => {
  test('both copies are read, and one fact says so', async () => {
    expect(await verifyBackup(context, backup, 'archive')).toMatchObject({
      ok: true,
      code: null,
      detail: expect.stringContaining('in near and far') as string,
    });
    expect(await facts()).toMatchObject([{ storage: 'near, far', ok: true }]);
  });

  test('one bad copy is told; the backup counts, the other copy is what retention counts where it lies', async () => {
    flip(path('far'));
    expect(await verifyBackup(context, backup, 'checksum')).toMatchObject({
      ok: false,
      code: 'verification',
      detail: expect.stringMatching(/^in near: .*; in far: .*SHA-256/) as string,
    });
    expect((await facts()).map(({ storage, ok }) => [storage, ok])).toEqual([
      ['near', true],
      ['far', false],
    ]);
    expect(await only()).toMatchObject({ suspect: false, badCopies: ['far'] });
    const [near, far] = context.storages;
    if (!near || !far) throw new Error('no storages');
    const standings = async (storage: Storage) =>
      (await planPrune(context, storage, { force: false })).groups.flatMap(({ candidates }) => candidates.map(({ standing }) => standing));
    expect(await standings(near)).toEqual(['good']);
    expect(await standings(far)).toEqual(['failed']);
  });

  test('two bad copies make a bad backup, and mended it is good again', async () => {
    for (const storage of ['near', 'far']) flip(path(storage));
    expect(await verifyBackup(context, backup, 'checksum')).toMatchObject({ ok: false });
    expect(await only()).toMatchObject({ suspect: true, badCopies: ['near', 'far'] });
    flip(path('far'));
    await verifyBackup(context, await only(), 'checksum');
    expect(await only()).toMatchObject({ suspect: false, badCopies: ['near'] });
  });

  test('B7: a disk that cannot read a copy: its copy is bad, and with no other one the backup', async () => {
    expect(await verifyBackup(breaking('near', 10), backup, 'checksum')).toMatchObject({ ok: false, code: 'unreadable' });
    expect(await only()).toMatchObject({ suspect: false, badCopies: ['near'] });
    const alone = { ...backup, storages: ['near'] };
    expect(await verifyBackup(breaking('near', 10), alone, 'archive')).toMatchObject({ ok: false, code: 'unreadable' });
  });

  test('a storage that is away is passed over; when all are, the verification is undone and says nothing', async () => {
    expect(await verifyBackup(breaking('near', 10, 'storage'), backup, 'checksum')).toMatchObject({
      ok: true,
      detail: expect.stringContaining('in far') as string,
    });
    expect(await facts()).toMatchObject([{ storage: 'far', ok: true }]);
    await expect(verifyBackup(breaking('near', 10, 'storage'), { ...backup, storages: ['near'] }, 'checksum')).rejects.toMatchObject({
      code: 'storage',
    });
    expect((await facts()).at(-1)).toMatchObject({ storage: 'near', ok: false, undone: true, code: 'storage' });
    expect(await only()).toMatchObject({ suspect: false, badCopies: [] });
  });
});
