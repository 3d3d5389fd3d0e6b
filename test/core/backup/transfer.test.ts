/**
 * test: bytes on their way into storages that fail, lie and dawdle. The flow, the ledger and the locks are real; the engine and the
 * storages are ours.
 */
import { createHash, randomBytes } from 'node:crypto';
import { PassThrough, Readable } from 'node:stream';
import { setImmediate as turn } from 'node:timers/promises';
import { gunzipSync } from 'node:zlib';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { catalog } from '../../../src/core/catalog/catalog.js';
import type { Context } from '../../../src/core/context.js';
import { execute } from '../../../src/core/execute.js';
import { withdraw } from '../../../src/core/backup/transfer.js';
import { verifyBackup } from '../../../src/core/verify.js';
import type { Artifact } from '../../../src/model/backup/backup.js';
import { Failure } from '../../../src/model/errors.js';
import type { Stage } from '../../../src/model/roles/flow.js';
import { systemClock } from '../../../src/system/clock.js';
import { fakeEngine, yields } from '../../fakes/engine.js';
import { memoryStorage, type MemoryStorage, type StorageStep } from '../../fakes/storage.js';
import { count } from '../../fixtures/counts.js';
import { byHand, inProcess, lab, type Lab } from '../../fixtures/lab.js';

let project: Lab;
beforeEach(() => {
  project = lab({ shop: { host: 'nowhere.invalid' } }, { autoRetry: false, compression: 'none' });
});
afterEach(() => project.cleanup());

const sha256 = (bytes: Uint8Array): string => createHash('sha256').update(bytes).digest('hex');

/** `bytes` in pieces, and a pause before their end. */
const inPieces = (bytes: Buffer, length = 50_000): Stage =>
  yields(async function* () {
    for (let at = 0; at < bytes.length; at += length) yield bytes.subarray(at, at + length);
    for (let waited = 0; waited < 10; waited += 1) await turn();
  });

async function contextOf(dump: Stage, storages: readonly MemoryStorage[], set: readonly string[] = []): Promise<Context> {
  return { ...(await inProcess(project, set)), engine: fakeEngine(dump), storages };
}

describe('what arrives', () => {
  test.each([1, 2, 65_535, 65_536, 65_537, 3_000_001])('%i bytes, in every storage, with their size and SHA-256', async (length) => {
    const bytes = randomBytes(length);
    const storages = [memoryStorage('near'), memoryStorage('far')];
    const context = await contextOf(inPieces(bytes), storages);
    const { events, failure } = await execute(context, byHand);
    expect(failure).toBeNull();
    const { backups } = await catalog(context);
    expect(backups).toMatchObject([{ backupId: events[0]?.id, storages: ['near', 'far'], proven: { level: 'archive' } }]);
    const artifact = backups[0]?.manifest.artifacts.find(({ kind }) => kind === 'database');
    expect(artifact).toMatchObject({ name: 'database.dump', size: length, sha256: sha256(bytes) });
    for (const { kept } of storages) expect(kept.get(`shop/${events[0]?.id}`)?.get('database.dump')?.equals(bytes)).toBe(true);
    expect(events[0]?.result?.size).toBe(backups[0]?.manifest.artifacts.reduce((sum, { size }) => sum + size, 0));
  });

  test('through a codec: the size and the SHA-256 are those of what is stored', async () => {
    const bytes = Buffer.from('again and again '.repeat(100_000));
    const storage = memoryStorage('near');
    const context = await contextOf(inPieces(bytes), [storage], ['compression=gzip']);
    const { events, failure } = await execute(context, byHand);
    expect(failure).toBeNull();
    const stored = storage.kept.get(`shop/${events[0]?.id}`)?.get('database.dump.gz') ?? Buffer.alloc(0);
    expect(gunzipSync(stored).equals(bytes)).toBe(true);
    const [backup] = (await catalog(context)).backups;
    const artifact = backup?.manifest.artifacts.find(({ kind }) => kind === 'database');
    expect(artifact).toMatchObject({ size: stored.length, sha256: sha256(stored), codecs: ['gzip'] });
    if (backup) expect(await verifyBackup(context, backup, 'archive')).toMatchObject({ ok: true });
  });
});

