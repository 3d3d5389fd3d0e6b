/**
 * test: the ledger under many real processes at once, some of them killed or stopped.
 */
import { spawn, spawnSync, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from 'vitest';
import { bundle, type Program } from '../../fixtures/bundle.js';
import { count } from '../../fixtures/counts.js';
import { live, makeEvent, readAll, temporaryState, type TemporaryState } from '../../fixtures/ledger.js';

const source = `
import { openLedger } from './src/system/ledger/ledger.js';
import { systemClock } from './src/system/clock.js';
import { takeLock } from './src/system/files/flock.js';
import { uuidv7 } from './src/model/id.js';
import { randomBytes } from 'node:crypto';
const [deed, state, writer, records, segmentLimit] = process.argv.slice(2);
if (deed === 'hold') {
  await takeLock(state + '/locks/ledger.lock', 0);
  process.stdout.write('held');
  setInterval(() => {}, 1000);
} else {
  // who is overtaken by fifty others still waits: what is written without the lock is A7's
  const ledger = openLedger(state, { clock: systemClock, segmentLimit: Number(segmentLimit), lockWait: 600 });
  const event = (database) => ({ id: uuidv7(new Date(), randomBytes(10)), type: 'manual', trigger: writer, timestamp: new Date().toISOString(),
    status: 'pending', metadata: { databaseLoad: null, diskSpace: null, concurrentBackups: null }, database, attempt: 1, host: 'h', pid: process.pid });
  for (let k = 0; k < Number(records); k += 1) {
    await ledger.appendEvent(event('n' + k));
    process.stdout.write(k + '\\n');
  }
}`;

let program: Program;
let temporary: TemporaryState;
beforeAll(async () => {
  program = await bundle(source);
});
afterAll(() => program.remove());
beforeEach(() => {
  temporary = temporaryState();
});
afterEach(() => temporary.remove());

interface Started {
  readonly child: ChildProcess;
  /** What it said so far. */
  readonly said: () => string;
}

function start(...args: readonly string[]): Started {
  let said = '';
  const child = spawn(process.execPath, [program.file, ...args], { stdio: ['ignore', 'pipe', 'inherit'] });
  child.stdout.setEncoding('utf8').on('data', (text: string) => (said += text));
  return { child, said: () => said };
}

const write = (writer: number, records: number, segmentLimit = 16 * 1024 * 1024) =>
  start('write', temporary.state, `w${writer}`, String(records), String(segmentLimit));
const closed = async ({ child }: Started): Promise<void> => {
  if (child.exitCode === null && child.signalCode === null) await once(child, 'close');
};

/** Each writer's numbers, in the order of the ledger. */
async function byWriter(): Promise<{ writers: Map<string, number[]>; read: Awaited<ReturnType<typeof readAll>> }> {
  const read = await readAll(temporary.ledger());
  const writers = new Map<string, number[]>();
  for (const { record } of read.lines)
    if (record.record === 'event') writers.set(record.trigger, [...(writers.get(record.trigger) ?? []), Number(record.database.slice(1))]);
  return { writers, read };
}

const upTo = (records: number) => Array.from({ length: records }, (_, k) => k);
const whole = { corruptLines: 0, tornTail: false, gaps: 0 };

test.each([
  ['E1: many at once lose, tear and disorder nothing', 16 * 1024 * 1024, count(25, 200)],
  ['E8: nor when segments are full all the time', 4000, count(25, 50)],
])('%s', async (_name, segmentLimit, records) => {
  const processes = count(8, 50);
  await Promise.all(Array.from({ length: processes }, (_, writer) => closed(write(writer, records, segmentLimit))));
  const { writers, read } = await byWriter();
  expect(writers.size).toBe(processes);
  for (const numbers of writers.values()) expect(numbers).toEqual(upTo(records));
  expect(read.damage).toEqual(whole);
  expect(await temporary.ledger().verify()).toMatchObject({ counts: { damaged: 0, torn: 0, broken: 0, gap: 0 }, nolock: 0 });
});

test('killed at random: every line whose append had resolved is there, and the next append works at once', async () => {
  for (let round = 0; round < count(5, 100); round += 1) {
    const started = [0, 1].map((writer) => write(round * 2 + writer, 1000));
    const enough = 5 + ((round * 7) % 20);
    while (started.some(({ said }) => said().split('\n').length < enough)) await new Promise((resolve) => setTimeout(resolve, 5));
    for (const { child } of started) child.kill('SIGKILL');
    await Promise.all(started.map(closed));
    const { writers } = await byWriter();
    started.forEach(({ said }, writer) => {
      const acknowledged = said().split('\n').length - 1;
      expect(writers.get(`w${round * 2 + writer}`)?.length).toBeGreaterThanOrEqual(acknowledged);
    });
  }
  expect(await temporary.ledger({ lockWait: 0.01 }).appendEvent(makeEvent(1, 'pending'))).toBe(true);
  expect((await temporary.ledger().verify()).nolock).toBe(0);
});

test('A7: a stopped holder of the lock stops nobody; what is written meanwhile says so, and the chain is whole', async () => {
  await live(temporary.ledger(), 1);
  const holder = start('hold', temporary.state);
  while (holder.said() !== 'held') await new Promise((resolve) => setTimeout(resolve, 5));
  holder.child.kill('SIGSTOP');
  try {
    const said: string[] = [];
    const ledger = temporary.ledger({ lockWait: 0.1, log: (_level, message) => void said.push(message) });
    expect(await ledger.appendEvent(makeEvent(2, 'pending'))).toBe(true);
    expect(said.join()).toContain('without it');
  } finally {
    holder.child.kill('SIGKILL');
    await closed(holder);
  }
  await live(temporary.ledger({ lockWait: 0.01 }), 3);
  const { lines } = await readAll(temporary.ledger());
  expect(lines.filter(({ record }) => record.nolock).length).toBe(1);
  expect(await temporary.ledger().verify()).toMatchObject({ counts: { broken: 0 }, nolock: 1 });
});

const strace = spawnSync('strace', ['-V']).status === 0;

test.skipIf(!strace).each([
  ['B5: the line whose fdatasync failed is in a new segment, and the file is never synced again', 'fdatasync:error=EIO:when=2', 2],
  ['B5: a write that fails once is repeated', 'write:error=EIO:when=3', 1],
])('%s (needs strace)', (_name, inject, segments) => {
  const trace = `${temporary.state}.trace`;
  const calls = ['-f', '-qq', '-y', '-o', trace, '-e', 'trace=write,fdatasync,fsync', '-e', `inject=${inject}`, '-P', temporary.segment(1)];
  const { stdout, status } = spawnSync(
    'strace',
    [...calls, process.execPath, program.file, 'write', temporary.state, 'w', '4', '1000000'],
    {
      encoding: 'utf8',
    },
  );
  expect([status, stdout]).toEqual([0, '0\n1\n2\n3\n']);
  expect(temporary.segments()).toHaveLength(segments);
  const traced = readFileSync(trace, 'utf8');
  expect(traced).toContain('EIO');
  const synced = traced.split('\n').filter((line) => line.includes('fdatasync('));
  expect(synced.findIndex((line) => line.includes('EIO'))).toBe(segments === 2 ? synced.length - 1 : -1);
});

test.skipIf(!strace)('B5: when the new segment cannot be made durable either, it ends with 74 (needs strace)', () => {
  const calls = ['-f', '-qq', '-o', '/dev/null', '-e', 'trace=fdatasync,fsync', '-e', 'inject=fdatasync,fsync:error=EIO:when=4+'];
  const { stderr, status } = spawnSync(
    'strace',
    [...calls, process.execPath, program.file, 'write', temporary.state, 'w', '9', '1000000'],
    {
      encoding: 'utf8',
    },
  );
  expect(status).not.toBe(0);
  expect(stderr).toContain("code: 'ledger'");
  expect(stderr).toContain('EIO');
});
