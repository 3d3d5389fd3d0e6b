/**
 * test: A4-A6: pg_dump dies alone, we die while it waits, we are asked to stop once and twice.
 */
import type { ChildProcess } from 'node:child_process';
import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, expect, test } from 'vitest';
import { startCli, type CliResult } from '../fixtures/cli.js';
import { count } from '../fixtures/counts.js';
import { cloneDatabase, lockCustomers, sql, type TestDatabase } from '../fixtures/database.js';
import { shim, shimDirectory } from '../fixtures/shims.js';
import { descendants, isRunning, until } from './processes.js';
import { afterwards, openRig, type Rig } from './rig.js';

let database: TestDatabase;
let rig: Rig;
beforeAll(async () => {
  database = await cloneDatabase('shop');
  rig = openRig(database);
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

/** Sessions of ours in the database; `waiting`: only those that wait for a lock. */
async function backends(waiting = false): Promise<number> {
  const where = waiting ? "AND wait_event_type = 'Lock'" : '';
  const text = `SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND application_name LIKE 'backup-automation%' ${where}`;
  return Number(await sql(database.url, text));
}

const lockTable = () => lockCustomers(database.url);

function startExecute(...set: readonly string[]): { child: ChildProcess; done: Promise<CliResult> } {
  const settings = set.flatMap((one) => ['--set', one]);
  return startCli(['execute', '--force', '--json', ...settings], { cwd: rig.directory, env: rig.env });
}

test('A4: pg_dump alone is killed in the middle of its output', async ({ task }) => {
  const rounds = count(5, 50);
  const violations: string[] = [];
  for (let round = 0; round < rounds; round += 1) {
    const shims = shimDirectory({ pg_dump: shim.killed(Math.floor((round * 150_000) / rounds)) });
    tidy.push(() => shims.remove());
    const said = await startExecute(`clientDirectory=${shims.directory}`, 'compression=none').done;
    expect(said).toMatchObject({ exitCode: 20 });
    expect(JSON.parse(said.stdout)).toMatchObject({
      error: { code: 'engine-killed', message: expect.stringContaining('SIGKILL') as string },
    });
    if (readdirSync(join(rig.store, 'shop')).length !== 1) violations.push(`killed in round ${round}: something is left`);
  }
  violations.push(...(await afterwards(rig)));
  task.meta.score = { row: 'A4', what: 'pg_dump killed alone', n: rounds, violations };
  expect(violations).toEqual([]);
});

test('A5: we are killed while pg_dump, or our own session, waits for a lock', async ({ task }) => {
  const rounds = count(1, 10);
  const violations: string[] = [];
  for (let round = 0; round < rounds; round += 1) {
    const unlock = await lockTable();
    // without a fingerprint it is pg_dump that waits, with one it is we
    const runs = [startExecute('fingerprint=none'), startExecute('fingerprint=counts')];
    await until('both wait for the lock', async () => (await backends(true)) === 2);
    const children = runs.flatMap(({ child }) => descendants(child.pid ?? 0));
    expect(children.length).toBeGreaterThan(0);
    for (const { child } of runs) child.kill('SIGKILL');
    await Promise.all(runs.map(({ done }) => done));
    await until('no child is left', () => !children.some(isRunning), 10).catch((error: unknown) => violations.push(String(error)));
    await until('no backend is left', async () => (await backends()) === 0, 15).catch((error: unknown) => violations.push(String(error)));
    await unlock();
    violations.push(...(await afterwards(rig)));
    const { events } = await rig.events();
    expect(events.slice(-3).map(({ status, result }) => [status, result?.code])).toEqual(
      expect.arrayContaining([
        ['failed', 'interrupted'],
        ['failed', 'interrupted'],
      ]) as unknown[],
    );
  }
  task.meta.score = { row: 'A5', what: 'killed while waiting for a lock', n: 2 * rounds, violations };
  expect(violations).toEqual([]);
});

const exits = { SIGTERM: 143, SIGINT: 130, SIGHUP: 129 } as const;

test('A6: asked once, it stops and tidies up', async ({ task }) => {
  const rounds = count(1, 10);
  const violations: string[] = [];
  for (let round = 0; round < rounds; round += 1)
    for (const [signal, exit] of Object.entries(exits))
      for (const fingerprint of signal === 'SIGTERM' ? ['none', 'counts'] : ['none']) {
        const unlock = await lockTable();
        const { child, done } = startExecute(`fingerprint=${fingerprint}`);
        await until('it waits for the lock', async () => (await backends(true)) === 1);
        const children = descendants(child.pid ?? 0);
        child.kill(signal as NodeJS.Signals);
        const said = await done;
        expect(said).toMatchObject({ exitCode: exit });
        const [event] = (JSON.parse(said.stdout) as { events: { status: string; result: { error: string } }[] }).events;
        expect(event).toMatchObject({ status: 'cancelled', result: { error: `interrupted by ${signal}` } });
        if (children.some(isRunning)) violations.push(`${signal}: a child is left`);
        if (readdirSync(join(rig.store, 'shop')).some((name) => name.endsWith('.partial'))) violations.push(`${signal}: a partial is left`);
        await until('no backend is left', async () => (await backends()) === 0, 10).catch((error: unknown) =>
          violations.push(String(error)),
        );
        await unlock();
      }
  violations.push(...(await afterwards(rig)));
  task.meta.score = { row: 'A6', what: 'SIGTERM, SIGINT, SIGHUP once', n: rounds * 4, violations };
  expect(violations).toEqual([]);
});

test('A6: asked twice, it ends at once, and the next run tidies up', async ({ task }) => {
  const shims = shimDirectory({ pg_dump: shim.deaf });
  tidy.push(() => shims.remove());
  const rounds = count(1, 10);
  const violations: string[] = [];
  for (let round = 0; round < rounds; round += 1)
    for (const [signal, exit] of Object.entries(exits)) {
      const { child, done } = startExecute(`clientDirectory=${shims.directory}`);
      const partial = () => readdirSync(join(rig.store, 'shop')).some((name) => name.endsWith('.partial'));
      await until('it dumps', partial);
      const children = descendants(child.pid ?? 0);
      const answered = new Promise((resolve) => child.stderr?.on('data', (text: string) => text.includes('stopping') && resolve(null)));
      child.kill(signal as NodeJS.Signals);
      await answered;
      child.kill(signal as NodeJS.Signals);
      expect(await done).toMatchObject({ exitCode: exit });
      await until('no child is left', () => !children.some(isRunning), 10).catch((error: unknown) =>
        violations.push(`${signal}: ${String(error)}`),
      );
      violations.push(...(await afterwards(rig)));
    }
  task.meta.score = { row: 'A6', what: 'SIGTERM, SIGINT, SIGHUP twice', n: rounds * 3, violations };
  expect(violations).toEqual([]);
});
