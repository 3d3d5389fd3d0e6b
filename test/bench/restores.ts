/**
 * bench: a restore against what people type without this tool.
 */
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { capture } from '../../src/system/programs/exec.js';
import type { Server } from './database.js';
import { prepare, type Round } from './dumps.js';
import type { Finding } from './goal.js';
import { alternate, median, overRounds, timed, type Cost } from './stopwatch.js';

/** `"$1"` is the archive, `"$2"` the target. */
const pipeline = 'set -eo pipefail; zstd -q -d -c "$1" | pg_restore --exit-on-error -d "$2"';

/** Compared with the fingerprint, over the bare pipeline; several connections over one. */
export async function measureRestores(server: Server, round: Round): Promise<Finding[]> {
  const folder = join(round.folder, 'restores');
  const { ours, where } = prepare(server, { ...round, folder });
  mkdirSync(folder, { recursive: true });
  const target = new URL(server.url);
  target.pathname = '/restored';
  const psql = (text: string) =>
    capture(join(server.binDirectory, 'psql'), ['-X', '-q', '-d', server.url, '-c', text], { timeoutMs: 60_000 });
  const anew = async () => {
    await psql('DROP DATABASE IF EXISTS restored WITH (FORCE)');
    await psql('CREATE DATABASE restored');
  };
  await timed([process.execPath, ...ours('execute', '--force', '--set', 'compression=zstd', '--set', 'jobs=1')], where);
  const archive = join(folder, 'database.dump.zst');
  await timed(['bash', '-c', 'pg_dump -Fc -Z0 -d "$1" | zstd -q -1 > "$2"', 'bash', server.url, archive], where);
  const restore =
    (...more: string[]) =>
    async (): Promise<Cost> => {
      await anew();
      return timed([process.execPath, ...ours('restore', 'latest', '--to', target.href, ...more)], where);
    };
  const candidates = {
    one: restore(),
    two: restore('--jobs', '2'),
    shell: async () => {
      await anew();
      return timed(['bash', '-c', pipeline, 'bash', archive, target.href], where);
    },
  };
  const costs = await alternate(candidates, round.rounds, round.say);
  await psql('DROP DATABASE IF EXISTS restored WITH (FORCE)');
  const over = (one: keyof typeof candidates, other: keyof typeof candidates) =>
    overRounds(costs, (cost) => cost(one).wall / cost(other).wall);
  const ms = (name: keyof typeof candidates) => `${Math.round(median(costs[name].map(({ wall }) => wall)))} ms`;
  return [
    {
      what: 'restore, compared with its fingerprint, over zstd -d | pg_restore: wall',
      limit: 1.2,
      figure: over('one', 'shell'),
      seen: `${ms('one')} and ${ms('shell')}; over two connections ${over('two', 'shell').toFixed(2)}`,
      whenMissed: 'every row is counted again, and Node starts; both weigh more the smaller the database',
    },
  ];
}
