/** test: a bug of ours, thrown wherever a backup calls something (row A13): failed as `internal`, nothing half done, and the next run is good. */
import { readdirSync, readlinkSync } from 'node:fs';
import { Writable } from 'node:stream';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { execute } from '../../src/core/execute.js';
import type { Context } from '../../src/core/context.js';
import type { Deposit } from '../../src/model/roles/storage.js';
import { cloneDatabase, type TestDatabase } from '../fixtures/database.js';
import { byHand, inProcess, lab, type Lab } from '../fixtures/lab.js';

let database: TestDatabase;
let project: Lab;
beforeAll(async () => {
  database = await cloneDatabase('shop');
  project = lab({ shop: { url: database.url } });
});
afterAll(async () => {
  project.cleanup();
  await database.drop();
});

const bug = (): never => {
  throw new TypeError('a bug of the test');
};
const rejects = async (): Promise<never> => bug();

/** The first storage with some verbs of its deposits replaced. */
function withDeposit(context: Context, replaced: (deposit: Deposit) => Partial<Deposit>): Partial<Context> {
  const storages = context.storages.map((storage) => ({
    ...bound(storage),
    put: async (place: Parameters<typeof storage.put>[0]) => {
      const deposit = await storage.put(place);
      return { ...bound(deposit), ...replaced(deposit) };
    },
  }));
  return { storages };
}

/** An object's own and inherited methods, so that it can be spread. */
function bound<T extends object>(whole: T): T {
  const copy: Record<string, unknown> = {};
  for (let level: object | null = whole; level && level !== Object.prototype; level = Object.getPrototypeOf(level) as object | null)
    for (const name of Object.getOwnPropertyNames(level)) {
      const value: unknown = Reflect.get(whole, name);
      if (name !== 'constructor' && !(name in copy)) copy[name] = typeof value === 'function' ? (value.bind(whole) as unknown) : value;
    }
  return copy as T;
}

const sites: Readonly<Record<string, (context: Context) => Partial<Context>>> = {
  'where the client is asked for': ({ engine }) => ({ engine: { ...bound(engine), probe: rejects } }),
  'where permissions are read': ({ engine }) => ({ engine: { ...bound(engine), access: rejects } }),
  'where the dump is opened': ({ engine }) => ({ engine: { ...bound(engine), dump: rejects } }),
  'where rows are counted': ({ engine }) => ({
    engine: { ...bound(engine), dump: async (...given) => ({ ...bound(await engine.dump(...given)), details: rejects }) },
  }),
  'where the compression is chosen': () => ({ chooseCompression: bug }),
  'where programs are started': () => ({ run: bug }),
  'where decoders are found': () => ({ codecsOf: bug }),
  'where a deposit is opened': (context) => ({ storages: context.storages.map((storage) => ({ ...bound(storage), put: rejects })) }),
  'where an artifact is written': (context) => withDeposit(context, () => ({ write: rejects })),
  'in the middle of a write': (context) =>
    withDeposit(context, (deposit) => ({
      write: async (name) => {
        const sink = await deposit.write(name);
        sink.destroy();
        return new Writable({ write: (_data, _encoding, next) => next(new TypeError('a bug of the test')) });
      },
    })),
  'where an artifact is sealed': (context) => withDeposit(context, () => ({ seal: rejects })),
  'where it is read again': (context) => withDeposit(context, () => ({ read: rejects })),
  'where the manifest is signed': ({ signer }) => ({ signer: { ...bound(signer), sign: bug } }),
  'where it is committed': (context) => withDeposit(context, () => ({ commit: rejects })),
};

/** Files of backups that this process has open: removed ones too. */
const open = (): string[] =>
  readdirSync('/proc/self/fd').flatMap((fd) => {
    try {
      return [readlinkSync(`/proc/self/fd/${fd}`)].filter((target) => target.startsWith(project.backups));
    } catch {
      return [];
    }
  });

test.each(Object.keys(sites))('A13: %s', async (site) => {
  const context = await inProcess(project);
  const before = project.stored().length;
  const { events, failure } = await execute({ ...context, ...sites[site]?.(context) }, byHand);
  expect(events).toMatchObject([{ status: 'failed', result: { success: false, error: expect.stringContaining('a bug of the test') } }]);
  expect(failure).not.toBeNull();
  expect(project.stored().filter((name) => /partial|manifest/.test(name))).toEqual([]);
  expect(project.stored().length).toBeLessThanOrEqual(before + 2);
  if (process.platform === 'linux') await expect.poll(open).toEqual([]);
});

test('A13: after all of them the next run is good, and the ledger whole', async () => {
  expect((await project.json(['execute'])).exitCode).toBe(0);
  expect((await project.json(['verify', 'latest', '--level', 'archive'])).exitCode).toBe(0);
  expect((await project.json(['events', 'verify'])).exitCode).toBe(0);
  expect((await project.json(['active'])).document['active']).toEqual([]);
});
