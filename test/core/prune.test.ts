/**
 * test: carrying retention plans out, on real folders, locks and ledgers.
 */
import { appendFileSync, existsSync, readdirSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { setPin } from '../../src/core/catalog/pins.js';
import { findBackup } from '../../src/core/catalog/catalog.js';
import { makeRoom, planPrune, prune, pruneAfter } from '../../src/core/prune.js';
import { undoPrune } from '../../src/core/catalog/trash.js';
import type { Context } from '../../src/core/context.js';
import type { PruneRecord } from '../../src/model/events/ledger.js';
import type { Storage } from '../../src/model/roles/storage.js';
import { makeEvent, readAll } from '../fixtures/ledger.js';
import { stock, type Stock } from '../fixtures/stock.js';

const day = 86_400_000;
const scope = { force: false };

let shelf: Stock;
beforeEach(() => {
  shelf = stock();
});
afterEach(() => shelf.remove());

const fill = async (length: number, more: Parameters<Stock['add']>[1] = {}) => {
  for (let k = 0; k < length; k += 1) await shelf.add(k, more);
};
const run = (context: Context = shelf.context, storage: Storage = shelf.storage) => prune(context, storage, scope);
const told = async () =>
  (await readAll(shelf.context.ledger)).lines
    .flatMap(({ record }) => (record.record === 'prune' ? [record as PruneRecord] : []))
    .map(({ phase, backupIds }) => [phase, backupIds.length]);

describe('two phases', () => {
  test('out of the listing at once, off the disk by the next prune after a day', async () => {
    await fill(5);
    expect(await run()).toMatchObject({ discarded: [0, 1].map(shelf.id), emptied: [], problems: [] });
    expect([await shelf.listed(), await shelf.aside()]).toEqual([
      [2, 3, 4],
      [0, 1],
    ]);
    expect(await run()).toMatchObject({ discarded: [], emptied: [] });
    shelf.after(4, day - 60_000);
    expect(await run()).toMatchObject({ emptied: [] });
    shelf.after(4, day);
    expect(await run()).toMatchObject({ emptied: [0, 1].map(shelf.id), trash: [] });
    expect(readdirSync(join(shelf.store, 'shop'))).toHaveLength(3);
    expect(await told()).toEqual([
      ['intent', 2],
      ['done', 2],
      ['emptied', 1],
      ['emptied', 1],
    ]);
  });

  test('looking at the plan writes nothing', async () => {
    await fill(5);
    const lines = (await readAll(shelf.context.ledger)).lines.length;
    const { groups } = await planPrune(shelf.context, shelf.storage, scope);
    expect(groups[0]?.plan.remove).toHaveLength(2);
    expect((await readAll(shelf.context.ledger)).lines).toHaveLength(lines);
    expect(await shelf.listed()).toHaveLength(5);
    expect(readdirSync(join(shelf.state, 'locks'))).toEqual(['ledger.lock']);
  });

  test('undone within the grace', async () => {
    await fill(5);
    await run();
    expect(await undoPrune(shelf.context, shelf.storage)).toMatchObject({ recovered: [{}, {}], problems: [] });
    expect([await shelf.listed(), await shelf.aside()]).toEqual([[0, 1, 2, 3, 4], []]);
  });

  test('where space is short what lies aside goes at once, before the next backup', async () => {
    await fill(5);
    await run();
    const short = {
      ...shelf.context,
      settings: { ...shelf.context.settings, conditions: { ...shelf.context.settings.conditions, minDiskSpace: 1e9 } },
    };
    await makeRoom(shelf.context, [shelf.storage]);
    expect(await shelf.aside()).toEqual([0, 1]);
    await makeRoom(short, [shelf.storage]);
    expect([await shelf.listed(), await shelf.aside()]).toEqual([[2, 3, 4], []]);
  });

  test('what lies aside stays when what is listed is less than the minimum', async () => {
    await fill(5);
    await run();
    shelf.after(4, day);
    rmSync(join(shelf.store, 'shop', shelf.id(3)), { recursive: true });
    expect((await run()).groups).toMatchObject([{ plan: { skipped: null } }]);
    expect(await shelf.aside()).toEqual([0, 1]);
    expect(await undoPrune(shelf.context, shelf.storage)).toMatchObject({ recovered: [{}, {}] });
  });

  test('what lies aside stays when nothing that is listed is proven as high', async () => {
    await fill(5);
    await run();
    shelf.after(4, day);
    const about = { database: 'shop', level: 'restore', storage: 'local', ok: true, detail: '', duration: 1 } as const;
    await shelf.context.ledger.appendFact({ record: 'verification', ...about, backupId: shelf.id(0) });
    expect(await run()).toMatchObject({ emptied: [shelf.id(1)] });
    await shelf.context.ledger.appendFact({ record: 'verification', ...about, backupId: shelf.id(4) });
    expect(await run()).toMatchObject({ emptied: [shelf.id(0)] });
  });

  test('what lies aside stays while nothing is completed', async () => {
    await fill(5);
    await run();
    shelf.after(4, 3 * day);
    expect(await run()).toMatchObject({ emptied: [], groups: [{ plan: { skipped: expect.stringContaining('intervals') as string } }] });
    expect(await shelf.aside()).toEqual([0, 1]);
  });
});

describe('what stays', () => {
  test('pinned: the pin lies in the storage, and outlives the ledger', async () => {
    await fill(5);
    const backup = await findBackup(shelf.context, shelf.id(0));
    await setPin(shelf.context, backup, { pinned: true, reason: 'the audit', actor: { by: 'cli:me', address: 'here' } });
    expect((await findBackup(shelf.context, shelf.id(0))).pinned).toBe(true);
    await run();
    expect(await shelf.listed()).toEqual([0, 2, 3, 4]);
    await setPin(shelf.context, backup, { pinned: false, reason: 'over', actor: { by: 'cli:me', address: 'here' } });
    await run();
    expect(await shelf.listed()).toEqual([2, 3, 4]);
  });

  test('in use: while somebody reads it', async () => {
    await fill(5);
    const reader = await shelf.context.locks.holdBackup(shelf.id(0));
    await run();
    expect(await shelf.listed()).toEqual([0, 2, 3, 4]);
    reader?.release();
    await run();
    expect(await shelf.listed()).toEqual([2, 3, 4]);
  });

  test('in use: by who came between the plan and the removal', async () => {
    await fill(5);
    const { locks } = shelf.context;
    const claimBackup: typeof locks.claimBackup = async (backupId) => {
      if (backupId === shelf.id(0)) await locks.holdBackup(backupId);
      return locks.claimBackup(backupId);
    };
    expect(await run({ ...shelf.context, locks: { ...locks, claimBackup } })).toMatchObject({ discarded: [shelf.id(1)], problems: [] });
  });

  test('all, while another process removes there', async () => {
    await fill(5);
    const locks = { ...shelf.context.locks, claimRetention: async () => null };
    const { discarded, problems } = await run({ ...shelf.context, locks });
    expect([discarded, problems]).toEqual([[], [expect.stringContaining('another process removes backups there')]]);
    expect(await shelf.listed()).toHaveLength(5);
  });

  test('another schedule, by hand, in an emergency, of another server, or made elsewhere: each counts for itself', async () => {
    await fill(3);
    for (const [k, more] of [
      [5, { scheduleId: null }],
      [6, { emergency: true }],
      [7, { systemIdentifier: '8' }],
      [8, { scheduleId: 'gone' }],
      [9, { databaseName: 'renamed' }],
    ] as const)
      await shelf.add(k, more);
    await shelf.add(10);
    await run();
    expect(await shelf.listed()).toEqual([1, 2, 5, 6, 7, 8, 9, 10]);
  });

  test('G7: a major upgrade, a rename and a new server, under names that sort backwards: each keeps its newest', async () => {
    const hour = 3_600_000;
    const start = Date.UTC(2026, 0, 1, 2);
    // the later it was made, the earlier its name: by their names the newest would go first
    const made = (k: number) => {
      const at = start + (20 - k) * day;
      return { startedAt: new Date(at).toISOString(), finishedAt: new Date(at + hour).toISOString() };
    };
    const upgraded = { systemIdentifier: '8', serverVersion: '17', clientVersion: '17' };
    for (const k of [19, 18, 17, 16, 15]) await shelf.add(k, made(k));
    for (const k of [14, 13, 12, 11]) await shelf.add(k, { ...made(k), ...upgraded });
    for (const k of [10, 9]) await shelf.add(k, { ...made(k), ...upgraded, databaseName: 'renamed' });
    await shelf.add(20, { ...upgraded, databaseName: 'renamed' });
    const { problems, groups } = await run();
    expect(problems).toEqual([]);
    expect(groups.flatMap(({ plan }) => plan.skipped ?? [])).toEqual([]);
    expect(await shelf.listed()).toEqual([9, 10, 11, 12, 13, 15, 16, 17, 20]);
  });

  test('one that another installation signed is neither counted nor removed', async () => {
    await fill(3);
    const other = stock();
    try {
      for (let k = 3; k < 9; k += 1) {
        await other.add(k);
        renameSync(join(other.store, 'shop', other.id(k)), join(shelf.store, 'shop', shelf.id(k)));
      }
    } finally {
      other.remove();
    }
    expect(await run()).toMatchObject({ discarded: [] });
    expect(await shelf.listed()).toHaveLength(9);
  });

  test('all, when a storage cannot be listed to its end', async () => {
    await fill(5);
    const broken: Storage = Object.assign(Object.create(shelf.storage) as Storage, {
      async *list() {
        yield* shelf.storage.list();
        throw new Error('the disk is gone');
      },
    });
    Object.defineProperty(broken, 'name', { value: 'local' });
    const pruned = await run(shelf.context, broken);
    expect(pruned.problems).toEqual([expect.stringContaining('the disk is gone')]);
    expect(pruned.groups[0]?.plan).toMatchObject({ remove: [], skipped: expect.stringContaining('could not be listed') as string });
    expect(await shelf.listed()).toHaveLength(5);
  });

  test('all, when the ledger is damaged; --force looks past it', async () => {
    await fill(5);
    appendFileSync(join(shelf.state, 'ledger', 'events-000001.jsonl'), '{"v":1,"garbage\n');
    expect((await run()).groups[0]?.plan.skipped).toContain('damaged');
    expect(await shelf.listed()).toHaveLength(5);
    await prune(shelf.context, shelf.storage, { force: true });
    expect(await shelf.listed()).toEqual([2, 3, 4]);
  });

  test('G4: all, when nothing was completed for long', async () => {
    await fill(5);
    shelf.after(64);
    await shelf.context.ledger.appendFact({ record: 'configuration', key: 'k', by: 'me' });
    expect((await run()).groups[0]?.plan.skipped).toContain('completed');
    expect(await shelf.listed()).toHaveLength(5);
  });

  test('all, while verification fails', async () => {
    await fill(5);
    const verification = { record: 'verification', database: 'shop', storage: 'local', detail: '', duration: 1, level: 'restore' } as const;
    await shelf.context.ledger.appendFact({ ...verification, backupId: shelf.id(3), ok: false });
    expect((await run()).groups[0]?.plan.skipped).toContain('verification fails');
    await shelf.context.ledger.appendFact({ ...verification, backupId: shelf.id(4), ok: true });
    await run();
    expect(await shelf.listed()).toEqual([1, 2, 3, 4]);
  });

  test('a suspect one holds the one before it, until a restore proves it', async () => {
    await fill(5);
    await shelf.add(5, { suspect: ['odd'] });
    await run();
    expect(await shelf.listed()).toEqual([2, 3, 4, 5]);
    expect(await findBackup(shelf.context, shelf.id(5))).toMatchObject({ suspect: true, doubts: ['odd'] });
    await shelf.context.ledger.appendFact({
      record: 'verification',
      backupId: shelf.id(5),
      database: 'shop',
      storage: 'local',
      level: 'restore',
      ok: true,
      detail: '',
      duration: 1,
    });
    expect(await findBackup(shelf.context, shelf.id(5))).toMatchObject({ suspect: false, doubts: [] });
    await run();
    expect(await shelf.listed()).toEqual([3, 4, 5]);
  });
});

describe('before each single removal', () => {
  test('its group is looked at again: what vanished meanwhile is made up for', async () => {
    await fill(6);
    let removals = 0;
    const racing: Storage = Object.assign(Object.create(shelf.storage) as Storage, {
      async discard(...args: Parameters<Storage['discard']>) {
        await shelf.storage.discard(...args);
        removals += 1;
        // somebody removes two by hand
        for (const k of [4, 5]) rmSync(join(shelf.store, 'shop', shelf.id(k)), { recursive: true, force: true });
      },
      list: (database?: string) => shelf.storage.list(database),
      discarded: (database?: string) => shelf.storage.discarded(database),
      probe: () => shelf.storage.probe(),
    });
    Object.defineProperty(racing, 'name', { value: 'local' });
    await run(shelf.context, racing);
    expect(removals).toBe(1);
    expect(await shelf.listed()).toEqual([1, 2, 3]);
  });

  test('ten at once remove each once', async () => {
    await fill(6);
    const all = await Promise.all(Array.from({ length: 10 }, () => run()));
    expect(all.flatMap(({ discarded }) => discarded).toSorted()).toEqual([0, 1, 2].map(shelf.id));
    expect(all.flatMap(({ problems }) => problems)).toEqual([]);
    expect(await shelf.listed()).toEqual([3, 4, 5]);
  });
});

describe('interrupted', () => {
  test('A14: an intent without a deed is made good by the next prune', async () => {
    await fill(5);
    const dying: Storage = Object.assign(Object.create(shelf.storage) as Storage, {
      discard: () => Promise.reject(new Error('died')),
      list: (database?: string) => shelf.storage.list(database),
      discarded: (database?: string) => shelf.storage.discarded(database),
      probe: () => shelf.storage.probe(),
    });
    Object.defineProperty(dying, 'name', { value: 'local' });
    expect((await run(shelf.context, dying)).problems).toEqual(['died']);
    expect(await told()).toEqual([['intent', 2]]);
    await run();
    expect([await shelf.listed(), await shelf.aside()]).toEqual([
      [2, 3, 4],
      [0, 1],
    ]);
  });

  test('A14: a removal for good that was interrupted is ended, and cannot be undone', async () => {
    await fill(5);
    await run();
    rmSync(join(shelf.store, 'shop', `${shelf.id(0)}.trash`, 'manifest.json'));
    expect((await undoPrune(shelf.context, shelf.storage)).problems).toEqual([expect.stringContaining('not whole')]);
    expect([await shelf.listed(), await shelf.aside()]).toEqual([[1, 2, 3, 4], [0]]);
    await run();
    expect([await shelf.listed(), await shelf.aside()]).toEqual([[2, 3, 4], [1]]);
  });

  test('what lies aside and is not ours is left alone', async () => {
    await fill(5);
    await run();
    writeFileSync(join(shelf.store, 'shop', `${shelf.id(0)}.trash`, 'manifest.json'), '{}');
    shelf.after(4, day);
    await run();
    expect(await shelf.aside()).toEqual([0]);
  });
});

describe('after a backup', () => {
  test('only its schedule and database; trouble is a Failure beside the good backup', async () => {
    await fill(5);
    await shelf.add(9, { database: 'other' });
    await shelf.add(10);
    const event = makeEvent(1, 'completed', { scheduleId: 'daily' });
    expect(await pruneAfter(shelf.context, { ...event, scheduleId: 'weekly' }, [shelf.storage])).toBeNull();
    expect(await shelf.aside()).toEqual([]);
    expect(await pruneAfter(shelf.context, event, [shelf.storage])).toBeNull();
    expect(await shelf.listed()).toEqual([3, 4, 9, 10]);
    renameSync(shelf.store, `${shelf.store}.away`);
    const failure = await pruneAfter(shelf.context, event, [shelf.storage]);
    expect(failure).toMatchObject({ code: 'partial', exit: 3 });
    renameSync(`${shelf.store}.away`, shelf.store);
    expect(existsSync(shelf.store)).toBe(true);
  });
});
