/**
 * bench: `npm run bench`: measures the goals of docs/performance.md on a PostgreSQL of its own, prints them, and removes everything.
 *
 * `--size 1GB` of plain dump, `--rounds N`, `--quick` (100 MB, 3 rounds), `--only dumps|gentle|starts|api`, `--markdown` writes the page.
 */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { cpus, loadavg, release, tmpdir, totalmem } from 'node:os';
import { join, resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { formatBytes, formatDuration } from '../../src/model/units.js';
import { capture } from '../../src/system/programs/exec.js';
import { measureApi } from './api.js';
import { startServer } from './database.js';
import { measureDumps, type Round } from './dumps.js';
import { page, table, type Finding } from './goal.js';
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
const size = options.size ?? (options.quick ? '100MB' : '200MB');
const rounds = Number(options.rounds ?? (options.quick ? 3 : 5));
const started = performance.now();
/** Of the last minute, before anything was measured. */
const [load = 0] = loadavg();
const say = (line: string) => void process.stderr.write(`[${formatDuration(performance.now() - started)}] ${line}\n`);

/** What must be tidied up, whether the run ends well or by a signal. */
const leftovers: (() => unknown)[] = [];
async function tidy(): Promise<void> {
  for (const deed of leftovers.splice(0).toReversed()) await deed();
}
for (const [name, exit] of [
  ['SIGINT', 130],
  ['SIGTERM', 143],
] as const)
  process.once(name, () => void tidy().finally(() => process.exit(exit)));

async function measure(round: Round): Promise<{ findings: Finding[]; server: string }> {
  const findings: Finding[] = [];
  let version = '';
  if (options.only !== 'starts') {
    say(`filling a database of ${size}`);
    const server = await startServer(bytesOf(size), say);
    leftovers.push(() => server.stop());
    version = server.version;
    if (options.only !== 'gentle' && options.only !== 'api')
      findings.push(
        ...(await measureDumps(server, round)),
        ...(await measureJobs(server, round)),
        ...(await measureRestores(server, round)),
      );
    if (options.only !== 'dumps' && options.only !== 'api') findings.push(...(await measureGentle(server, round)));
    if (options.only === undefined || options.only === 'api') findings.push(...(await measureApi(round, server)));
  }
  if (options.only === undefined || options.only === 'starts') findings.push(...(await measureStarts(round)));
  return { findings, server: version };
}

async function factsOf(server: string): Promise<[string, string][]> {
  const [cpu] = cpus();
  const zstd = (await capture('zstd', ['--version'])).stdout;
  return [
    ['date', new Date().toISOString().slice(0, 10)],
    ['machine', `${cpus().length} cores (${cpu?.model.trim()}), ${formatBytes(totalmem())} memory, Linux ${release()}`],
    ['versions', `Node ${process.versions.node}, PostgreSQL ${server || 'not used'}, zstd ${/v([\d.]+)/.exec(zstd)?.[1] ?? 'none'}`],
    ['database', `${size} as a plain dump, ${rounds} rounds`],
    ['load before', `${load.toFixed(1)}${load > cpus().length / 4 ? ': others were at work, so that the figures say little' : ''}`],
    ['took', formatDuration(performance.now() - started)],
  ];
}

const folder = mkdtempSync(join(tmpdir(), 'backup-automation-bench-'));
leftovers.push(() => rmSync(folder, { recursive: true, force: true }));
try {
  const { findings, server } = await measure({ rounds, folder, bin: resolve('bin/backup-automation.js'), say });
  process.stdout.write(`${table(findings)}\n`);
  const typed = ['npm run bench', ...(process.argv.length > 2 ? ['--', ...process.argv.slice(2)] : [])].join(' ');
  if (options.markdown) writeFileSync('docs/performance.md', page(findings, await factsOf(server), typed));
} finally {
  await tidy();
}
