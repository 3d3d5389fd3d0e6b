/**
 * bench: `npm run bench`: measures the goals of docs/performance.md on a PostgreSQL of its own, prints them, and removes everything.
 *
 * `--size 100MB,1GB,5GB` of plain dump, `--rounds N` (else 5, 3 from 1 GB on, 1 from 5 GB on), `--quick` (100 MB, 3 rounds),
 * `--only dumps|jobs|gentle|starts|api`, `--markdown` writes the page.
 */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { cpus, release, tmpdir, totalmem } from 'node:os';
import { join, resolve } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import { formatBytes, formatDuration } from '../../src/model/units.js';
import { capture } from '../../src/system/programs/exec.js';
import { measureApi } from './api.js';
import { startServer, type Server } from './database.js';
import { measureDumps, type Round } from './dumps.js';
import { page, table, type Chapter, type Finding } from './goal.js';
import { measureGentle } from './gentle.js';
import { measureJobs } from './jobs.js';
import { measureRestores } from './restores.js';
import { measureStarts } from './starts.js';

const units: Readonly<Record<string, number>> = { MB: 1e6, GB: 1e9 };

function bytesOf(text: string): number {
  const [, number, unit = ''] = /^(\d+)(MB|GB)$/.exec(text) ?? [];
  if (number === undefined) throw new Error(`--size ${text}: expected e.g. 200MB or 1GB`);
  return Number(number) * (units[unit] ?? NaN);
}

const { values: options } = parseArgs({
  options: {
    size: { type: 'string' },
    rounds: { type: 'string' },
    quick: { type: 'boolean', default: false },
    only: { type: 'string' },
    markdown: { type: 'boolean', default: false },
  },
});
const sizes = (options.size ?? (options.quick ? '100MB' : '100MB,1GB,5GB')).split(',');
/** Fewer of what takes long. */
const usual = (bytes: number): number => (bytes >= 5e9 ? 1 : bytes >= 1e9 ? 3 : 5);
const roundsAt = (bytes: number): number => Number(options.rounds ?? (options.quick ? 3 : usual(bytes)));
const started = performance.now();
/** The share of the cores that others keep busy, for a second. */
async function busyNow(): Promise<number> {
  const spent = () => cpus().map(({ times }) => [times.idle, times.user + times.nice + times.sys + times.irq] as const);
  const sum = (all: readonly (readonly [number, number])[], which: 0 | 1) => all.reduce((total, one) => total + one[which], 0);
  const before = spent();
  await sleep(1000);
  const after = spent();
  const [idle, busy] = [sum(after, 0) - sum(before, 0), sum(after, 1) - sum(before, 1)];
  return busy / (idle + busy);
}
const busy = await busyNow();
const say = (line: string) => void process.stderr.write(`[${formatDuration(performance.now() - started)}] ${line}\n`);

const folder = mkdtempSync(join(tmpdir(), 'backup-automation-bench-'));
const remove = () => rmSync(folder, { recursive: true, force: true });
/** What must be tidied up, whether a size is done, fails, or is ended by a signal. */
const leftovers: (() => unknown)[] = [];
async function tidy(): Promise<void> {
  for (const deed of leftovers.splice(0).toReversed()) await deed();
}
for (const [name, exit] of [
  ['SIGINT', 130],
  ['SIGTERM', 143],
] as const)
  process.once(name, () => void tidy().finally(() => (remove(), process.exit(exit))));

const wants = (...parts: string[]): boolean => options.only === undefined || parts.includes(options.only);

/** Everything that is measured on a database of one size. */
async function measureSize(size: string, server: Server, round: Round): Promise<Chapter> {
  const findings: Finding[] = [];
  if (wants('dumps')) findings.push(...(await measureDumps(server, round)));
  if (wants('dumps', 'jobs')) findings.push(...(await measureJobs(server, round)));
  if (wants('dumps')) findings.push(...(await measureRestores(server, round)));
  if (wants('gentle')) findings.push(...(await measureGentle(server, round)));
  return { title: `${size}, ${round.rounds} round${round.rounds === 1 ? '' : 's'}`, findings };
}

/** Calls `tell` with all that was measured so far: a size is done long before the next one. */
async function measure(tell: (chapters: readonly Chapter[], server: string) => Promise<void>): Promise<void> {
  const bin = resolve('bin/backup-automation.js');
  const chapters: Chapter[] = [];
  const others: Finding[] = [];
  if (wants('starts')) others.push(...(await measureStarts({ rounds: 5, folder, bin, say })));
  const done = async (version: string, chapter?: Chapter) => {
    if (chapter) chapters.push(chapter);
    await tell([...chapters, ...(others.length > 0 ? [{ title: 'Starts, and the API', findings: others }] : [])], version);
  };
  for (const [index, size] of (wants('dumps', 'jobs', 'gentle', 'api') ? sizes : []).entries()) {
    const bytes = bytesOf(size);
    say(`filling a database of ${size}`);
    const server = await startServer(bytes, say);
    leftovers.push(() => server.stop());
    const round: Round = { rounds: roundsAt(bytes), folder: join(folder, size), bin, say };
    if (wants('api') && index === 0) others.push(...(await measureApi(round, server)));
    await done(server.version, wants('dumps', 'jobs', 'gentle') ? await measureSize(size, server, round) : undefined);
    await tidy();
  }
  if (!wants('dumps', 'jobs', 'gentle', 'api')) await done('not used');
}

async function factsOf(server: string): Promise<[string, string][]> {
  const [cpu] = cpus();
  const zstd = (await capture('zstd', ['--version'])).stdout;
  return [
    ['date', new Date().toISOString().slice(0, 10)],
    ['machine', `${cpus().length} cores (${cpu?.model.trim()}), ${formatBytes(totalmem())} memory, Linux ${release()}`],
    ['versions', `Node ${process.versions.node}, PostgreSQL ${server}, zstd ${/v([\d.]+)/.exec(zstd)?.[1] ?? 'none'}`],
    ['databases', `${sizes.join(', ')} as a plain dump`],
    ['busy before', `${Math.round(100 * busy)} % of the cores${busy > 0.1 ? ': others were at work, so that the figures say little' : ''}`],
    ['took', formatDuration(performance.now() - started)],
  ];
}

const typed = ['npm run bench', ...(process.argv.length > 2 ? ['--', ...process.argv.slice(2)] : [])].join(' ');
try {
  await measure(async (chapters, version) => {
    for (const { title, findings } of chapters) process.stdout.write(`${title}\n${table(findings)}\n\n`);
    if (options.markdown) writeFileSync('docs/performance.md', page(chapters, await factsOf(version), typed));
  });
} finally {
  await tidy();
  remove();
}
