/**
 * bench: how fast commands start, and how they cope with a long ledger.
 */
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { cleanEnvironment } from '../fixtures/cli.js';
import type { Round } from './dumps.js';
import type { Finding } from './goal.js';
import { writeHistory } from './history.js';
import { alternate, median, overRounds, peakMemory, timed, type Surroundings } from './stopwatch.js';

const lines = 1_000_000;

const loader =
  'on Node 20 an empty ES module alone costs 1.2 to 1.3 times `node -e 0`, commander 0.2 more, and each file of the bundle about a millisecond';

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
  const starts = {
    node: node('-e', '0'),
    help: node(bin, '--help'),
    events: node(...ours('events', '--limit', '20')),
    due: node(...ours('execute', '--due', '--quiet')),
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
      'what `--help` costs, then the state directory, its locks and the newest lines of the ledger',
    ),
    {
      what: `statistics over ${lines} lines`,
      limit: 4,
      figure: median(whole.map((cost) => cost.wall)) / 1000,
      unit: 's',
      whenMissed: 'every line is read, its checksum proven and its JSON parsed, by one thread',
    },
    {
      what: 'the same: peak memory',
      limit: 80,
      figure: (await peakMemory(statistics, where)) / 1e6,
      unit: 'MB',
      whenMissed: 'Node itself has 40 MB',
    },
  ];
}
