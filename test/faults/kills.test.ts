/**
 * test: A1-A3, A12: death of the process by `kill -9` at named points, at every system call, at random instants.
 */
import { spawn } from 'node:child_process';
import { randomInt } from 'node:crypto';
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { BackupEvent } from '../../src/model/events/event.js';
import { startCli } from '../fixtures/cli.js';
import { count, isFull } from '../fixtures/counts.js';
import { cloneDatabase, type TestDatabase } from '../fixtures/database.js';
import { noStrace, underStrace, watched } from './inject.js';
import { afterwards, openRig, type Rig } from './rig.js';

/** Calls by which something comes to be, lasts, or goes away. */
const kinds = ['openat', 'write', 'fsync', 'fdatasync', 'rename', 'mkdir', 'unlink', 'rmdir'] as const;

let database: TestDatabase;
beforeAll(async () => {
  database = await cloneDatabase('shop');
});
afterAll(() => database.drop());

/** Runs something in a project of its own. */
async function inRig<T>(deed: (rig: Rig) => Promise<T>): Promise<T> {
  const rig = openRig(database);
  try {
    return await deed(rig);
  } finally {
    rig.cleanup();
  }
}

interface Call extends Point {
  readonly text: string;
}

/** Every call of a whole backup, each with its number on its thread. */
async function callsOfOneRun(rig: Rig): Promise<Call[]> {
  const { lines, ...under } = watched(kinds, join(rig.directory, 'calls.log'));
  expect(await rig.execute(under)).toMatchObject({ exitCode: 0 });
  const counters = new Map<string, number>();
  return lines().flatMap((text) => {
    const match = /^(\d+) +(\w+)\(/.exec(text);
    if (!match) return [];
    const [, thread = '', call = ''] = match;
    const n = (counters.get(thread + call) ?? 0) + 1;
    counters.set(thread + call, n);
    return [{ call, n, text }];
  });
}

/** The n-th call of that name on whichever thread comes to it first, of those on a path, when given. */
interface Point {
  readonly call: string;
  readonly n: number;
  readonly path?: string;
}

/** Kills a backup at a point; resolves to what was wrong afterwards, and how its event ended. */
async function killAt(rig: Rig, { call, n, path }: Point) {
  const known = new Set((await rig.events()).events.map(({ id }) => id));
  const said = await rig.execute(underStrace([`${call}:signal=SIGKILL:when=${n}`], path));
  const violations = (await afterwards(rig, { said })).map((one) => `killed at ${call} ${n}: ${one}`);
  const event = (await rig.events()).events.find(({ id }) => !known.has(id));
  const { backups } = await rig.catalog();
  return { violations, event, listed: backups.some(({ backupId }) => backupId === event?.id), hit: said.signal === 'SIGKILL' };
}

describe.skipIf(noStrace)(`killed at a system call${noStrace ? ` (${noStrace})` : ''}`, () => {
  let rig: Rig;
  beforeAll(async () => {
    rig = openRig(database);
    // from the second backup on the main thread makes no folder and no file durable any more: what lasts is the storage's
    expect(await rig.execute()).toMatchObject({ exitCode: 0 });
  });
  afterAll(() => rig.cleanup());

  const at = (call: string, n: number, path?: string) => () => ({ call, n, ...(path !== undefined && { path }) });
  const named: readonly (readonly [name: string, point: () => Point, end: Partial<BackupEvent>])[] = [
    ['K0, "running" not yet durable', at('fdatasync', 2), { status: 'failed' }],
    ['K1, before its folder', () => ({ call: 'mkdir', n: 1, path: join(rig.store, 'shop') }), { status: 'failed' }],
    ['K5, archive not yet durable', at('fsync', 1), { status: 'failed' }],
    ['K6, manifest not yet durable', at('fsync', 5), { status: 'failed' }],
    ['K6, folder not yet durable', at('fsync', 6), { status: 'failed' }],
    ['K7, before the rename', at('rename', 1), { status: 'failed' }],
    ['K7, renamed and not yet durable', at('fsync', 7), { status: 'completed', recovered: true }],
    [
      'K8, before "completed"',
      () => ({ call: 'openat', n: 3, path: join(rig.state, 'locks/ledger.lock') }),
      { status: 'completed', recovered: true },
    ],
    ['K8, "completed" not yet durable', at('fdatasync', 3), { status: 'completed' }],
  ];
  test(
    'A1: at the named points of the commit',
    async ({ task }) => {
      const rounds = count(1, 20);
      const violations: string[] = [];
      for (let round = 0; round < rounds; round += 1)
        for (const [name, point, end] of named) {
          const found = await killAt(rig, point());
          violations.push(...found.violations);
          expect(found, name).toMatchObject({ hit: true, event: end, listed: end.status === 'completed' });
        }
      task.meta.score = { row: 'A1', what: 'kill -9 at the named points K0-K8', n: rounds * named.length, violations };
      expect(violations).toEqual([]);
    },
    count(120_000, 7_200_000),
  );

  test(
    'A2: at any system call, of a first backup and of a later one',
    async ({ task }) => {
      const violations: string[] = [];
      let [tried, killed] = [0, 0];
      const killAll = async (calls: readonly Call[], deed: (point: Point) => ReturnType<typeof killAt>) => {
        // what the runtime opens and writes before the configuration is read is not ours
        const ours = calls.slice(
          Math.max(
            0,
            calls.findIndex(({ text }) => text.includes('backup-automation.config.json')),
          ),
        );
        for (const call of kinds) {
          const numbers = [...new Set(ours.filter((one) => one.call === call).map(({ n }) => n))].toSorted((a, b) => a - b);
          for (const n of isFull ? numbers : numbers.slice(numbers.length / 2).slice(0, 1)) {
            const found = await deed({ call, n });
            [tried, killed] = [tried + 1, killed + (found.hit ? 1 : 0)];
            violations.push(...found.violations);
          }
        }
      };
      await killAll(await inRig(callsOfOneRun), (point) => inRig((first) => killAt(first, point)));
      // a later backup differs in what it makes durable: there the storage's calls are the first of their name
      const later = isFull ? (await callsOfOneRun(rig)).filter(({ call }) => call !== 'openat' && call !== 'write') : [];
      if (isFull) await killAll(later, (point) => killAt(rig, point));
      task.meta.score = { row: 'A2', what: 'kill -9 at a system call', n: tried, violations, figures: `${killed} killed us, not a child` };
      expect(violations).toEqual([]);
      expect(killed).toBeGreaterThan(0);
    },
    count(120_000, 7_200_000),
  );
});

test(
  'A3: killed at random instants',
  async ({ task }) => {
    const rounds = count(6, 200);
    const violations: string[] = [];
    let killed = 0;
    for (let round = 0; round < rounds; round += 1)
      await inRig(async (rig) => {
        const { child, done } = startCli(['execute', '--force', '--json'], { cwd: rig.directory, env: rig.env });
        // spread over the run, so that a small sample has each part of it
        const instant = ((round % 6) + randomInt(1000) / 1000) * 180;
        await Promise.race([sleep(instant), done]);
        child.kill('SIGKILL');
        const said = await done;
        killed += said.signal === 'SIGKILL' ? 1 : 0;
        violations.push(...(await afterwards(rig, { said })).map((one) => `killed after ${instant} ms: ${one}`));
      });
    task.meta.score = { row: 'A3', what: 'kill -9 at random instants', n: rounds, violations, figures: `${killed} killed us` };
    expect(violations).toEqual([]);
    expect(killed).toBeGreaterThan(0);
  },
  count(180_000, 3_600_000),
);

test('A12: a process that got the number of a dead one is left alone', async ({ task }) => {
  const violations = await inRig(async (rig) => {
    expect(await rig.execute()).toMatchObject({ exitCode: 0 });
    const innocent = spawn('sleep', ['60'], { stdio: 'ignore' });
    try {
      const context = await rig.context();
      const [known] = (await rig.events()).events;
      if (!known || innocent.pid === undefined) throw new Error('nothing to start from');
      const { result: _result, ...rest } = known;
      const dead: BackupEvent = { ...rest, id: context.newId(), status: 'pending', pid: innocent.pid };
      await context.ledger.appendEvent(dead);
      await context.ledger.appendEvent({ ...dead, status: 'running' });
      writeFileSync(join(rig.state, 'run', `${dead.id}.lock`), '');
      mkdirSync(join(rig.store, 'shop', `${dead.id}.partial`));
      const found = await afterwards(rig);
      expect((await context.ledger.find(dead.id))?.result).toMatchObject({ success: false, code: 'interrupted' });
      expect(innocent.exitCode).toBeNull();
      expect(innocent.signalCode).toBeNull();
      expect(innocent.kill(0)).toBe(true);
      return found;
    } finally {
      innocent.kill('SIGKILL');
    }
  });
  task.meta.score = { row: 'A12', what: 'the number of a dead process is another one now', n: 1, violations };
  expect(violations).toEqual([]);
});
