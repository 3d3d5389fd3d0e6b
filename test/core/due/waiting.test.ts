/**
 * test: what becomes of a slot whose conditions do not hold until its deadline, and of one whose run before is still under way.
 */
import { afterEach, expect, it } from 'vitest';
import { execute } from '../../../src/core/execute.js';
import { listEvents } from '../../../src/core/history/events.js';
import { Failure } from '../../../src/model/errors.js';
import type { BackupEvent } from '../../../src/model/events/event.js';
import { byHand } from '../../fixtures/lab.js';
import { simulate, type Simulation, type Weather } from '../../fixtures/simulation.js';

const minute = 60_000;
const start = Date.UTC(2026, 2, 15, 1, 50);
const busy: Weather = { machine: true, server: true, load: 95, dumpFails: false };

let simulation: Simulation;
afterEach(() => simulation.close());

/** Every ten minutes until so many have passed. */
async function pass(minutes: number): Promise<BackupEvent[]> {
  const end = simulation.now().getTime() + minutes * minute;
  for (let at = simulation.now().getTime(); at <= end; at += 10 * minute) {
    simulation.set(Math.max(at, simulation.now().getTime()));
    await simulation.tick();
  }
  return [...(await listEvents(simulation.context, { limit: 50 })).events];
}
const daily = (more: object) => ({ schedules: { daily: { cron: '0 2 * * *', maxWait: 60, ...more } } });

it('skip: cancelled at the deadline, telling what it waited for', async () => {
  simulation = await simulate(start, daily({}), () => busy);
  expect(await pass(60)).toMatchObject([{ status: 'pending', reasons: [expect.stringMatching(/^load: /)] }]);
  expect(await pass(30)).toMatchObject([
    { status: 'cancelled', reasons: [expect.stringMatching(/^deadline: .*03:00/), expect.stringMatching(/^load: /)] },
  ]);
  let lines = 0;
  for await (const { record } of simulation.context.ledger.read()) if (record.record === 'event') lines += 1;
  expect(lines).toBe(3);
});

it('run: passes by the load at the deadline, and says so', async () => {
  simulation = await simulate(start, daily({ onDeadline: 'run' }), () => busy);
  expect(await pass(100)).toMatchObject([{ status: 'completed', passBy: ['window', 'load'] }]);
});

it('fail: failed, and not tried again', async () => {
  simulation = await simulate(start, daily({ onDeadline: 'fail' }), () => busy);
  expect(await pass(300)).toMatchObject([{ status: 'failed', result: { error: expect.stringContaining('deadline: ') as string } }]);
});

it('without intelligent scheduling it does not wait', async () => {
  simulation = await simulate(start, { ...daily({}), intelligentScheduling: false }, () => busy);
  expect(await pass(20)).toMatchObject([{ status: 'cancelled' }]);
});

it('a retry waits for its conditions while the window is open, and is cancelled outside of it', async () => {
  let weather: Weather = { ...busy, load: 10, dumpFails: true };
  const settings = { ...daily({}), backupWindow: { start: '01:00', end: '03:00' }, retryDelay: 20 };
  simulation = await simulate(start, settings, () => weather);
  expect(await pass(20)).toMatchObject([{ status: 'pending', type: 'retry' }, { status: 'failed' }]);
  weather = busy;
  expect(await pass(40)).toMatchObject([{ status: 'pending', reasons: [expect.stringMatching(/^load: /)] }, {}]);
  expect(await pass(40)).toMatchObject([{ status: 'cancelled', type: 'retry', attempt: 2 }, { status: 'failed' }]);
});

it.each([
  ['wait', 'pending'],
  ['skip', 'cancelled'],
] as const)('F9: a run that outlives its slot: the next one, by overlap %s, is %s', async (overlap, status) => {
  const more = { cron: '0 * * * *', maxWait: 300, overlap };
  simulation = await simulate(start, { schedules: { hourly: more } }, () => ({ ...busy, load: 10 }));
  const { context } = simulation;
  await simulation.tick();
  simulation.set(start + 15 * minute);
  const id = context.newId();
  const before: BackupEvent = {
    id,
    type: 'scheduled',
    scheduleId: 'hourly',
    trigger: 'schedule',
    timestamp: simulation.now().toISOString(),
    status: 'pending',
    metadata: { databaseLoad: null, diskSpace: null, concurrentBackups: null },
    database: 'shop',
    attempt: 1,
    host: context.process.host,
    pid: 1,
  };
  const lock = await context.locks.claimEvent(id);
  await context.ledger.appendEvent(before);
  await context.ledger.appendEvent({ ...before, status: 'running' });
  const [next] = await pass(5);
  expect(next).toMatchObject({ status, reasons: [expect.stringContaining(`overlap: shop is still being backed up by event ${id}`)] });
  await context.ledger.appendEvent({ ...before, status: 'failed' });
  lock?.retire();
  const [later] = await pass(10);
  expect(later?.status).toBe(overlap === 'wait' ? 'completed' : 'cancelled');
});

it('--wait: a cluster whose server was away gets the backups of its databases in the same process', async () => {
  simulation = await simulate(start, { schedules: {}, retryDelay: 0 }, () => ({ ...busy, load: 10 }));
  let looks = 0;
  const members = async () => {
    looks += 1;
    if (looks < 3) throw new Failure('connection', 'connection refused');
    return ['shop--a', 'shop--b'].map((name) => ({ name, entry: 'shop', connection: null }));
  };
  const context = { ...simulation.context, engine: { ...simulation.context.engine, members } };
  const { events, failure } = await execute(context, { ...byHand, wait: 60 * minute });
  expect(events.map(({ database, attempt, status }) => [database, attempt, status])).toEqual([
    ['shop', 1, 'failed'],
    ['shop', 2, 'failed'],
    ['shop--a', 3, 'completed'],
    ['shop--b', 3, 'completed'],
  ]);
  expect(failure).toBeNull();
  expect((await listEvents(context, { limit: 9, status: 'pending' })).events).toEqual([]);
});
