/**
 * bench: runs programs and says what each cost: time, CPU of it and of its children, peak memory of itself. Knows nothing of backups.
 */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';

/** ms. */
export interface Cost {
  readonly wall: number;
  /** User and system, of the program and its children, and of the server where there is one. */
  readonly cpu: number;
}

export interface Surroundings {
  readonly cwd: string;
  readonly env: Readonly<Record<string, string>>;
  /** Of a PostgreSQL whose sessions' CPU is counted too. */
  readonly postmaster?: number;
}

export type Candidate = () => Promise<Cost>;

/** Starts a program and waits for its end; its stderr is in the error when that is not good. */
async function finish(command: readonly string[], { cwd, env }: Surroundings, extra: 'ignore' | 'pipe' = 'ignore'): Promise<string> {
  const [file = '', ...args] = command;
  const child = spawn(file, args, { cwd, env, stdio: ['ignore', 'ignore', 'pipe', extra] });
  const said = ['', ''];
  for (const [index, stream] of [child.stderr, child.stdio[3]].entries())
    if (stream && 'setEncoding' in stream) stream.setEncoding('utf8').on('data', (text: string) => (said[index] += text));
  const [code] = (await once(child, 'close')) as [number | null];
  if (code !== 0) throw new Error(`${command.join(' ')} ended with ${code}: ${said[0]?.slice(-2000)}`);
  return said[1] ?? '';
}

/** CPU of the server's ended sessions, ms, in the kernel's steps of 10. */
function sessionsCpu(postmaster: number): number {
  const stat = readFileSync(`/proc/${postmaster}/stat`, 'utf8');
  const fields = stat
    .slice(stat.lastIndexOf(')') + 2)
    .split(' ')
    .map(Number);
  return ((fields[13] ?? 0) + (fields[14] ?? 0)) * 10;
}

/** What a command costs, by bash's own `time`. */
export async function timed(command: readonly string[], where: Surroundings): Promise<Cost> {
  const { postmaster } = where;
  const before = postmaster === undefined ? 0 : sessionsCpu(postmaster);
  const script = 'TIMEFORMAT="%3R %3U %3S"; { time "$@" 2>&4; } 4>&2 2>&3';
  const times = await finish(['bash', '-c', script, 'bash', ...command], where, 'pipe');
  const [wall = 0, user = 0, system = 0] = times.trim().split('\n').at(-1)?.split(' ').map(Number) ?? [];
  // a session ends a moment after its client
  if (postmaster !== undefined) await sleep(100);
  const sessions = postmaster === undefined ? 0 : sessionsCpu(postmaster) - before;
  return { wall: wall * 1000, cpu: (user + system) * 1000 + sessions };
}

/** Greatest resident memory of a Node program itself, without its children, bytes. `args` as for node. */
export async function peakMemory(args: readonly string[], where: Surroundings): Promise<number> {
  const report = 'data:text/javascript,import fs from "node:fs";process.on("exit",()=>fs.writeSync(3,`${process.resourceUsage().maxRSS}`))';
  return Number(await finish([process.execPath, '--import', report, ...args], where, 'pipe')) * 1024;
}

/** Every candidate once a round, each round in another order; the costs by candidate, a round's at the same index. */
export async function alternate<Name extends string>(
  candidates: Readonly<Record<Name, Candidate>>,
  rounds: number,
  say: (line: string) => void,
): Promise<Record<Name, Cost[]>> {
  const names = Object.keys(candidates) as Name[];
  const costs = Object.fromEntries(names.map((name) => [name, [] as Cost[]])) as Record<Name, Cost[]>;
  for (let round = 0; round < rounds; round += 1) {
    const shift = round % names.length;
    for (const name of [...names.slice(shift), ...names.slice(0, shift)]) costs[name].push(await candidates[name]());
    say(`round ${round + 1} of ${rounds}: ${names.map((name) => `${name} ${Math.round(costs[name].at(-1)?.wall ?? 0)} ms`).join(', ')}`);
  }
  return costs;
}

export function median(numbers: readonly number[]): number {
  const sorted = numbers.toSorted((a, b) => a - b);
  const middle = sorted.length >> 1;
  return sorted.length % 2 ? (sorted[middle] ?? NaN) : ((sorted[middle - 1] ?? NaN) + (sorted[middle] ?? NaN)) / 2;
}

/** The median over the rounds of what `figure` makes of a round's costs. */
export function overRounds<Name extends string>(
  costs: Readonly<Record<Name, readonly Cost[]>>,
  figure: (cost: (name: Name) => Cost) => number,
): number {
  const [first = []] = Object.values<readonly Cost[]>(costs);
  return median(first.map((_, round) => figure((name) => costs[name][round] ?? { wall: NaN, cpu: NaN })));
}
