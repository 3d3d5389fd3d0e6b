/**
 * bench: dumps by several processes, and compression inside the archive where pg_dump has it, against what the programs do by themselves.
 */
import type { Server } from './database.js';
import { off, prepare, proof, type Round } from './dumps.js';
import type { Finding } from './goal.js';
import { alternate, median, overRounds } from './stopwatch.js';

/** The first pg_dump that has zstd. */
const withZstd = 16;

/** The goals of `execute --jobs 2`; of zstd in pg_dump itself where the server's version has it. */
export async function measureJobs(server: Server, round: Round): Promise<Finding[]> {
  const { execute, shell } = prepare(server, round);
  const own = Number.parseInt(server.version, 10) >= withZstd;
  const candidates = {
    floor: shell('floor', 'pg_dump -Fp -d "$2" >/dev/null'),
    directory: shell('directory', 'pg_dump -Fd -j2 -d "$2" -f "$1/database.dir"'),
    jobs: execute('jobs', ...off, ...proof('none'), '--jobs', '2'),
    behind: shell('behind', 'set -o pipefail; pg_dump -Fc -Z0 -d "$2" | zstd -q -1 -T1 > "$1/database.dump.zst"'),
    ...(own && { inside: shell('inside', 'pg_dump -Fc --compress=zstd:1 -d "$2" > "$1/database.dump"') }),
  };
  const costs = await alternate<string>(candidates, round.rounds, round.say);
  const seconds = (name: string) => `${Math.round(median((costs[name] ?? []).map(({ wall }) => wall)))} ms`;
  const over = (one: string, other: string, what: 'wall' | 'cpu') => overRounds(costs, (cost) => cost(one)[what] / cost(other)[what]);
  const findings: Finding[] = [
    {
      what: 'execute --jobs 2 over the floor: wall',
      limit: 1,
      figure: over('jobs', 'floor', 'wall'),
      seen: `${seconds('jobs')} and ${seconds('floor')}; CPU ${over('jobs', 'floor', 'cpu').toFixed(2)}`,
      whenMissed: own
        ? 'compression takes the cores that a second process wants, where there are two; and the start of Node'
        : 'pg_dump up to 15 compresses by gzip alone: its directory is written as it is, and packed by zstd afterwards',
    },
    {
      what: 'execute --jobs 2 over pg_dump -Fd -j2: wall',
      limit: 1,
      figure: over('jobs', 'directory', 'wall'),
      seen: seconds('directory'),
      whenMissed: 'the smaller the database, the more the fixed cost of a start weighs',
    },
  ];
  if (own)
    findings.push({
      what: 'zstd inside pg_dump over zstd behind it: wall',
      limit: 1,
      figure: over('inside', 'behind', 'wall'),
      seen: `${seconds('inside')} and ${seconds('behind')}; CPU ${over('inside', 'behind', 'cpu').toFixed(2)}`,
      whenMissed: 'with cores to spare a program behind it compresses beside the dump',
    });
  return findings;
}