describe('a storage that fails', () => {
  const steps: readonly StorageStep[] = ['put', 'write', 'bytes', 'end', 'late', 'seal', 'read', 'commit'];

  test.each(steps)('at "%s" beside a good one: a good backup, exit 3, nothing left in the bad one', async (failsAt) => {
    const storages = [memoryStorage('bad', { failsAt }), memoryStorage('good')];
    const context = await contextOf(inPieces(randomBytes(200_000), failsAt === 'late' ? 200_000 : 50_000), storages);
    const { events, failure } = await execute(context, byHand);
    expect(events).toMatchObject([{ status: 'completed', result: { success: true } }]);
    expect(failure).toMatchObject({ code: 'partial', exit: 3 });
    const [bad, good] = storages;
    expect(bad?.kept.size).toBe(0);
    expect(bad?.open.size).toBe(0);
    expect(good?.kept.size).toBe(1);
    const { backups } = await catalog(context);
    expect(backups).toMatchObject([{ backupId: events[0]?.id, storages: ['good'], proven: { level: 'archive' } }]);
    if (backups[0]) expect(await verifyBackup(context, backups[0], 'archive')).toMatchObject({ ok: true });
  });

  test.each(steps)('at "%s" as all do: the event failed, nothing is left', async (failsAt) => {
    const storages = [memoryStorage('one', { failsAt }), memoryStorage('two', { failsAt })];
    const context = await contextOf(inPieces(randomBytes(200_000), failsAt === 'late' ? 200_000 : 50_000), storages);
    const { events, failure } = await execute(context, byHand);
    expect(events).toMatchObject([{ status: 'failed', result: { success: false } }]);
    expect(failure?.exit).toBe(21);
    for (const { kept, open } of storages) expect([kept.size, open.size]).toEqual([0, 0]);
  });
});

describe('as many copies as are asked for', () => {
  const steps: readonly StorageStep[] = ['put', 'write', 'bytes', 'end', 'seal', 'read', 'commit'];
  const attempt = async (storages: readonly MemoryStorage[], set: readonly string[] = []) =>
    execute(await contextOf(inPieces(randomBytes(200_000)), storages, set), byHand);

  test.each(steps)('a required storage that fails at "%s" fails the backup, and nothing is left in the good ones', async (failsAt) => {
    const storages = [memoryStorage('good'), memoryStorage('bad', { failsAt, required: true })];
    const { events, failure } = await attempt(storages);
    expect(events).toMatchObject([{ status: 'failed', result: { success: false } }]);
    expect(failure?.exit).toBe(21);
    for (const { kept, open } of storages) expect([kept.size, open.size]).toEqual([0, 0]);
  });

  test.each(steps)('fewer than the quorum when one fails at "%s": nothing is left', async (failsAt) => {
    const storages = [memoryStorage('a'), memoryStorage('bad', { failsAt }), memoryStorage('b', { failsAt })];
    const { events, failure } = await attempt(storages, [
      'quorum=2',
      'storages={"a":{"kind":"local","path":"a"},"b":{"kind":"local","path":"b"}}',
    ]);
    expect(events).toMatchObject([{ status: 'failed', result: { error: expect.stringContaining('1 of at least 2 copies') as string } }]);
    expect(failure?.exit).toBe(21);
    for (const { kept, open } of storages) expect([kept.size, open.size]).toEqual([0, 0]);
  });

  test('the quorum met, what is missing stands in the event, and what was meant in the manifest', async () => {
    const storages = [memoryStorage('a'), memoryStorage('bad', { failsAt: 'bytes' }), memoryStorage('b')];
    const { events, failure } = await attempt(storages, [
      'quorum=2',
      'storages={"a":{"kind":"local","path":"a"},"b":{"kind":"local","path":"b"}}',
    ]);
    expect(failure).toMatchObject({ code: 'partial', exit: 3 });
    expect(events).toMatchObject([{ status: 'completed', missing: ['bad'] }]);
    expect(events[0]?.warnings).toContainEqual(expect.stringContaining('storage "bad" has no copy of it'));
    const manifest = storages[0]?.kept.get(`shop/${events[0]?.id}`)?.get('manifest.json');
    expect(JSON.parse(String(manifest))).toMatchObject({ storages: ['a', 'bad', 'b'] });
  });
});

