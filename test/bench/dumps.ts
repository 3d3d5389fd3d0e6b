/**
 * bench: backups against what people do without this tool, and a proof against a restore.
 */
import { mkdirSync, readdirSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { cleanEnvironment } from '../fixtures/cli.js';
import type { Server } from './database.js';
import type { Finding } from './goal.js';
import { alternate, median, overRounds, peakMemory, timed, type Cost, type Surroundings } from './stopwatch.js';

export interface Round {
  readonly rounds: number;
  /** A folder of this run's own. */
  readonly folder: string;
  /** The built command. */
  readonly bin: string;
  readonly say: (line: string) => void;
}

/** What a careful user writes; `"$1"` is the folder, `"$2"` the database. */
const pipeline = `set -eo pipefail
cd "$1"
pg_dump -Fc -Z0 -d "$2" | zstd -q -1 -T1 | tee database.dump.zst.part | sha256sum > database.sha256
pg_dumpall --globals-only -d "$2" | zstd -q -1 > globals.sql.zst
sync database.dump.zst.part globals.sql.zst database.sha256
mv database.dump.zst.part database.dump.zst
sync .`;
/** Nobody has the private key. */
const recipient = 'age18la4yukqzhsy85cl62y6f28jfrhcjgzwrss4eafc5acx9szvn4yq05aw73';
const readAgain = `
[ "$(sha256sum < database.dump.zst)" = "$(cat database.sha256)" ]`;

function sizeOf(folder: string): number {
  const files = readdirSync(folder, { recursive: true, withFileTypes: true }).filter((entry) => entry.isFile());
  return files.reduce((sum, file) => sum + statSync(join(file.parentPath, file.name)).size, 0);
}

export const off = ['--set', 'fingerprint=none'];
export const proof = (level: string) => ['--set', `verify.afterBackup=${level}`];

export function prepare(server: Server, { folder, bin }: Round) {
  const [mine, theirs] = [join(folder, 'backups'), join(folder, 'shell')];
  const env = { ...cleanEnvironment(folder), DATABASE_URL: server.url };
  const where: Surroundings = {
    cwd: folder,
    env: { ...env, PATH: `${server.binDirectory}:${process.env['PATH']}` },
    postmaster: server.postmaster,
  };
  const config = join(folder, 'backup-automation.config.json');
  mkdirSync(folder, { recursive: true });
  writeFileSync(config, JSON.stringify({ storages: { local: { kind: 'local', path: mine } } }));
  const sizes = new Map<string, number>();
  const ours = (...args: string[]) => [bin, ...args, '--config', config, '--quiet'];
  const clear = () => rmSync(join(mine, 'default'), { recursive: true, force: true });
  const execute =
    (name: string, ...settings: string[]) =>
    async (): Promise<Cost> => {
      clear();
      const cost = await timed([process.execPath, ...ours('execute', '--force', ...settings)], where);
      sizes.set(name, sizeOf(mine));
      return cost;
    };
  const shell = (name: string, script: string) => async (): Promise<Cost> => {
    rmSync(theirs, { recursive: true, force: true });
    mkdirSync(theirs);
    const cost = await timed(['bash', '-c', script, 'bash', theirs, server.url], where);
    sizes.set(name, sizeOf(theirs));
    rmSync(theirs, { recursive: true });
    return cost;
  };
  return { where, ours, clear, execute, shell, sizes };
}

const ms = (value: number) => `${Math.round(value)} ms`;

/** The goals of `execute` and `verify` on a database. */
export async function measureDumps(server: Server, round: Round): Promise<Finding[]> {
  const { where, ours, clear, execute, shell, sizes } = prepare(server, round);
  const candidates = {
    floor: shell('floor', 'pg_dump -Fp -d "$2" >/dev/null'),
    shell: shell('shell', pipeline),
    careful: shell('careful', pipeline + readAgain),
    bare: execute('bare', ...off, ...proof('none')),
    checksum: execute('checksum', ...off, ...proof('checksum')),
    archive: execute('archive', ...off, ...proof('archive')),
    counts: execute('counts', ...proof('none')),
    whole: execute('whole'),
    sealed: execute('sealed', ...off, ...proof('none'), '--set', `encryption.recipients=["${recipient}"]`),
    gzip: shell('gzip', 'pg_dump -Fc -d "$2" -f "$1/database.dump"'),
  };
  await candidates.floor();
  await candidates.bare();
  const costs = await alternate(candidates, round.rounds, round.say);
  const wall = (name: keyof typeof candidates) => ms(median(costs[name].map((cost) => cost.wall)));
  const over = (one: keyof typeof candidates, other: keyof typeof candidates, what: keyof Cost) =>
    overRounds(costs, (cost) => cost(one)[what] / cost(other)[what]);
  const onTop = (one: keyof typeof candidates, what: keyof Cost) =>
    overRounds(costs, (cost) => (cost(one)[what] - cost('bare')[what]) / cost('floor').wall);
  const bytes = (sizes.get('whole') ?? NaN) / (sizes.get('gzip') ?? NaN);
  const difference = (what: keyof Cost) => ms(overRounds(costs, (cost) => cost('checksum')[what] - cost('careful')[what]));
  const findings: Finding[] = [
    {
      what: 'execute, checksum, over the same shell pipeline: wall',
      limit: 1.05,
      figure: over('checksum', 'careful', 'wall'),
      seen: `${wall('checksum')} and ${wall('careful')}: ${difference('wall')} more; without reading again ${over('bare', 'shell', 'wall').toFixed(2)}`,
      whenMissed:
        'most of what is added does not grow with the database: the start of Node, finding the programs, conditions, an exported snapshot, manifest and ledger with their syncs; compare the difference in ms. Node joins programs by pairs of sockets, which cost some 5 % more CPU than the pipes of a shell',
    },
    {
      what: 'execute, checksum, over the same shell pipeline: CPU',
      limit: 1.05,
      figure: over('checksum', 'careful', 'cpu'),
      seen: `${difference('cpu')} more; without reading again ${over('bare', 'shell', 'cpu').toFixed(2)}`,
      whenMissed:
        'the start of Node and its packages, about half a second of CPU whatever the size; and sockets in place of pipes, some 5 %',
    },
    {
      what: 'archive check on top, over the floor',
      limit: 0.8,
      figure: onTop('archive', 'wall'),
      seen: `${wall('archive')}, ${wall('bare')} without, floor ${wall('floor')}; CPU ${onTop('archive', 'cpu').toFixed(2)}`,
      whenMissed: 'pg_restore writes the whole archive as SQL text to nowhere, which is what proves that it can be read',
    },
    {
      what: 'execute by default over pg_dump -Fc: wall',
      limit: 0.35,
      figure: over('whole', 'gzip', 'wall'),
      seen: `${wall('whole')} and ${wall('gzip')}`,
      whenMissed: 'the smaller the database, the more the fixed cost of a start weighs',
    },
    {
      what: 'execute without the archive check over pg_dump -Fc: wall',
      limit: 0.2,
      figure: over('counts', 'gzip', 'wall'),
      seen: wall('counts'),
      whenMissed: 'the smaller the database, the more the fixed cost of a start weighs',
    },
    { what: 'execute by default over pg_dump -Fc: bytes', limit: 1, figure: bytes, whenMissed: 'zstd level 1 against gzip level 6' },
    {
      what: 'execute with zstd and encryption over the floor: wall',
      limit: 1.6,
      figure: over('sealed', 'floor', 'wall'),
      seen: `${wall('sealed')}; CPU ${over('sealed', 'floor', 'cpu').toFixed(2)}; without encryption ${over('bare', 'floor', 'wall').toFixed(2)}`,
      whenMissed: 'zstd and the cipher want the cores that pg_dump and the server have',
    },
    {
      what: 'fingerprint counts on top, over the floor',
      limit: 0.15,
      figure: onTop('counts', 'wall'),
      seen: `CPU ${onTop('counts', 'cpu').toFixed(2)}`,
      whenMissed: 'the counts run beside the dump in a session of their own, on cores that dump and zstd want too',
    },
  ];
  clear();
  const peak = await peakMemory(ours('execute', '--force'), where);
  findings.push({
    what: 'peak memory of execute by default',
    limit: 100,
    figure: peak / 1e6,
    unit: 'MB',
    whenMissed: 'Node and its packages',
  });
  const verify = (level: string) => () => timed([process.execPath, ...ours('verify', 'latest', '--level', level)], where);
  const proofs = await alternate({ archive: verify('archive'), restore: verify('restore') }, round.rounds, round.say);
  findings.push({
    what: 'verify --level archive over --level restore: wall',
    limit: 0.2,
    figure: overRounds(proofs, (cost) => cost('archive').wall / cost('restore').wall),
    seen: `${ms(median(proofs.archive.map((cost) => cost.wall)))} and ${ms(median(proofs.restore.map((cost) => cost.wall)))}`,
    whenMissed: 'at small sizes starting Node weighs; a restore is dearer the more indexes there are',
  });
  return findings;
}
