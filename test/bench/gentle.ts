/**
 * bench: what other sessions feel while a backup runs: 300 short transactions a second, alone, beside a gentle backup, and beside one that is not.
 */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { capture } from '../../src/system/programs/exec.js';
import type { Server } from './database.js';
import { prepare, type Round } from './dumps.js';
import type { Finding } from './goal.js';
import { median, timed } from './stopwatch.js';

const rate = 300;
/** Without a backup, ms. */
const alone = 15_000;
const names = ['none', 'gentle', 'usual'] as const;
type Name = (typeof names)[number];

interface Felt {
  /** The latency that 95 of 100 transactions do not exceed, ms. */
  readonly p95: number;
  /** Of the deed, ms. */
  readonly wall: number;
}

/** Runs transactions beside a deed, and reads how long each took from their start by the schedule. */
async function beside(server: Server, folder: string, deed: () => Promise<number>): Promise<Felt> {
  mkdirSync(folder, { recursive: true });
  const options = ['-n', '-c', '4', '-j', '1', '-R', String(rate), '-T', '3600', '-l', '--log-prefix=felt', server.url];
  const pgbench = spawn(join(server.binDirectory, 'pgbench'), options, { cwd: folder, stdio: 'ignore' });
  const ended = once(pgbench, 'close');
  await sleep(3000);
  const settled = Date.now() / 1000;
  const wall = await deed();
  pgbench.kill('SIGINT');
  await ended;
  // client, transaction, latency in µs, script, seconds and µs of its end, lag
  const lines = readdirSync(folder).flatMap((name) => readFileSync(join(folder, name), 'utf8').trim().split('\n'));
  rmSync(folder, { recursive: true, force: true });
  const latencies = lines
    .map((line) => line.split(' ').map(Number))
    .flatMap(([, , micros = 0, , end = 0]) => (end >= settled ? [micros] : []));
  return { p95: (latencies.toSorted((a, b) => a - b)[Math.floor(latencies.length * 0.95)] ?? NaN) / 1000, wall };
}

/** Foreground p95 beside a backup over none, and what it costs the backup. */
export async function measureGentle(server: Server, { rounds, folder, bin, say }: Round): Promise<Finding[]> {
  const { ours, where, clear } = prepare(server, { rounds, folder: join(folder, 'gentle'), bin, say });
  await capture(join(server.binDirectory, 'pgbench'), ['-i', '-q', '-s', '10', server.url], { timeoutMs: 120_000 });
  const backup = (gentle: string) => async (): Promise<number> => {
    clear();
    return (await timed([process.execPath, ...ours('execute', '--force', '--set', `gentle=${gentle}`)], where)).wall;
  };
  const deeds: Record<Name, () => Promise<number>> = {
    none: async () => sleep(alone, alone),
    gentle: backup('on'),
    usual: backup('off'),
  };
  const felt: Record<Name, Felt[]> = { none: [], gentle: [], usual: [] };
  for (let round = 0; round < rounds; round += 1) {
    for (const name of names) felt[name].push(await beside(server, join(folder, 'felt'), deeds[name]));
    say(`round ${round + 1} of ${rounds}: p95 ${names.map((name) => `${name} ${felt[name].at(-1)?.p95.toFixed(1)} ms`).join(', ')}`);
  }
  const over = (pick: (felt: Felt) => number, a: Name, b: Name) =>
    median(felt[a].map((one, round) => pick(one) / pick(felt[b][round] ?? { p95: NaN, wall: NaN })));
  const usual = over(({ p95 }) => p95, 'usual', 'none');
  return [
    {
      what: 'foreground p95 beside a gentle backup over none',
      limit: 1.7,
      figure: over(({ p95 }) => p95, 'gentle', 'none'),
      seen: `beside one that is not gentle ${usual.toFixed(2)}; ${rate} transactions a second`,
      whenMissed:
        "all that runs here and its sessions keep to one core of two, at the lowest priority: the others have the other core to themselves, and meet the dump in memory, on the disk and wherever the kernel moves them, more so where the database is larger than the server's buffers",
    },
    {
      what: 'time of a gentle backup over one that is not',
      limit: 1.25,
      figure: over(({ wall }) => wall, 'gentle', 'usual'),
      whenMissed: 'what keeps to one core of two takes the longer the more there is to compress',
    },
  ];
}
