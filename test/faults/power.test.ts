/**
 * test: A9, A10: power cuts. The state directory and the storage lie on volumes that forget what was not made durable; everyone is
 * stopped, the volumes are cut, and what comes back is looked at.
 */
import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { appendFileSync, mkdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { bundle, type Program } from '../fixtures/bundle.js';
import { startCli } from '../fixtures/cli.js';
import { count } from '../fixtures/counts.js';
import { cloneDatabase, type TestDatabase } from '../fixtures/database.js';
import { makeEvent, readAll, temporaryState } from '../fixtures/ledger.js';
import { mountFragileVolume, noMount, noStrace, underStrace, type FragileVolume } from './inject.js';
import { descendants, isStopped, until } from './processes.js';
import { afterwards, openRig, type Rig } from './rig.js';

const why = noMount ?? noStrace;

const volumes: FragileVolume[] = [];
const cut = () => volumes.forEach((volume) => volume.cut());
const comeBack = () => Promise.all(volumes.map((volume) => volume.remount()));
const unmount = () => Promise.all(volumes.splice(0).map((volume) => volume.umount()));

function mounted(): string {
  const volume = mountFragileVolume();
  volumes.push(volume);
  return volume.path;
}

const children: ChildProcess[] = [];
afterEach(async () => {
  for (const child of children.splice(0)) child.kill('SIGKILL');
  await unmount();
});

/** Waits until nothing of these moves any more. */
async function stopped(pids: () => readonly number[]): Promise<void> {
  let still = 0;
  // who is traced stands still at every call, for a moment
  await until('all of them are stopped', () => (still = pids().length > 0 && pids().every(isStopped) ? still + 1 : 0) >= 4);
}

describe.skipIf(why)(`A9: a power cut during a backup${why ? ` (${why})` : ''}`, () => {
  let database: TestDatabase;
  beforeAll(async () => {
    database = await cloneDatabase('shop');
  });
  afterAll(() => database.drop());

  /** Backs up until after the n-th call of that name, stops there, and cuts. */
  async function cutAfter(rig: Rig, call: string, n: number, path?: string): Promise<void> {
    const { under = [], env } = underStrace([`${call}:signal=SIGSTOP:when=${n}`], path);
    const { child, done } = startCli(['execute', '--force', '--json'], { cwd: rig.directory, env: { ...rig.env, ...env }, under });
    const ours = () => {
      expect(child.exitCode, 'it did not come there').toBeNull();
      return descendants(child.pid ?? 0).slice(0, 1);
    };
    await stopped(ours);
    cut();
    for (const pid of ours()) process.kill(pid, 'SIGKILL');
    await done;
  }

  type Point = readonly [name: string, call: string, n: number, listed: boolean | null];
  const points: readonly Point[] = [
    ['K0, "running" is durable', 'fdatasync', 2, false],
    ['K1, its folder is made', 'mkdir', 1, false],
    ['K5, the archive is durable', 'fsync', 1, false],
    ['K6, the manifest is durable', 'fsync', 5, false],
    ['K6, its folder is durable', 'fsync', 6, false],
    ['K7, renamed', 'rename', 1, null],
    ['K7, its name is durable', 'fsync', 7, true],
    ['K8, "completed" is durable', 'fdatasync', 3, true],
  ];
  const first = 'K9, exit 0 of the first backup';
  const later = 'K9, exit 0 of a later one';
  const every = [first, later, ...points.map(([name]) => name)];
  // a quick run has those at which the most can be lost
  const quick = new Set([first, 'K7, its name is durable']);
  const chosen = (name: string) => count(quick.has(name) ? 1 : 0, 1) > 0;

  test(
    'A9: at the named points of the commit: nothing good is lost, nothing else is listed',
    { timeout: count(120_000, 3_600_000) },
    async ({ task }) => {
      const violations: string[] = [];
      const rounds = count(1, 10);
      let cuts = 0;
      for (let round = 0; round < rounds; round += 1) {
        // each on its own: what makes the ledger durable would make everything on its volume durable
        const [state, store] = [join(mounted(), 'state'), join(mounted(), 'store')];
        const rig = openRig(database, { state, store });
        const listed = async () => (await rig.catalog()).backups.map(({ backupId }) => backupId);
        const lookAfter = async (name: string, acknowledged: readonly string[]) => {
          cuts += 1;
          await comeBack();
          const there = await listed();
          const claim = (holds: boolean, sentence: string) => void (holds || violations.push(`${name}: ${sentence}`));
          for (const id of acknowledged) claim(there.includes(id), `${id} was acknowledged, and is lost`);
          violations.push(...(await afterwards(rig)).map((one) => `${name}: ${one}`));
          return there.filter((id) => !acknowledged.includes(id));
        };
        try {
          for (const name of [first, later].filter(chosen)) {
            expect(await rig.execute()).toMatchObject({ exitCode: 0 });
            const acknowledged = await listed();
            cut();
            await lookAfter(name, acknowledged);
          }
          for (const [name, call, n, isListed] of points.filter(([one]) => chosen(one))) {
            const acknowledged = await listed();
            await cutAfter(rig, call, n, call === 'mkdir' ? join(store, 'shop') : undefined);
            const more = await lookAfter(name, acknowledged);
            if (isListed !== null && more.length !== (isListed ? 1 : 0)) violations.push(`${name}: ${more.length} more are listed`);
          }
        } finally {
          rig.cleanup();
          await unmount();
        }
      }
      task.meta.score = { row: 'A9', what: 'power cuts at the named points K0-K9', n: cuts, violations };
      expect(violations).toEqual([]);
      expect(cuts).toBe(rounds * every.filter(chosen).length);
    },
  );
});

const appender = `
import { appendFileSync } from 'node:fs';
import { randomBytes } from 'node:crypto';
import { openLedger } from './src/system/ledger/ledger.js';
import { systemClock } from './src/system/clock.js';
import { uuidv7 } from './src/model/id.js';
const [state, writer, acknowledged] = process.argv.slice(2);
const ledger = openLedger(state, { clock: systemClock, segmentLimit: 100_000 });
for (let k = 0; ; k += 1) {
  await ledger.appendEvent({ id: uuidv7(new Date(), randomBytes(10)), type: 'manual', trigger: writer, timestamp: new Date().toISOString(),
    status: 'pending', metadata: { databaseLoad: null, diskSpace: null, concurrentBackups: null }, database: 'n' + k, attempt: 1, host: 'h', pid: process.pid });
  appendFileSync(acknowledged, writer + ' ' + k + '\\n');
}`;

describe.skipIf(noMount)(`A10: power cuts while many append${noMount ? ` (${noMount})` : ''}`, () => {
  let program: Program;
  beforeAll(async () => {
    program = await bundle(appender);
  });
  afterAll(() => program.remove());

  const writers = Array.from({ length: 10 }, (_, index) => `w${index}`);

  test(
    'A10: every acknowledged record is there, and the next one is readable',
    { timeout: count(120_000, 1_800_000) },
    async ({ task }) => {
      const rounds = count(1, 50);
      const violations: string[] = [];
      const figures = { acknowledged: 0, damaged: 0 };
      const path = mounted();
      for (let round = 0; round < rounds; round += 1) {
        const parent = join(path, `${round}`);
        mkdirSync(parent);
        const temporary = temporaryState(parent);
        const file = join(path, '..', `acknowledged-${round}`);
        appendFileSync(file, '');
        const acknowledged = () => readFileSync(file, 'utf8').split('\n').filter(Boolean);
        const started = writers.map((writer) =>
          spawn(process.execPath, [program.file, temporary.state, writer, file], { stdio: 'ignore' }),
        );
        children.push(...started);
        const enough = 30 + ((round * 37) % 200);
        await until('enough was appended', () => acknowledged().length >= enough);
        await sleep((round * 7) % 20);
        for (const child of started) child.kill('SIGSTOP');
        await stopped(() => started.flatMap(({ pid }) => pid ?? []));
        const promised = acknowledged();
        cut();
        for (const child of started) child.kill('SIGKILL');
        await Promise.all(started.map(async (child) => child.signalCode ?? (await once(child, 'exit'))));
        await comeBack();
        const ledger = temporary.ledger({ lockWait: 1 });
        expect(await ledger.appendEvent(makeEvent(round, 'pending', { trigger: 'after' }))).toBe(true);
        const { lines, damage } = await readAll(temporary.ledger());
        const found = new Set(
          lines.flatMap(({ record }) => (record.record === 'event' ? `${record.trigger} ${record.database.slice(1)}` : [])),
        );
        const lost = promised.filter((one) => !found.has(one));
        if (lost.length > 0) violations.push(`lost of ${promised.length}: ${lost.join(', ')}`);
        if (lines.at(-1)?.record.record !== 'event' || !found.has('after hop'))
          violations.push('what was appended afterwards cannot be read');
        if (damage.gaps > 0 || damage.tornTail) violations.push(`damage: ${JSON.stringify(damage)}`);
        figures.acknowledged += promised.length;
        figures.damaged += damage.corruptLines;
      }
      task.meta.score = {
        row: 'A10',
        what: 'power cuts while 10 processes append',
        n: rounds,
        violations,
        figures: `${figures.acknowledged} records acknowledged, ${violations.length} lost; ${figures.damaged} torn lines isolated`,
      };
      expect(violations).toEqual([]);
    },
  );
});
