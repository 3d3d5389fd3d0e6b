/**
 * test: E3: many backups are started at once, the first ones ever in their project; no more run than may.
 */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { count } from '../fixtures/counts.js';
import { startCluster } from '../../src/system/postgres/cluster.js';
import { serverPrograms, sql } from '../fixtures/database.js';
import { shimDirectory, type ShimDirectory } from '../fixtures/shims.js';
import { until } from './processes.js';
import { afterwards, openRig } from './rig.js';

test('E3: no more backups at once than maxConcurrentBackups', async ({ task }) => {
  // a server of its own: its places count for everyone who backs up there
  const cluster = await startCluster({ programs: await serverPrograms() });
  const names = ['shop', 'second', 'third'];
  await sql(cluster.url('postgres'), names.map((name) => `CREATE DATABASE ${name};`).join('\n'));
  const databases = Object.fromEntries(names.map((name) => [name, { url: cluster.url(name) }]));
  const shop = { url: cluster.url('shop'), name: 'shop', drop: async () => {} };
  const rig = openRig(shop, { settings: { databases, conditions: { maxConcurrentBackups: 2, minDiskSpace: 0 } } });
  const log = join(rig.directory, 'dumps.log');
  // a dump that tells when it begins and ends, and lasts until its folder is released
  const counted = (real: string) =>
    `#!/bin/sh\ncase "$1" in --version|-V) exec '${real}' "$@";; esac\necho + >>'${log}'\nwhile [ -d "\${0%/*}" ] && [ ! -e "\${0%/*}/released" ]; do sleep 0.05; done\n'${real}' "$@"; status=$?\necho - >>'${log}'\nexit $status\n`;
  const folders: ShimDirectory[] = [];
  try {
    const rounds = count(1, 3);
    const processes = count(6, 50);
    const exits: (number | null)[] = [];
    for (let round = 0; round < rounds; round += 1) {
      const shims = shimDirectory({ pg_dump: counted });
      folders.push(shims);
      let refused = 0;
      const started = Array.from({ length: processes }, (_, index) =>
        rig.execute({}, '--database', names[index % names.length] ?? '', '--set', `clientDirectory=${shims.directory}`),
      );
      for (const one of started) void one.then(({ exitCode }) => (refused += exitCode === 75 ? 1 : 0));
      await until('all but two were refused', () => refused === processes - 2);
      shims.release();
      exits.push(...(await Promise.all(started)).map(({ exitCode }) => exitCode));
    }
    let [running, most] = [0, 0];
    for (const line of readFileSync(log, 'utf8').split('\n')) {
      running += line === '+' ? 1 : line === '-' ? -1 : 0;
      most = Math.max(most, running);
    }
    expect(new Set(exits)).toEqual(new Set([0, 75]));
    expect(most).toBe(2);
    const violations = await afterwards(rig);
    const done = exits.filter((code) => code === 0).length;
    const { events } = await rig.events();
    expect(events.filter(({ status }) => status === 'completed')).toHaveLength(done + names.length);
    task.meta.score = {
      row: 'E3',
      what: 'many at once, 2 may',
      n: exits.length,
      violations,
      figures: `${most} at once, ${done} backed up`,
    };
    expect(violations).toEqual([]);
  } finally {
    for (const folder of folders) folder.remove();
    rig.cleanup();
    await cluster.stop();
  }
});
