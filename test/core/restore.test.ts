/**
 * test: what a restore refuses before it touches anything, and that neither a restore nor a proof is content with less than the source.
 */
import { randomBytes } from 'node:crypto';
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { PassThrough } from 'node:stream';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { catalog } from '../../src/core/catalog/catalog.js';
import type { Context } from '../../src/core/context.js';
import { execute } from '../../src/core/execute.js';
import { restore, type RestoreRequest } from '../../src/core/restore.js';
import { extractToFile } from '../../src/core/restore/extract.js';
import { verifyBackup } from '../../src/core/verify.js';
import { Failure } from '../../src/model/errors.js';
import type { Backup, Fingerprint } from '../../src/model/backup/backup.js';
import type { Engine } from '../../src/model/roles/engine.js';
import type { TargetState, TargetSurvey } from '../../src/model/roles/engine/load.js';
import { fakeEngine, yields } from '../fakes/engine.js';
import { byHand, inProcess, lab, type Lab } from '../fixtures/lab.js';

const counted = (rows: number): Fingerprint => ({
  method: 'counts',
  tables: [
    { schema: 'public', name: 'orders', rows },
    { schema: 'public', name: 'visits', rows: 1 },
  ],
  largeObjects: 0,
});
const target = { name: 'target', entry: 'target', connection: null };
/** An empty database on another server. */
const empty: TargetState = { place: 'me@there/copy', databaseName: 'copy', systemIdentifier: '8', objects: 0 };

let project: Lab;
let context: Context;
let backup: Backup;
let loads: number;
/** What is found at the target, before and after. */
let state: TargetState;
let found: Fingerprint;
let room: Pick<TargetSurvey, 'freeBytes' | 'serverMajor'>;

function engine(): Engine {
  const base = fakeEngine(yields(() => [randomBytes(1000)]));
  const swallow = () => new PassThrough({ transform: (_data, _encoding, next) => next() });
  return {
    ...base,
    async dump(...asked) {
      const dump = await base.dump(...asked);
      return { ...dump, details: async () => ({ ...(await dump.details()), fingerprint: counted(3) }) };
    },
    target: () => target,
    inspect: async () => state,
    survey: async () => ({
      ...state,
      ...room,
      serverVersion: `${room.serverMajor}.1`,
      user: { name: 'me', superuser: true, createdb: true, memberOf: [] },
      roles: [],
      tablespaces: [],
      extensions: [],
      knowsLocale: true,
      encoding: 'UTF8',
      collate: 'C',
      ctype: 'C',
      connections: 0,
      properties: null,
      noProgram: null,
    }),
    async load() {
      loads += 1;
      const nothing = async () => null;
      return {
        stages: [{ kind: 'transform', create: swallow }],
        finish: nothing,
        again: nothing,
        fingerprint: async () => found,
        close: async () => {},
      };
    },
  };
}

beforeEach(async () => {
  [loads, state, found, room] = [0, empty, counted(3), { freeBytes: null, serverMajor: 15 }];
  project = lab({ shop: { host: 'nowhere.invalid' } }, { compression: 'none' });
  context = { ...(await inProcess(project)), engine: engine() };
  expect((await execute(context, byHand)).failure).toBeNull();
  const [made] = (await catalog(context)).backups;
  if (!made) throw new Error('no backup');
  backup = made;
});
afterEach(() => project.cleanup());

const run = (more: Partial<RestoreRequest> = {}) =>
  restore(context, { backup, to: 'env:TARGET', create: false, noOwner: false, parts: undefined, jobs: 1, ...more });
const records = async () => {
  const all: object[] = [];
  for await (const { record } of context.ledger.read()) if (record.record === 'restore') all.push(record);
  return all;
};

