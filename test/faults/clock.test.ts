/**
 * faults: the clock is set while a backup runs, by libfaketime: the wall clock alone, for what counts time never goes back.
 */
import { existsSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { startCli } from '../fixtures/cli.js';
import { count } from '../fixtures/counts.js';
import { cloneDatabase } from '../fixtures/database.js';
import { shim, shimDirectory } from '../fixtures/shims.js';
import { until } from './processes.js';
import { openRig } from './rig.js';

const library = ['x86_64', 'aarch64'].map((machine) => `/usr/lib/${machine}-linux-gnu/faketime/libfaketimeMT.so.1`).find(existsSync);

const cases = [
  ['-1 h', -3600, 'back by 1h'],
  ['+1 h', 3600, 'forward by 1h'],
  ['+10 y', 10 * 365 * 86_400, 'forward by '],
] as const;

test.skipIf(!library).each(cases.slice(-count(1, 3)))(
  'F1: the clock is set by %s during a backup: it completes, its duration is right, nothing is removed (needs faketime)',
  async (_name, seconds, said) => {
    const database = await cloneDatabase('empty');
    const rig = openRig(database, { settings: { fingerprint: 'none' } });
    const shims = shimDirectory({ pg_dump: shim.slow(3) });
    try {
      for (const _ of [1, 2]) expect(await rig.execute()).toMatchObject({ exitCode: 0 });
      const clock = join(rig.directory, 'clock');
      writeFileSync(clock, '+0');
      const env = {
        ...rig.env,
        LD_PRELOAD: library ?? '',
        FAKETIME_TIMESTAMP_FILE: clock,
        FAKETIME_NO_CACHE: '1',
        FAKETIME_DONT_FAKE_MONOTONIC: '1',
      };
      const words = ['execute', '--force', '--json', '--set', `clientDirectory=${shims.directory}`, '--set', 'retention.keepLast=1'];
      const { done } = startCli([...words, '--set', 'retention.minimum=1'], { cwd: rig.directory, env });
      await until('it runs', async () => (await rig.events()).events.some(({ status }) => status === 'running'));
      writeFileSync(clock, `${seconds > 0 ? '+' : ''}${seconds}`);
      const { exitCode, stdout, stderr } = await done;
      expect({ exitCode, stderr }).toMatchObject({ exitCode: 0 });
      const [event] = (JSON.parse(stdout) as { events: { status: string; result: { duration: number }; warnings: string[] }[] }).events;
      expect(event).toMatchObject({ status: 'completed', warnings: expect.arrayContaining([expect.stringContaining(said)]) as string[] });
      expect(event?.result.duration).toBeGreaterThan(1000);
      expect(event?.result.duration).toBeLessThan(300_000);
      expect((await rig.catalog()).backups).toHaveLength(3);
    } finally {
      shims.remove();
      rig.cleanup();
      await database.drop();
    }
  },
  180_000,
);
