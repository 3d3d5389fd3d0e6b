/**
 * test: ending the events of dead processes, on real ledgers and locks; only the storages are made up.
 */
import { spawn } from 'node:child_process';
import { existsSync, mkdirSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import type { Signer } from '../../../src/core/context.js';
import { listEvents } from '../../../src/core/history/events.js';
import { encodeManifest } from '../../../src/core/backup/manifest.js';
import { reconcile, type ReconcileContext } from '../../../src/core/history/reconcile.js';
import type { Manifest } from '../../../src/model/backup/backup.js';
import { Failure } from '../../../src/model/errors.js';
import type { Storage } from '../../../src/model/roles/storage.js';
import { systemClock } from '../../../src/system/clock.js';
import { openLocks } from '../../../src/system/files/lock.js';
import { eventId, live, readAll, temporaryState, type TemporaryState } from '../../fixtures/ledger.js';

let temporary: TemporaryState;
beforeEach(() => {
  temporary = temporaryState();
});
afterEach(() => temporary.remove());

const signer: Signer = { key: () => 'k', sign: () => 's', verify: (_key, _bytes, signature) => (signature === 's' ? 'good' : 'bad') };

const manifest = (k: number): Manifest => ({
  format: 1,
  backupId: eventId(k),
  eventId: eventId(k),
  scheduleId: null,
  database: 'shop',
  databaseName: 'shop',
  systemIdentifier: null,
  databaseSize: 1,
  engine: 'pg_dump',
  serverVersion: '15',
  clientVersion: '15',
  toolVersion: '0',
  snapshotLsn: null,
  startedAt: '2026-01-01T00:00:00.000Z',
  finishedAt: '2026-01-01T00:01:00.000Z',
  artifacts: [{ name: 'database.dump', kind: 'database', size: 7, sha256: 'a'.repeat(64), plainSha256: null, codecs: [] }],
  proven: null,
  warnings: ['noted while dumping'],
  host: 'here',
  signature: null,
});

interface Kept {
  readonly storage: Storage;
  readonly swept: string[];
}

/** A storage that holds the backup of the k-th event, or nothing; `size` as found on the disk. */
function keep(name: string, k: number | null, size = 7): Kept {
  const swept: string[] = [];
  const refuse = () => Promise.reject(new Error('not asked for'));
  const storage: Storage = {
    name,
    kind: 'made up',
    required: false,
    probe: refuse,
    adopt: refuse,
    put: refuse,
    get: refuse,
    list: async function* () {},
    stat: async (place) =>
      k !== null && place.backupId === eventId(k) && place.database === 'shop'
        ? { place, manifest: encodeManifest(manifest(k), signer), sizes: { 'database.dump': size } }
        : null,
    sweep: async ({ backupId }) => void swept.push(backupId),
    mark: refuse,
    unmark: refuse,
    discard: refuse,
    recover: refuse,
    discarded: async function* () {},
    remove: refuse,
  };
  return { storage, swept };
}

const contextOf = (storages: readonly Kept[] = [keep('local', null)]): ReconcileContext => ({
  ledger: temporary.ledger(),
  locks: openLocks(temporary.state),
  storages: storages.map(({ storage }) => storage),
  schedules: {},
  signer,
  log: () => {},
  announce: () => {},
  process: { host: 'here' },
  newId: () => eventId(99),
  clock: systemClock,
});

const lastState = async () => (await readAll(temporary.ledger())).told.at(-1);

describe('a running event whose process died', () => {
  test('without a backup: failed as interrupted, what it left is swept', async () => {
    const kept = keep('local', null);
    await live(temporary.ledger(), 1, 'running', { pid: 4711 });
    const [event] = await reconcile(contextOf([kept]));
    expect(event).toMatchObject({ status: 'failed', result: { success: false, code: 'interrupted', class: 'transient' } });
    expect(event?.result?.error).toContain('interrupted: the process 4711 on here is gone: it was killed, or could not write');
    expect(kept.swept).toEqual([eventId(1)]);
    expect(await lastState()).toBe(`${eventId(1)}:failed`);
  });

  test('with its backup whole in a storage: completed, and recovered; the other storage is swept and told of', async () => {
    const [full, empty] = [keep('a', 1), keep('b', null)];
    await live(temporary.ledger(), 1, 'running');
    const [event] = await reconcile(contextOf([full, empty]));
    expect(event).toMatchObject({
      status: 'completed',
      recovered: true,
      result: { success: true, backupId: eventId(1), duration: 60_000, size: 7 },
      warnings: ['noted while dumping', expect.stringContaining('storage "b" has no copy of it')],
    });
    expect([full.swept, empty.swept]).toEqual([[], [eventId(1)]]);
  });

  test('with a backup that is not whole: failed', async () => {
    await live(temporary.ledger(), 1, 'running');
    expect(await reconcile(contextOf([keep('local', 1, 6)]))).toMatchObject([{ status: 'failed' }]);
  });

  test('while a storage cannot be asked it is left as it is', async () => {
    const down = keep('local', null);
    await live(temporary.ledger(), 1, 'running');
    const stat = () => Promise.reject(new Failure('storage', 'down'));
    expect(await reconcile(contextOf([{ ...down, storage: { ...down.storage, stat } }]))).toEqual([]);
    expect(await lastState()).toBe(`${eventId(1)}:running`);
    expect(await reconcile(contextOf())).toHaveLength(1);
  });

  test('its run folder and lock are removed (J3)', async () => {
    const lock = await openLocks(temporary.state).claimEvent(eventId(1));
    await live(temporary.ledger(), 1, 'running');
    mkdirSync(join(temporary.state, 'run', eventId(1)));
    lock?.release();
    await reconcile(contextOf());
    expect(readdirSync(join(temporary.state, 'run'))).toEqual([]);
  });

  test('the retry that it announced and did not leave is left, once', async () => {
    const retryAt = '2026-01-01T02:33:00.000Z';
    for (let deaths = 0; deaths < 2; deaths += 1) {
      (await openLocks(temporary.state).claimEvent(eventId(1)))?.release();
      if (deaths === 0) await live(temporary.ledger(), 1, 'failed', { retryAt });
      await reconcile(contextOf());
      expect(readdirSync(join(temporary.state, 'run'))).toEqual([]);
    }
    const { told, lines } = await readAll(temporary.ledger());
    expect(told).toEqual(['pending', 'running', 'failed'].map((state) => `${eventId(1)}:${state}`).concat(`${eventId(99)}:pending`));
    expect(lines.at(-1)?.record).toMatchObject({ type: 'retry', attempt: 2, retryOf: eventId(1), notBefore: retryAt });
    expect(lines.at(-1)?.record).not.toHaveProperty('retryAt');
  });

  test('twice ends it once', async () => {
    await live(temporary.ledger(), 1, 'running');
    expect(await reconcile(contextOf())).toHaveLength(1);
    expect(await reconcile(contextOf())).toHaveLength(0);
  });

  test('A16: ten at once end each once', async () => {
    for (let k = 1; k <= 3; k += 1) await live(temporary.ledger(), k, 'running');
    const ended = await Promise.all(Array.from({ length: 10 }, () => reconcile(contextOf())));
    expect(
      ended
        .flat()
        .map(({ id }) => id)
        .toSorted(),
    ).toEqual([1, 2, 3].map(eventId));
    const { told } = await readAll(temporary.ledger());
    expect(told.filter((line) => line.endsWith(':failed'))).toHaveLength(3);
    expect(readdirSync(join(temporary.state, 'run'))).toEqual([]);
  });

  test('A12: an innocent process that got its number is neither believed nor touched', async () => {
    const innocent = spawn('sleep', ['60'], { stdio: 'ignore' });
    try {
      await live(temporary.ledger(), 1, 'running', { pid: innocent.pid ?? 0 });
      expect(await reconcile(contextOf())).toMatchObject([{ status: 'failed' }]);
      expect([innocent.exitCode, innocent.signalCode]).toEqual([null, null]);
      expect(process.kill(innocent.pid ?? 0, 0)).toBe(true);
    } finally {
      innocent.kill('SIGKILL');
    }
  });

  test('from under a name of this host that has changed', async () => {
    await live(temporary.ledger(), 1, 'running', { host: 'the container before' });
    expect(await reconcile(contextOf())).toHaveLength(1);
  });
});

describe('left alone', () => {
  test('an event whose lock is held, running or pending', async () => {
    const locks = openLocks(temporary.state);
    const held = [await locks.claimEvent(eventId(1)), await locks.claimEvent(eventId(2))];
    await live(temporary.ledger(), 1, 'running');
    await live(temporary.ledger(), 2, 'pending', { pid: 2 ** 22 + 1 });
    expect(await reconcile(contextOf())).toEqual([]);
    const { events } = await listEvents(contextOf(), { limit: 20 });
    expect(events.map(({ status }) => status)).toEqual(['pending', 'running']);
    for (const lock of held) lock?.release();
    expect(await reconcile(contextOf())).toHaveLength(2);
  });

  test('a retry that waits for its time, and a slot that waits for its conditions', async () => {
    await live(temporary.ledger(), 1, 'pending', { notBefore: '2026-01-01T00:00:00.000Z', pid: 2 ** 22 + 1 });
    await live(temporary.ledger(), 2, 'pending', { slot: 'daily@2026-01-01', pid: 2 ** 22 + 1 });
    expect(await reconcile(contextOf())).toEqual([]);
  });

  test('an event that was just created by a living process, before it claimed it', async () => {
    await live(temporary.ledger(), 1, 'pending', { pid: process.pid });
    expect(await reconcile(contextOf())).toEqual([]);
    await live(temporary.ledger(), 2, 'pending', { pid: 2 ** 22 + 1 });
    expect(await reconcile(contextOf())).toMatchObject([{ id: eventId(2), status: 'failed' }]);
  });

  test('an ended event; what it left in run/ goes', async () => {
    const lock = await openLocks(temporary.state).claimEvent(eventId(1));
    await live(temporary.ledger(), 1);
    lock?.release();
    expect(await reconcile(contextOf())).toEqual([]);
    expect(readdirSync(join(temporary.state, 'run'))).toEqual([]);
  });
});

test('an old dead event is found by its lock, however much was written since', async () => {
  const lock = await openLocks(temporary.state).claimEvent(eventId(1));
  await live(temporary.ledger(), 1, 'running');
  lock?.release();
  const ledger = temporary.ledger();
  await ledger.appendFact({ record: 'configuration', key: 'k', by: 'test' });
  const line = temporary.bytes();
  temporary.overwrite(Buffer.concat([line, ...Array.from({ length: 1500 }, () => line.subarray(line.lastIndexOf(10, -2) + 1))]));
  expect(await reconcile(contextOf())).toMatchObject([{ id: eventId(1), status: 'failed' }]);
});

test('listings show it as interrupted before that, and write nothing', async () => {
  await live(temporary.ledger(), 1, 'running', { pid: 4711 });
  const before = temporary.bytes();
  const { events } = await listEvents(contextOf(), { limit: 20, status: 'failed' });
  expect(events).toMatchObject([{ id: eventId(1), status: 'failed', result: { code: 'interrupted' } }]);
  expect(temporary.bytes()).toEqual(before);
  expect(existsSync(join(temporary.state, 'run'))).toBe(false);
});
