/**
 * bench: how fast commands start, and how they cope with a long ledger.
 */
import { cpSync, mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { cleanEnvironment } from '../fixtures/cli.js';
import type { Round } from './dumps.js';
import type { Finding } from './goal.js';
import { writeHistory } from './history.js';
import { alternate, median, overRounds, peakMemory, timed, type Surroundings } from './stopwatch.js';

const lines = 1_000_000;

const loader =
  'some 25 ms: one file of 440 kB with commander in it is read and compiled, and every command described; Node 20 keeps no compiled code';

/** The goals of the commands that only look. */
export async function measureStarts({ rounds, folder, bin, say }: Round): Promise<Finding[]> {
  const state = join(folder, 'state');
  mkdirSync(state, { recursive: true, mode: 0o700 });
  say(`writing a ledger of ${lines} lines`);
  const bytes = writeHistory(state, lines);
  const where: Surroundings = { cwd: folder, env: cleanEnvironment(folder) };
  const ours = (...args: string[]) => [bin, ...args, '--set', `stateDirectory=${state}`];
  const node =
    (...args: string[]) =>
    () =>
      timed([process.execPath, ...args], where);
  const many = join(folder, 'many.json');
  const schedules = Object.fromEntries(Array.from({ length: 100 }, (_, index) => [`yearly-${index}`, { cron: `${index % 60} 2 1 1 *` }]));
  cpSync(state, join(folder, 'many'), { recursive: true });
  writeFileSync(many, JSON.stringify({ stateDirectory: './many', schedules }), { mode: 0o600 });
  const starts = {
    node: node('-e', '0'),
    help: node(bin, '--help'),
    events: node(...ours('events', '--limit', '20')),
    due: node(...ours('execute', '--due', '--quiet')),
    manyDue: node(bin, 'execute', '--due', '--quiet', '--config', many),
  };
  for (const start of Object.values(starts)) await start();
  const costs = await alternate(starts, rounds * 5, () => {});
  const start = (name: keyof typeof starts, what: string, limit: number, whenMissed: string): Finding => ({
    what: `${what} over node -e 0`,
    limit,
    figure: overRounds(costs, (cost) => cost(name).wall / cost('node').wall),
    seen: `${Math.round(median(costs[name].map((cost) => cost.wall)))} ms and ${Math.round(median(costs.node.map((cost) => cost.wall)))} ms; CPU ${overRounds(costs, (cost) => cost(name).cpu / cost('node').cpu).toFixed(2)}`,
    whenMissed,
  });
  const statistics = ours('statistics', '--json');
  const { whole } = await alternate({ whole: node(...statistics) }, rounds, say);
  return [
    start('help', '--help', 1.25, loader),
    start('events', `newest 20 events of ${lines} lines (${Math.round(bytes / 1e6)} MB)`, 1.3, loader),
    start(
      'due',
      'execute --due with nothing due',
      1.5,
      'what an empty ES module costs, then one file of ours, the configuration, the status of five files and what the run before remembered',
    ),
    start(
      'manyDue',
      `execute --due with nothing due, 100 schedules and ${lines} lines`,
      1.5,
      'the same: nothing of it is read while nothing has changed',
    ),
    {
      what: `statistics over ${lines} lines`,
      limit: 4,
      figure: median(whole.map((cost) => cost.wall)) / 1000,
      unit: 's',
      whenMissed: 'every line is read, its checksum proven and its JSON parsed, by one thread',
    },
    {
      what: `peak memory of statistics over ${lines} lines`,
      limit: 80,
      figure: (await peakMemory(statistics, where)) / 1e6,
      unit: 'MB',
      whenMissed: 'Node itself has 40 MB',
    },
  ];
}
