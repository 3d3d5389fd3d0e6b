/**
 * bench: how fast the REST API answers while a backup runs and others only hold the line, over the cheapest route that fastify can have.
 */
import { execFileSync, spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { Agent, request } from 'node:http';
import { connect, type Socket } from 'node:net';
import { join } from 'node:path';
import { cleanEnvironment } from '../fixtures/cli.js';
import type { Server } from './database.js';
import type { Round } from './dumps.js';
import type { Finding } from './goal.js';
import { apart, writeHistory } from './history.js';
import { median } from './stopwatch.js';

const events = 1_000_000;
const idle = 200;
/** Requests of each kind a round. */
const asked = 300;
/** A dashboard that asks five things every five seconds for an hour. */
const anHour = 3600;

const base = '/api/backup-automation';
const floor = `import fastify from 'fastify'; const app = fastify(); app.get('/', async () => ({ ok: true }));
  await app.listen({ port: 0 }); process.stderr.write('listening on http://127.0.0.1:' + app.server.address().port + '\\n');`;

interface Peer {
  readonly child: ChildProcess;
  readonly port: number;
}

async function start(command: readonly string[], cwd: string, env: Readonly<Record<string, string>>): Promise<Peer> {
  const child = spawn(process.execPath, command, { cwd, env, stdio: ['ignore', 'ignore', 'pipe'] });
  let said = '';
  for await (const text of child.stderr.setEncoding('utf8') as AsyncIterable<string>) {
    said += text;
    const [, port] = /listening on http:\/\/[^:]+:(\d+)/.exec(said) ?? [];
    if (port === undefined) continue;
    return { child, port: Number(port) };
  }
  throw new Error(`it did not start: ${said}`);
}

const agent = new Agent({ keepAlive: true, maxSockets: 1 });

/** ms until the whole answer is there. */
function time(port: number, path: string, token: string, method = 'GET'): Promise<number> {
  const began = performance.now();
  return new Promise((resolve, reject) => {
    const headers = { authorization: `Bearer ${token}`, ...(method === 'GET' ? {} : { 'content-type': 'application/json' }) };
    const sent = request({ host: '127.0.0.1', port, path, method, agent, headers }, (response) => {
      response.resume().on('end', () => (response.statusCode ?? 500) < 400 ? resolve(performance.now() - began) : reject(new Error(`${path}: ${response.statusCode}`))); // prettier-ignore
    });
    sent.on('error', reject).end();
  });
}

const percentile = (times: readonly number[], share: number): number => times.toSorted((a, b) => a - b)[Math.ceil(share * times.length) - 1] ?? NaN; // prettier-ignore
const memory = ({ child }: Peer): number => Number(/VmRSS:\s+(\d+)/.exec(readFileSync(`/proc/${child.pid}/status`, 'utf8'))?.[1]) / 1000;

/** One backup after the other, until it is told to stop. */
async function keepBackingUp({ port }: Peer, token: string, over: AbortSignal): Promise<void> {
  while (!over.aborted) {
    await time(port, `${base}/execute`, token, 'POST').catch(() => undefined);
    await new Promise((resolve) => setTimeout(resolve, 2000));
  }
}

export async function measureApi({ rounds, folder, bin, say }: Round, server: Server): Promise<Finding[]> {
  const home = join(folder, 'api');
  const state = join(home, 'state');
  mkdirSync(state, { recursive: true, mode: 0o700 });
  say(`writing a ledger of ${events} events`);
  const bytes = writeHistory(state, 3 * events, Date.now() - events * apart);
  const config = {
    stateDirectory: './state',
    clientDirectory: server.binDirectory,
    databases: { bench: { url: 'env:DATABASE_URL' } },
    schedules: {},
    backupWindow: { start: '00:00', end: '00:00' },
    loadBasedBackup: false,
    healthCheckBeforeBackup: false,
    conditions: { minDiskSpace: 0, maxConcurrentBackups: 1 },
    api: { port: 0, rateLimit: 1_000_000 },
  };
  writeFileSync(join(home, 'backup-automation.config.json'), JSON.stringify(config), { mode: 0o600 });
  const env = { ...cleanEnvironment(home), DATABASE_URL: server.url };
  const made = execFileSync(process.execPath, [bin, 'token', 'create', '--name', 'bench', '--role', 'admin', '--json'], { cwd: home, env });
  const { token } = JSON.parse(made.toString()) as { token: string };
  const ours = await start([bin, 'serve'], home, env);
  const least = await start(['--input-type=module', '-e', floor], process.cwd(), env);
  const held: Socket[] = [];
  const over = new AbortController();
  try {
    say('the server reads the ledger');
    const cold = await time(ours.port, `${base}/statistics`, token);
    for (const port of [ours.port, least.port])
      for (let index = 0; index < idle; index += 1) held.push(connect(port, '127.0.0.1').on('error', () => {}));
    const backups = keepBackingUp(ours, token, over.signal);
    const findings = await paired(ours, least, token, { rounds, say });
    const paths = ['events', 'statistics', 'active', 'schedules', 'audit'].map((path) => `${base}/${path}`);
    const before = memory(ours);
    for (let index = 0; index < anHour; index += 1) await time(ours.port, paths[index % paths.length] ?? '', token);
    const after = memory(ours);
    over.abort();
    await backups;
    return [
      ...findings,
      {
        what: `memory of serve after ${anHour} more requests over before`,
        limit: 1.2,
        figure: after / before,
        seen: `${Math.round(before)} MB and ${Math.round(after)} MB; first answer ${(cold / 1000).toFixed(1)} s after the start (${Math.round(bytes / 1e6)} MB of ledger)`,
      },
    ];
  } finally {
    over.abort();
    for (const socket of held) socket.destroy();
    agent.destroy();
    for (const { child } of [ours, least]) {
      const ended = once(child, 'exit');
      child.kill('SIGKILL');
      await ended;
    }
  }
}

/** p99 of each, the floor before and after it in turn. */
async function paired(ours: Peer, least: Peer, token: string, { rounds, say }: Pick<Round, 'rounds' | 'say'>): Promise<Finding[]> {
  const kinds = { floor: '/', events: `${base}/events?limit=20`, statistics: `${base}/statistics` } as const;
  const names = Object.keys(kinds) as (keyof typeof kinds)[];
  const seen: Record<keyof typeof kinds, number[]> = { floor: [], events: [], statistics: [] };
  for (let round = 0; round < rounds; round += 1) {
    const shift = round % names.length;
    for (const name of [...names.slice(shift), ...names.slice(0, shift)]) {
      const times: number[] = [];
      for (let index = 0; index < asked; index += 1) times.push(await time(name === 'floor' ? least.port : ours.port, kinds[name], token));
      seen[name].push(percentile(times, 0.99));
    }
    say(`round ${round + 1} of ${rounds}: p99 ${names.map((name) => `${name} ${seen[name].at(-1)?.toFixed(1)} ms`).join(', ')}`);
  }
  const finding = (name: 'events' | 'statistics', limit: number): Finding => ({
    what: `p99 of GET ${name}, ${events} events, a backup running, ${idle} idle connections, over an empty fastify route`,
    limit,
    figure: median(seen[name].map((p99, round) => p99 / (seen.floor[round] ?? NaN))),
    seen: `${median(seen[name]).toFixed(1)} ms and ${median(seen.floor).toFixed(1)} ms`,
    whenMissed: 'the server also keeps the ledger of the running backup, and reads its newest lines with each request',
  });
  return [finding('events', 10), finding('statistics', 10)];
}
