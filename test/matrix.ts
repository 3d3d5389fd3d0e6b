/**
 * test: the whole suite with several versions of Node and PostgreSQL, one pair after the other, and a table at the end. It tests nothing itself.
 */
import { spawn, spawnSync } from 'node:child_process';
import { createWriteStream, existsSync, mkdirSync, readFileSync } from 'node:fs';
import { once } from 'node:events';
import { delimiter, dirname, join } from 'node:path';
import { parseArgs } from 'node:util';

const usage = `npm run test:matrix                                     the oldest Node with every PostgreSQL found, each newer Node with the oldest of them
npm run test:matrix -- --list                           the pairs that this would be
npm run test:matrix -- --node 24 --postgres 17 [FILE]   all pairs of these versions (each may be given several times), and these files alone

--timeout SECONDS   of a test, on a machine that is busy
MATRIX              folders of PostgreSQL programs beside those of the distribution's packages: MATRIX=/opt/pg17/bin:/opt/pg18/bin
A Node that is not the one at hand is brought by npm into node_modules/.cache/node.
`;

/** The oldest that is supported, and those in long-term support since: https://nodejs.org/about/previous-releases */
const knownNodes = ['20', '24', '26'];
const knownPostgres = ['13', '14', '15', '16', '17', '18'];
const cache = 'node_modules/.cache';

const { values: options, positionals: files } = parseArgs({
  allowPositionals: true,
  options: {
    node: { type: 'string', multiple: true },
    postgres: { type: 'string', multiple: true },
    timeout: { type: 'string' },
    list: { type: 'boolean' },
    help: { type: 'boolean' },
  },
});

interface Program {
  readonly major: string;
  readonly version: string;
  /** The folder it lies in. */
  readonly folder: string;
}

interface Result {
  readonly node: string;
  readonly postgres: string;
  /** Passed, failed, skipped; null: the run did not come to its last line. */
  readonly counts: readonly number[] | null;
  readonly minutes: number;
}

const say = (line: string): void => void process.stdout.write(`${line}\n`);

function inspect(file: string): Program | null {
  const said = spawnSync(file, ['--version'], { encoding: 'utf8' });
  const [, version] = /(?:v|\) )(\d[\w.]*)/.exec(said.stdout ?? '') ?? [];
  return version === undefined ? null : { major: String(Number.parseInt(version, 10)), version, folder: dirname(file) };
}

function findPostgres(): Program[] {
  const own = (process.env['MATRIX'] ?? '').split(delimiter).filter(Boolean);
  const folders = [...own, ...knownPostgres.map((major) => `/usr/lib/postgresql/${major}/bin`)];
  const found = folders.flatMap((folder) => inspect(join(folder, 'postgres')) ?? []);
  return knownPostgres.flatMap((major) => found.find((each) => each.major === major) ?? []);
}

/** Our own, or what npm brings. Throws where there is none. */
function bringNode(major: string): Program {
  const ours = inspect(process.execPath);
  if (ours?.major === major) return ours;
  const name = `node-${process.platform}-${process.arch}`;
  const file = join(process.cwd(), cache, 'node', major, 'node_modules', name, 'bin/node');
  if (!existsSync(file)) {
    const folder = join(cache, 'node', major);
    mkdirSync(folder, { recursive: true });
    const args = ['install', '--prefix', folder, '--no-save', '--no-audit', '--no-fund', '--ignore-scripts', `${name}@${major}`];
    spawnSync('npm', args, { stdio: ['ignore', 'inherit', 'inherit'] });
  }
  const found = inspect(file);
  if (!found) throw new Error(`npm does not bring Node ${major} as ${name}`);
  return found;
}

/** The PostgreSQL goes before everything else on PATH, a distribution's wrappers too; the others stand behind, for tests of a newer client or target. */
async function run(node: Program, postgres: Program, others: readonly Program[]): Promise<Result> {
  const began = performance.now();
  const log = join(cache, 'matrix', `node-${node.major}-postgres-${postgres.major}.log`);
  mkdirSync(dirname(log), { recursive: true });
  const patience = options.timeout === undefined ? [] : [`--testTimeout=${options.timeout}000`, `--hookTimeout=${options.timeout}000`];
  const child = spawn(join(node.folder, 'node'), ['node_modules/vitest/vitest.mjs', 'run', ...patience, ...files], {
    env: {
      ...process.env,
      PATH: [postgres.folder, node.folder, process.env['PATH'], ...others.map(({ folder }) => folder)].join(delimiter),
    },
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const kept = createWriteStream(log);
  child.stdout.pipe(process.stdout, { end: false });
  child.stdout.pipe(kept);
  await once(kept, 'close');
  const last = readFileSync(log, 'utf8')
    .match(/^\d+ passed, \d+ failed, \d+ skipped$/gm)
    ?.at(-1);
  return {
    node: node.version,
    postgres: postgres.version,
    counts: last?.match(/\d+/g)?.map(Number) ?? null,
    minutes: (performance.now() - began) / 60_000,
  };
}

/** The oldest Node with every PostgreSQL, each newer one with the oldest PostgreSQL; where versions are named, each with each. */
function pairs(nodes: readonly string[], found: readonly Program[]): (readonly [string, Program])[] {
  const all = options.node !== undefined || options.postgres !== undefined;
  return nodes.flatMap((node, at) =>
    found.filter((_postgres, other) => all || at === 0 || other === 0).map((each) => [node, each] as const),
  );
}

function table(results: readonly Result[]): string {
  const rows = results.map(({ node, postgres, counts, minutes }) => [
    node,
    postgres,
    ...(counts ?? ['-', 'broken', '-']).map(String),
    minutes.toFixed(1),
  ]);
  const all = [['node', 'postgres', 'passed', 'failed', 'skipped', 'minutes'], ...rows];
  return all.map((row) => row.map((cell, at) => (at < 2 ? cell.padEnd(10) : cell.padStart(8))).join('')).join('\n');
}

/** True: nothing failed. */
async function main(): Promise<boolean> {
  const found = findPostgres();
  const postgres = options.postgres === undefined ? found : found.filter(({ major }) => options.postgres?.includes(major));
  const missing = (options.postgres ?? []).filter((major) => !found.some((each) => each.major === major));
  if (missing.length > 0 || postgres.length === 0)
    throw new Error(`PostgreSQL ${missing.join(', ') || 'of any version'} is not here: MATRIX`);
  const chosen = pairs(options.node ?? knownNodes, postgres);
  if (options.list) {
    for (const [node, { version, folder }] of chosen) say(`Node ${node} with PostgreSQL ${version} of ${folder}`);
    return true;
  }
  const results: Result[] = [];
  for (const [major, server] of chosen) {
    const node = bringNode(major);
    say(`Node ${node.version} with PostgreSQL ${server.version} of ${server.folder}`);
    results.push(await run(node, server, found));
  }
  say(`\n${table(results)}`);
  return results.every(({ counts }) => counts !== null && counts[0] !== 0 && counts[1] === 0);
}

if (options.help) process.stdout.write(usage);
else process.exitCode = (await main()) ? 0 : 1;
