/**
 * test: A4, A5, A6, A8, B1, C16 while several processes dump: nobody outlives us, nothing stays behind, memory stays flat.
 */
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, describe, expect, it, test } from 'vitest';
import { execute } from '../../src/core/execute.js';
import { startCli } from '../fixtures/cli.js';
import { count } from '../fixtures/counts.js';
import { cloneDatabase, sql, type TestDatabase } from '../fixtures/database.js';
import { byHand, inProcess, lab, hurried } from '../fixtures/lab.js';
import { shim, shimDirectory } from '../fixtures/shims.js';
import { mountSmallDisk, noMount } from './inject.js';
import { commandOf, descendants, isRunning, until } from './processes.js';
import { afterwards, openRig, type Rig } from './rig.js';

let database: TestDatabase;
let rig: Rig;
/** Some seconds of work for each of two processes: what gzip can hardly compress, thoroughly. */
const slowly = ['--set', 'compression={"algorithm":"gzip","level":9}', '--set', 'verify.afterBackup=none'];
const tables = (megabytes: number) =>
  ['one', 'two']
    .map(
      (name) =>
        `CREATE TABLE heavy_${name} AS SELECT g, (SELECT string_agg(md5(g::text || i), '') FROM generate_series(1, 31250) i) AS noise FROM generate_series(1, ${megabytes}) g;`,
    )
    .join('\n');

beforeAll(async () => {
  database = await cloneDatabase('shop');
  await sql(database.url, tables(count(12, 60)));
  rig = openRig(database, { settings: { jobs: 2, lockWaitTimeout: 5 } });
  expect(await rig.execute()).toMatchObject({ exitCode: 0 });
});
afterAll(async () => {
  rig.cleanup();
  await database.drop();
});

const tidy: (() => void)[] = [];
afterEach(() => {
  for (const deed of tidy.splice(0).toReversed()) deed();
});

const backends = async () =>
  Number(
    await sql(
      database.url,
      "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND application_name LIKE 'backup-automation%'",
    ),
  );

/** A dump whose two processes are at work: its leader, and they. */
async function underWay() {
  const { child, done } = startCli(['execute', '--force', '--json', ...slowly], { cwd: rig.directory, env: rig.env });
  // a build of another system is started by its own loader
  const dumping = () => descendants(child.pid ?? 0).filter((pid) => /^(\S*\/ld-linux\S* --argv0 )?\S*pg_dump /.test(commandOf(pid)));
  await until('two processes dump', async () => dumping().length === 3 && (await backends()) >= 4);
  const [leader = 0, ...workers] = dumping();
  return { child, done, leader, workers, family: descendants(child.pid ?? 0) };
}
const noneLeft = async (family: readonly number[]) => {
  await until('no process is left', () => !family.some(isRunning), 10);
  await until('no backend is left', async () => (await backends()) === 0, 15);
};
/** Greatest resident memory so far, MB. */
function peakOf(pid: number): number {
  try {
    return Number(/VmHWM:\s+(\d+)/.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1] ?? 0) / 1000;
  } catch {
    return 0;
  }
}
/** Private files of an event; its lock stays until the next run swept the storages. */
const keptIn = (state: string) => readdirSync(join(state, 'run')).filter((name) => !name.endsWith('.lock'));
const stored = () => readdirSync(join(rig.store, 'shop')).length;

test('A5: we are killed while two processes dump', async ({ task }) => {
  const rounds = count(1, 10);
  const violations: string[] = [];
  for (let round = 0; round < rounds; round += 1) {
    const { child, done, family } = await underWay();
    child.kill('SIGKILL');
    await done;
    await noneLeft(family).catch((error: unknown) => violations.push(String(error)));
    violations.push(...(await afterwards(rig)));
  }
  task.meta.score = { row: 'A5', what: 'killed while two processes dump', n: rounds, violations };
  expect(violations).toEqual([]);
});

test.each(['worker', 'leader'] as const)('A4: the %s of a parallel dump alone is killed', async (who) => {
  const before = stored();
  const { done, leader, workers, family } = await underWay();
  process.kill(who === 'leader' ? leader : (workers[0] ?? 0), 'SIGKILL');
  const said = await done;
  expect(said).toMatchObject({ exitCode: 20 });
  expect(JSON.parse(said.stdout)).toMatchObject({ events: [{ status: 'failed' }], error: { code: 'engine-killed', class: 'transient' } });
  await noneLeft(family);
  expect(stored()).toBe(before);
  expect(keptIn(rig.state)).toEqual([]);
});

test('A6: asked to stop, it takes all of them along', async () => {
  const before = stored();
  const { child, done, family } = await underWay();
  child.kill('SIGTERM');
  expect(await done).toMatchObject({ exitCode: 143 });
  await noneLeft(family);
  expect(stored()).toBe(before);
  expect(keptIn(rig.state)).toEqual([]);
});

test('A8: memory stays flat, whatever the size of the dump', async ({ task }) => {
  const heap = { NODE_OPTIONS: '--max-old-space-size=32' };
  const peak = async (): Promise<number> => {
    const { child, done } = startCli(['execute', '--force', '--json', '--set', 'compression=none'], {
      cwd: rig.directory,
      env: { ...rig.env, ...heap },
    });
    let most = 0;
    const watch = setInterval(() => {
      most = Math.max(most, peakOf(child.pid ?? 0));
    }, 20);
    const said = await done;
    clearInterval(watch);
    expect(said).toMatchObject({ exitCode: 0 });
    return most;
  };
  const most = await peak();
  const violations = most > 130 ? [`${most} MB at the most`] : [];
  task.meta.score = {
    row: 'A8',
    what: `a heap of 32 MB, ${count(24, 120)} MB dumped by two: peak ${Math.round(most)} MB`,
    n: 1,
    violations,
  };
  expect(violations).toEqual([]);
});

describe.skipIf(noMount)(`B1: the disk of the state directory${noMount ? ` (${noMount})` : ''}`, () => {
  it('is full while two processes dump: failed, said where, and nothing stays', async () => {
    const disk = mountSmallDisk();
    const small = openRig(database, { state: disk.path, settings: { jobs: 2 } });
    tidy.push(
      () => disk.umount(),
      () => small.cleanup(),
    );
    disk.leave(10e6);
    // what compresses is thought to fit, for nothing was stored yet
    const said = await small.execute({}, '--set', 'compression=none');
    expect(JSON.parse(said.stdout)).toMatchObject({ error: { code: 'no-space', message: expect.stringContaining(disk.path) as string } });
    expect(said.exitCode).toBe(21);
    expect(keptIn(disk.path)).toEqual([]);
  });
});

describe('C16: a pg_dump of several processes that hangs', () => {
  it.each([['without a byte', shim.silent], ...(count(0, 1) ? [['and is deaf to TERM', shim.deaf] as const] : [])] as const)(
    '%s is stopped after stallTimeout, and leaves nothing',
    async (_what, hanging) => {
      const shims = shimDirectory({ pg_dump: hanging });
      const stalled = lab(
        { shop: { url: database.url } },
        { jobs: 2, autoRetry: false, stallTimeout: 8, clientDirectory: shims.directory },
      );
      tidy.push(
        () => stalled.cleanup(),
        () => shims.remove(),
      );
      const { events, failure } = await execute(hurried(await inProcess(stalled)), byHand);
      expect(failure).toMatchObject({ code: 'stalled', class: 'transient', exit: 20 });
      expect(events).toMatchObject([{ status: 'failed' }]);
      expect(stalled.stored().filter((name) => name.includes('/'))).toEqual([]);
      expect(await backends()).toBe(0);
    },
  );
});