describe('a source', () => {
  const broken = yields(function* () {
    yield Buffer.alloc(100_000);
    throw new Failure('engine-killed', 'pg_dump was killed by SIGKILL');
  });
  test.each([
    ['that breaks in the middle', broken, 'engine-killed'],
    ['that is empty', yields(() => []), 'archive'],
  ] as const)('%s leaves nothing in any storage', async (_what, dump, code) => {
    const storages = [memoryStorage('near'), memoryStorage('far')];
    const context = await contextOf(dump, storages);
    const { events, failure } = await execute(context, byHand);
    expect(events).toMatchObject([{ status: 'failed', result: { code } }]);
    expect(failure?.code).toBe(code);
    for (const { kept, open } of storages) expect([kept.size, open.size]).toEqual([0, 0]);
  });

  test('that says nothing any more is stopped after the stall timeout', async () => {
    const storage = memoryStorage('near');
    const silent: Stage = {
      kind: 'transform',
      create: () => {
        const stream = new PassThrough();
        stream.write(Buffer.alloc(10));
        return stream;
      },
    };
    let now = 0;
    const clock = {
      ...systemClock,
      monotonic: () => now,
      sleep: async (ms: number, signal?: AbortSignal) => {
        await turn();
        signal?.throwIfAborted();
        now += ms;
      },
    };
    const context = { ...(await contextOf(silent, [storage], ['stallTimeout=3'])), clock };
    const { failure } = await execute(context, byHand);
    expect(failure).toMatchObject({ code: 'stalled', message: expect.stringContaining('3 minutes') as string });
    expect([storage.kept.size, storage.open.size]).toEqual([0, 0]);
  });

  test('faster than its storage waits for it: what is between them is bounded', async () => {
    const [piece, pieces] = [Buffer.alloc(1024 * 1024, 7), count(96, 1024)];
    const storage = memoryStorage('slow', { slowness: 20, forgetful: true });
    let [yielded, most] = [0, 0];
    const fast = yields(function* () {
      for (let k = 0; k < pieces; k += 1) {
        yielded += piece.length;
        most = Math.max(most, yielded - storage.taken());
        yield piece;
      }
    });
    const context = await contextOf(fast, [storage], ['verify.afterBackup=none']);
    const { failure } = await execute(context, byHand);
    expect(failure).toBeNull();
    expect(storage.taken()).toBeGreaterThan(pieces * piece.length);
    expect(most).toBeLessThan(32 * piece.length);
  });
});

describe('reading back', () => {
  const bytes = Buffer.from('what was stored');
  const artifact: Artifact = {
    name: 'database.dump',
    kind: 'database',
    size: bytes.length,
    sha256: sha256(bytes),
    plainSha256: null,
    codecs: [],
  };
  const movement = { step: 'check', database: 'shop', total: null } as const;
  const nothing = yields(() => []);

  test.each([
    ['other bytes', Buffer.from('what was sTored'), /SHA-256/],
    ['fewer bytes', bytes.subarray(1), /14 bytes instead of 15/],
    ['more bytes', Buffer.concat([bytes, bytes]), /30 bytes instead of 15/],
    ['no bytes', Buffer.alloc(0), /0 bytes instead of 15/],
  ])('%s are no proof', async (_what, found, message) => {
    const context = await contextOf(nothing, []);
    await expect(withdraw(context, { artifact, input: Readable.from([found], { objectMode: false }) }, [], movement)).rejects.toMatchObject(
      {
        code: 'verification',
        message: expect.stringMatching(message) as string,
      },
    );
  });

  test('a storage that breaks while it is read is told apart from a bad backup', async () => {
    const context = await contextOf(nothing, []);
    const input = Readable.from(
      (function* () {
        yield bytes.subarray(0, 3);
        throw new Failure('storage', 'EIO');
      })(),
      { objectMode: false },
    );
    await expect(withdraw(context, { artifact, input }, [], movement)).rejects.toMatchObject({ code: 'storage' });
  });
});