describe('before anything is touched', () => {
  const source: TargetState = { place: 'me@here/shop', databaseName: 'shop', systemIdentifier: '7', objects: 0 };
  const full: TargetState = { ...empty, objects: 1 };
  const cases: readonly (readonly [what: string, at: TargetState, more: Partial<RestoreRequest>, said: string])[] = [
    ['the source, were it empty', source, {}, 'is the database that the backup was taken from'],
    ['one that is not empty', full, {}, 'is not empty: it holds 1 object'],
    ['--create where there is one', empty, { create: true }, 'exists already'],
    ['none, without --create', { ...empty, objects: null }, {}, 'does not exist'],
    ['the source by another name', source, { forceTarget: 'copy' }, '--force-target names "copy", the target is "shop"'],
    ['one that is not empty by another name', full, { forceTarget: 'shop' }, '--force-target names "shop", the target is "copy"'],
    ['one that is empty by another name', empty, { forceTarget: 'Copy' }, '--force-target names "Copy"'],
  ];
  test.each(cases)('%s is refused', async (_what, at, more, said) => {
    state = at;
    await expect(run(more)).rejects.toMatchObject({ code: 'restore-target', exit: 23, message: expect.stringContaining(said) as string });
    expect([loads, await records()]).toEqual([0, []]);
  });

  test('a database of the same name on another server, and another one on the same, are taken', async () => {
    for (const at of [
      { ...empty, databaseName: 'shop' },
      { ...empty, systemIdentifier: '7' },
    ]) {
      state = at;
      expect(await run()).toMatchObject({ ok: true, compared: true });
    }
  });

  test.each([
    ['too little room', { freeBytes: 999, serverMajor: 15 }, 'the source took'],
    ['a server older than the source', { freeBytes: null, serverMajor: 14 }, 'use one of 15 or newer'],
  ])('%s is refused, unless its name is typed again', async (_what, given, said) => {
    room = given;
    await expect(run()).rejects.toMatchObject({ code: 'restore-target', message: expect.stringContaining(said) as string });
    expect(loads).toBe(0);
    expect(await run({ forceTarget: 'copy' })).toMatchObject({ ok: true });
  });

  test('its own name typed again opens what is not empty, and that is said', async () => {
    state = full;
    found = { ...counted(3), tables: [...counted(3).tables, { schema: 'public', name: 'other', rows: 9 }] };
    expect(await run({ forceTarget: 'copy' })).toMatchObject({
      ok: true,
      warnings: [expect.stringContaining('its tables of the same names were replaced') as string],
    });
  });
});

describe('what came out different', () => {
  const less: readonly (readonly [what: string, found: Fingerprint])[] = [
    ['a row less', counted(2)],
    ['a row more', counted(4)],
    ['a table less', { ...counted(3), tables: counted(3).tables.slice(0, 1) }],
    ['a large object too many', { ...counted(3), largeObjects: 1 }],
  ];

  test.each(less)('%s: the restore failed, and the ledger says so', async (_what, given) => {
    found = given;
    await expect(run()).rejects.toMatchObject({ code: 'restore', exit: 23, message: expect.stringContaining('differs') as string });
    expect(await records()).toMatchObject([{ ok: false, compared: false }]);
  });

  test.each(less)('%s: the backup is not proven, and suspect', async (_what, given) => {
    found = given;
    const scratch = { database: target, throwaway: true, uncaged: null, close: async () => {} };
    const own = { ...context, openScratch: async () => scratch };
    expect(await verifyBackup(own, backup, 'restore')).toMatchObject({ ok: false, code: 'verification' });
    expect((await catalog(own)).backups).toMatchObject([{ suspect: true, proven: { level: 'archive' } }]);
    found = counted(3);
    expect(await verifyBackup(own, backup, 'restore')).toMatchObject({
      ok: true,
      detail: expect.stringContaining('4 rows equal') as string,
    });
    expect((await catalog(own)).backups).toMatchObject([{ suspect: false, proven: { level: 'restore' } }]);
  });
});

test.each(['no-space', 'connection', 'server-missing'] as const)(
  'a proof that fails with "%s" says nothing about the backup',
  async (code) => {
    const openScratch = () => Promise.reject(new Failure(code, 'it cannot be done here'));
    await expect(verifyBackup({ ...context, openScratch }, backup, 'restore')).rejects.toMatchObject({ code });
    expect((await catalog(context)).backups).toMatchObject([{ suspect: false, badCopies: [], proven: { level: 'archive' } }]);
  },
);

test('what cannot be read to its end leaves no file', async () => {
  const path = join(project.backups, 'shop', backup.backupId, 'database.dump');
  const out = join(project.directory, 'out.dump');
  const whole = readFileSync(path);
  writeFileSync(path, Buffer.concat([whole.subarray(0, -1), Buffer.from([~(whole.at(-1) ?? 0) & 255])]));
  const before = readdirSync(project.directory);
  await expect(extractToFile(context, backup, out)).rejects.toMatchObject({ code: 'verification' });
  expect(readdirSync(project.directory)).toEqual(before);
  writeFileSync(path, whole);
  await extractToFile(context, backup, out);
  expect(readFileSync(out).equals(whole)).toBe(true);
});
