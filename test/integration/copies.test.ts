/**
 * test: D15: two storages and one down: what it lacks is told, owed, and made good from the other one, whoever begins.
 */
import { mkdirSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { copyBackup, mendCopies } from '../../src/core/copies.js';
import { missingCopies } from '../../src/core/catalog/missing.js';
import { executeDue } from '../../src/core/due.js';
import { mendOwed } from '../../src/core/due/copies.js';
import { readOwed } from '../../src/core/due/owed-copies.js';
import { health } from '../../src/core/health.js';
import { execute } from '../../src/core/execute.js';
import { verifyBackup } from '../../src/core/verify.js';
import { catalog } from '../../src/core/catalog/catalog.js';
import type { Context } from '../../src/core/context.js';
import type { CopyRecord } from '../../src/model/events/ledger.js';
import { count } from '../fixtures/counts.js';
import { fakeEngine, yields } from '../fakes/engine.js';
import { byHand, inProcess, lab, type Lab } from '../fixtures/lab.js';

let project: Lab;
let context: Context;
const storages = { near: { kind: 'local', path: './near' }, far: { kind: 'local', path: './far' } };
const far = () => join(project.directory, 'far');

/** The storages, the ledger and the locks are real, what is dumped is not. */
const contextOf = async (set: readonly string[] = []): Promise<Context> => ({
  ...(await inProcess(project, set)),
  engine: fakeEngine(yields(() => [Buffer.from('some rows '.repeat(20_000))])),
});
beforeEach(async () => {
  project = lab({ shop: { host: 'nowhere.invalid' } }, { storages, autoRetry: false });
  context = await contextOf();
  expect((await execute(context, byHand)).failure).toBeNull();
});
afterEach(() => project.cleanup());

const isAnyCopyDue = async (within: Context) => (await readOwed(within)).due(within.clock.now()).length > 0;

/** As a share that is not mounted. */
const away = () => renameSync(far(), `${far()}-away`);
const back = () => renameSync(`${far()}-away`, far());

const facts = async (): Promise<CopyRecord[]> => {
  const found: CopyRecord[] = [];
  for await (const { record } of context.ledger.read()) if (record.record === 'copy') found.push(record);
  return found;
};
const holders = async () => (await catalog(context)).backups.map((backup) => backup.storages.join(' '));
const copiesCheck = async () => (await health(context)).checks.find(({ name }) => name === 'copies');

async function degraded(): Promise<string> {
  away();
  const { events, failure } = await execute(context, byHand);
  expect(failure).toMatchObject({ exit: 3 });
  expect(events).toMatchObject([{ status: 'completed', missing: ['far'] }]);
  back();
  return events[0]?.id ?? '';
}

test('D15: one of two storages is down: exit 3, told by the event and by health, made good by execute --due', async ({ task }) => {
  const rounds = count(1, 10);
  for (let round = 0; round < rounds; round += 1) {
    const id = await degraded();
    expect(await copiesCheck()).toMatchObject({
      status: 'warning',
      detail: expect.stringContaining(`"far" lacks ${id} of shop`) as string,
    });
    expect(await isAnyCopyDue(context)).toBe(true);
    expect((await project.json(['execute', '--due'])).exitCode).toBe(0);
    expect((await facts()).at(-1)).toMatchObject({ backupId: id, from: 'near', to: 'far', ok: true });
    expect(new Set(await holders())).toEqual(new Set(['near far']));
    for (const name of readdirSync(join(project.directory, 'near/shop', id)))
      expect(readFileSync(join(far(), 'shop', id, name)).equals(readFileSync(join(project.directory, 'near/shop', id, name))), name).toBe(
        true,
      );
    expect(await isAnyCopyDue(context)).toBe(false);
    expect(await copiesCheck()).toMatchObject({ status: 'healthy' });
  }
  const [newest] = (await catalog(context)).backups;
  if (newest) expect(await verifyBackup(context, newest, 'archive')).toMatchObject({ ok: true });
  task.meta.score = { row: 'D15', what: 'two storages, one down, made good', n: rounds, violations: [] };
});

test('made good after the next execute, which does not try again what failed in it', async () => {
  const first = await degraded();
  away();
  const { events } = await execute(context, byHand);
  expect(await facts()).toEqual([]);
  back();
  expect((await execute(context, byHand)).failure).toBeNull();
  expect((await facts()).map(({ backupId, ok }) => [backupId, ok])).toEqual([
    [events[0]?.id, true],
    [first, true],
  ]);
  expect(new Set(await holders())).toEqual(new Set(['near far']));
});

test('by hand: every missing copy, one copy into another storage, and a name that does not exist', async () => {
  const id = await degraded();
  expect(await project.json(['backups', 'copy', '--to', 'fra'])).toMatchObject({
    exitCode: 2,
    document: { error: { hint: expect.stringContaining('far') as string } },
  });
  expect(await project.json(['backups', 'copy', '--to', 'near'])).toMatchObject({ exitCode: 0, document: { copied: [] } });
  const done = await project.json(['backups', 'copy']);
  expect(done).toMatchObject({ exitCode: 0, document: { copied: [{ backupId: id, from: 'near', to: 'far', ok: true }], problems: [] } });
  expect((await project.run(['backups', 'copy'])).stdout).toBe('no storage lacks a copy\n');
  project.file('backup-automation.config.json', {
    ...(JSON.parse(readFileSync(join(project.directory, 'backup-automation.config.json'), 'utf8')) as object),
    storages: { ...storages, third: { kind: 'local', path: './third' } },
  });
  // a storage that came later is owed nothing, and takes what it is given
  expect((await project.run(['backups', 'copy'])).stdout).toBe('no storage lacks a copy\n');
  expect(await project.json(['backups', 'copy', id, '--to', 'third'])).toMatchObject({
    exitCode: 0,
    document: { copied: [{ to: 'third', ok: true }] },
  });
  expect((await project.json(['backups'])).document.backups[0]).toMatchObject({ storages: ['near', 'far', 'third'] });
});

test('a storage that is still away fails once, and is left alone for an hour', async () => {
  await degraded();
  away();
  expect((await executeDue(context)).failure).toMatchObject({ exit: 3, message: expect.stringContaining('"far"') as string });
  expect(await facts()).toMatchObject([{ to: 'far', from: null, ok: false }]);
  expect(await isAnyCopyDue(context)).toBe(false);
  expect((await executeDue(context)).failure).toBeNull();
  expect(await facts()).toHaveLength(1);
  const later = { ...context, clock: { ...context.clock, now: () => new Date(Date.now() + 3_600_000) } };
  back();
  expect(await isAnyCopyDue(later)).toBe(true);
  expect(await mendOwed(later)).toMatchObject({ done: [{ to: 'far', ok: true }], failure: null });
  expect((await facts()).at(-1)).toMatchObject({ ok: true });
});

test('what retention would not keep there, or put aside, is not copied, and owed no more', async () => {
  const id = await degraded();
  const strict = await contextOf(['retention={"keepLast":1,"minimum":1}']);
  expect((await missingCopies(strict)).missing.map(({ manifest }) => manifest.backupId)).toEqual([id]);
  for (let runs = 0; runs < 2; runs += 1)
    expect((await execute({ ...strict, storages: strict.storages }, { ...byHand, type: 'emergency' })).failure).toBeNull();
  expect((await missingCopies(strict)).missing).toEqual([]);
  expect((await mendOwed(strict)).failure).toBeNull();
  expect((await facts()).at(-1)).toMatchObject({ backupId: id, from: null, ok: true });
  expect(await isAnyCopyDue(strict)).toBe(false);
});

test('bytes that are not those of the manifest are not copied, and nothing is left', async () => {
  const id = await degraded();
  const path = join(project.directory, 'near/shop', id, 'database.dump.zst');
  const bytes = readFileSync(path);
  bytes[bytes.length >> 1] = (bytes[bytes.length >> 1] ?? 0) ^ 1;
  writeFileSync(path, bytes);
  const { copied, problems } = await mendCopies(context);
  expect(copied).toMatchObject([{ backupId: id, ok: false, detail: expect.stringContaining('SHA-256') as string }]);
  expect(problems).toHaveLength(1);
  expect(readdirSync(join(far(), 'shop')).filter((name) => name.startsWith(id))).toEqual([]);
});

test('what a killed copy left does not stand in the way; while one is copied nobody else copies or removes it', async () => {
  const id = await degraded();
  mkdirSync(join(far(), 'shop', `${id}.partial`));
  writeFileSync(join(far(), 'shop', `${id}.partial`, 'database.dump.zst'), 'half');
  const [copy] = (await missingCopies(context)).missing;
  if (!copy) throw new Error('nothing is missing');
  const held = await context.locks.claimEvent(id);
  await expect(copyBackup(context, copy)).rejects.toMatchObject({ code: 'not-now' });
  held?.retire();
  const removing = await context.locks.claimBackup(id);
  await expect(copyBackup(context, copy)).rejects.toMatchObject({ code: 'not-found' });
  removing?.retire();
  expect((await copyBackup(context, copy)).told).toMatchObject({ ok: true });
  expect(readdirSync(join(far(), 'shop')).filter((name) => name.endsWith('.partial'))).toEqual([]);
});

test('a pin goes with its copy; a disk that was emptied is filled again', async () => {
  const id = await degraded();
  expect((await project.json(['backups', 'pin', id])).exitCode).toBe(0);
  expect((await mendCopies(context)).problems).toEqual([]);
  expect(readdirSync(join(far(), 'shop', id))).toContain('PINNED');
  rmSync(far(), { recursive: true });
  await context.storages[1]?.adopt();
  expect((await mendCopies(context)).copied).toHaveLength(2);
  expect(new Set(await holders())).toEqual(new Set(['near far']));
});
