/**
 * faults: many processes find the same dead event at once, some of them killed while they end it; and a machine that was started anew.
 */
import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { expect, test } from 'vitest';
import { isTerminal } from '../../src/model/events/event.js';
import { openLocks } from '../../src/system/files/lock.js';
import { bundle } from '../fixtures/bundle.js';
import { count } from '../fixtures/counts.js';
import { cloneDatabase } from '../fixtures/database.js';
import { eventId, live, readAll, temporaryState } from '../fixtures/ledger.js';
import { openRig } from './rig.js';

const source = `
import { reconcile } from './src/core/history/reconcile.js';
import { openLedger } from './src/system/ledger/ledger.js';
import { openLocks } from './src/system/files/lock.js';
import { systemClock } from './src/system/clock.js';
const [state] = process.argv.slice(2);
const nothing = () => {};
process.stdout.write('begun');
await reconcile({ ledger: openLedger(state, { clock: systemClock }), locks: openLocks(state), storages: [], schedules: {}, signer: {},
  log: nothing, announce: nothing, clock: systemClock, process: { host: 'here' } });
`;

test('A16: ten reconcilers at once, some killed: exactly one end of a dead event', { timeout: 3_600_000 }, async ({ task }) => {
  const program = await bundle(source);
  const rounds = count(3, 50);
  const violations: string[] = [];
  let killed = 0;
  for (let round = 0; round < rounds; round += 1) {
    const temporary = temporaryState();
    const lock = await openLocks(temporary.state).claimEvent(eventId(1));
    await live(temporary.ledger(), 1, 'running', { pid: 4711 });
    lock?.release();
    const processes = await Promise.all(
      Array.from({ length: 10 }, async (_, index) => {
        const child = spawn(process.execPath, [program.file, temporary.state], { stdio: ['ignore', 'pipe', 'inherit'] });
        const closed = once(child, 'close');
        await once(child.stdout, 'data');
        if (index % 3 !== 0) return closed;
        await sleep((round * 7 + index * 5) % 40);
        child.kill('SIGKILL');
        await closed;
        killed += child.signalCode === 'SIGKILL' ? 1 : 0;
        return closed;
      }),
    );
    expect(processes).toHaveLength(10);
    spawnSync(process.execPath, [program.file, temporary.state]);
    const { lines, damage } = await readAll(temporary.ledger());
    const ends = lines.filter(({ record }) => record.record === 'event' && isTerminal(record.status)).length;
    const left = readdirSync(join(temporary.state, 'run'));
    if (ends !== 1 || left.length > 0 || damage.corruptLines > 0) violations.push(`round ${round}: ${ends} ends, left ${left.join()}`);
    temporary.remove();
  }
  program.remove();
  task.meta.score = { row: 'A16', what: 'ten reconcilers of one dead event', n: rounds, violations, figures: `${killed} killed` };
  expect(violations).toEqual([]);
});

const bootId = '/proc/sys/kernel/random/boot_id';
const noMounts = spawnSync('unshare', ['-m', 'sh', '-c', `mount --bind /dev/null ${bootId}`]).status !== 0;

test.skipIf(noMounts)(
  'A11: after a reboot, with its pid alive as another process, a dead event ends (needs root)',
  { timeout: 900_000 },
  async ({ task }) => {
    const database = await cloneDatabase('empty');
    const rig = openRig(database, { settings: { fingerprint: 'none' } });
    const violations: string[] = [];
    const rounds = count(1, 20);
    try {
      expect(await rig.execute()).toMatchObject({ exitCode: 0 });
      writeFileSync(join(rig.directory, 'boot'), '00000000-0000-4000-8000-000000000000\n');
      const context = await rig.context();
      const [known] = (await rig.events()).events;
      if (!known) throw new Error('nothing to start from');
      const { result: _result, ...rest } = known;
      for (let round = 0; round < rounds; round += 1) {
        const dead = { ...rest, id: context.newId(), status: 'pending', pid: process.pid } as const;
        await context.ledger.appendEvent(dead);
        await context.ledger.appendEvent({ ...dead, status: 'running' });
        // a reboot leaves the files, and no lock on them
        writeFileSync(join(rig.state, 'run', `${dead.id}.lock`), '');
        const under = ['unshare', '-m', 'sh', '-c', `mount --bind '${join(rig.directory, 'boot')}' ${bootId} && exec "$0" "$@"`];
        await rig.run(['health', '--json'], { under });
        const end = await context.ledger.find(dead.id);
        if (end?.status !== 'failed' || end.result?.code !== 'interrupted') violations.push(`round ${round}: ${end?.status}`);
      }
    } finally {
      rig.cleanup();
      await database.drop();
    }
    task.meta.score = { row: 'A11', what: 'another boot, the old pid alive', n: rounds, violations };
    expect(violations).toEqual([]);
  },
);
