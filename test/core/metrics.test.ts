/** core/metrics: what is told of backups that were made, lost, proven, cut off; real ledger, locks and folder, the clock is ours. */
import { mkdirSync, renameSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { z } from 'zod';
import type { Context } from '../../src/core/context.js';
import { health } from '../../src/core/health.js';
import { openMetrics, type Metrics } from '../../src/core/metrics.js';
import { Failure } from '../../src/model/errors.js';
import { exposition } from '../../src/model/metrics/exposition.js';
import { scheduleSchema, settingsShape } from '../../src/model/settings/settings.js';
import type { Storage } from '../../src/model/roles/storage.js';
import { systemClock } from '../../src/system/clock.js';
import { openLedger } from '../../src/system/ledger/ledger.js';
import { openMemory } from '../../src/system/files/memory.js';
import { makeEvent } from '../fixtures/ledger.js';
import { readExposition } from '../fixtures/exposition.js';
import { stock, type Stock } from '../fixtures/stock.js';

const day = 86_400_000;
const start = Date.UTC(2026, 0, 1, 2);
const settings = z.strictObject(settingsShape).parse({ timezone: 'UTC', conditions: { minDiskSpace: 1 }, health: { maxRestoreTime: 10 } });
const daily = scheduleSchema.parse({ cron: '0 2 * * *', databases: ['shop'], retention: { keepLast: 7 } });

let stocked: Stock;
beforeEach(() => (stocked = stock({ keepLast: 7, minimum: 3 }, start)));
afterEach(() => stocked.remove());

/** How long storages are waited for, ms. */
let patience = 60_000;
afterEach(() => (patience = 60_000));

const notAsked = async (): Promise<never> => {
  throw new Error('a database was asked');
};

function contextWith(more: Partial<Context> = {}): Context {
  return {
    ...stocked.context,
    settings,
    schedules: { daily },
    channels: [],
    routes: {},
    schedulers: [],
    ticks: () => ({ last: new Date(start + 5 * day), gaps: [] }),
    alertMemory: openMemory(stocked.state, 'alerts.json'),
    metricsMemory: openMemory(stocked.state, 'metrics.json'),
    engine: { members: notAsked, measure: notAsked, probe: notAsked, access: notAsked },
    clock: { ...stocked.context.clock, sleep: (_ms: number, signal?: AbortSignal) => systemClock.sleep(patience, signal) },
    ...more,
  } as unknown as Context;
}

/** `name{labels}` in short, with the values. */
async function look(context: Context, metrics: Metrics = openMetrics(context)): Promise<Record<string, number>> {
  const families = readExposition(exposition(await metrics.families()));
  const told = Object.fromEntries(
    families.flatMap(({ samples }) =>
      samples.map(({ name, labels, value }) => [[name.slice('backup_automation_'.length), ...Object.values(labels)].join(' '), value]),
    ),
  );
  // others use the disk too
  const { 'target_free_bytes local': _free, ...rest } = told;
  return rest;
}

const seconds = (ms: number) => ms / 1000;
const verification = {
  record: 'verification',
  database: 'shop',
  storage: 'local',
  ok: true,
  detail: '',
  duration: 90_000,
  size: 5,
} as const;

describe('metrics', () => {
  it('tell of backups that were made: when, how long, how large, how far proven, by when the next', async () => {
    for (const k of [0, 1, 2]) await stocked.add(k);
    stocked.after(2);
    await stocked.context.ledger.appendFact({ ...verification, backupId: stocked.id(1), level: 'restore' });
    const told = await look(contextWith());
    expect(told).toMatchObject({
      'backup_last_success_timestamp_seconds daily shop': seconds(start + 2 * day),
      'backup_last_attempt_timestamp_seconds daily shop': seconds(start + 2 * day),
      'backup_last_attempt_success daily shop': 1,
      // the window of the next day closes at 06:01, and an hour is given for the backup itself
      'backup_expected_timestamp_seconds daily shop': seconds(Date.UTC(2026, 0, 4, 7, 1)),
      'backup_next_run_timestamp_seconds daily shop': seconds(Date.UTC(2026, 0, 4, 2)),
      'backup_runs_total daily shop completed': 3,
      'backup_runs_total daily shop failed': 0,
      'backup_runs_total (none) shop completed': 0,
      'backup_duration_seconds_count daily shop': 3,
      'backup_size_bytes daily shop': 5,
      'backup_source_size_bytes daily shop': 1000,
      'backup_verified_level daily shop': 2,
      'backup_last_verified_timestamp_seconds shop archive': seconds(start + 2 * day + 3_600_000),
      'backup_last_verified_timestamp_seconds shop restore': seconds(start + 2 * day + 3_600_000),
      'restore_test_duration_seconds shop': 90,
      restore_limit_seconds: 600,
      'retention_backups daily shop local': 3,
      'retention_backups (none) shop local': 0,
      'target_up local': 1,
      'target_min_free_bytes local': 1e9,
      'missing_copies local': 0,
      scheduler_last_tick_timestamp_seconds: seconds(start + 5 * day),
      active_backups: 0,
      health_status: 0,
    });
  });

  it('go back to the last good one when the newest is suspect, fails, or is gone from the storage', async () => {
    for (const k of [0, 1]) await stocked.add(k);
    await stocked.add(2, { suspect: ['it is far smaller'] });
    const failed = makeEvent(900, 'failed', { scheduleId: 'daily' });
    await stocked.context.ledger.appendEvent({ ...failed, status: 'pending' });
    await stocked.context.ledger.appendEvent(failed);
    expect(await look(contextWith())).toMatchObject({
      'backup_last_success_timestamp_seconds daily shop': seconds(start + day),
      'backup_last_attempt_success daily shop': 0,
      'backup_suspect daily shop': 1,
      'backup_runs_total daily shop completed': 3,
      'backup_runs_total daily shop failed': 1,
      health_status: 1,
    });
    for (const k of [0, 1, 2]) rmSync(join(stocked.store, 'shop', stocked.id(k)), { recursive: true });
    stocked.after(3);
    expect(await look(contextWith())).toMatchObject({
      'backup_last_success_timestamp_seconds daily shop': 0,
      'backup_runs_total daily shop completed': 3,
    });
  });

  it('show what runs, waits, is tried again, and what a dead process left', async () => {
    const { ledger, locks } = stocked.context;
    const open = async (k: number, more: object, ...states: readonly ('pending' | 'running')[]) => {
      for (const status of states) await ledger.appendEvent(makeEvent(k, status, { scheduleId: 'daily', ...more }));
    };
    const lock = await locks.claimEvent(makeEvent(1, 'running').id);
    await open(1, {}, 'pending', 'running');
    await open(2, { pid: 2 ** 22 + 1 }, 'pending', 'running');
    await open(3, { type: 'retry', notBefore: '2026-02-01T00:00:00.000Z' }, 'pending');
    await open(4, { slot: 'a', reasons: ['load: 90 %'] }, 'pending');
    const told = await look(contextWith());
    lock?.release();
    expect(told).toMatchObject({
      active_backups: 1,
      interrupted_backups: 1,
      'backup_running daily shop': 1,
      'backup_retry_pending daily shop': 1,
      'backup_waiting daily shop': 1,
      'backup_deferred_total daily shop load': 1,
      'backup_runs_total daily shop failed': 0,
    });
    // only looked at
    expect(await ledger.find(makeEvent(2, 'running').id)).toMatchObject({ status: 'running' });
  });

  it('answer in time when a storage hangs, and say what they do not know', async () => {
    for (const k of [0, 1]) await stocked.add(k);
    patience = 1500;
    const never = new Promise<never>(() => {});
    const hung: Partial<Storage> = { ...stocked.storage, name: 'far', kind: 'local', required: false, probe: () => never };
    const gone: Partial<Storage> = {
      ...hung,
      name: 'gone',
      probe: async () => {
        throw new Failure('storage-marker', 'it is not mounted');
      },
    };
    const told = await look(contextWith({ storages: [hung, gone, stocked.storage] as Storage[] }));
    expect(told).toMatchObject({
      'target_up far': 0,
      'target_up gone': 0,
      'target_up local': 1,
      'target_free_bytes far': Number.NaN,
      'missing_copies gone': Number.NaN,
      'retention_backups daily shop far': Number.NaN,
      'retention_backups daily shop local': 2,
      health_status: 2,
    });
  });

  it('believe the ledger while the storages cannot be listed', async () => {
    for (const k of [0, 1]) await stocked.add(k);
    renameSync(stocked.store, `${stocked.store}-away`);
    mkdirSync(stocked.store);
    expect(await look(contextWith())).toMatchObject({
      'target_up local': 0,
      'backup_last_success_timestamp_seconds daily shop': seconds(start + day),
      'backup_size_bytes daily shop': 5,
      'backup_source_size_bytes daily shop': Number.NaN,
    });
    rmSync(`${stocked.store}-away`, { recursive: true });
  });

  it('judge health as `health` does, but for databases', async () => {
    const engine = {
      members: async () => [{ name: 'shop', entry: 'shop', connection: null }],
      measure: notAsked,
      probe: notAsked,
      access: async () => ({ role: '', serverMajor: 15, unreadable: [], largeObjects: { count: 0, first: [] } }),
    };
    const context = () => contextWith({ engine: engine as unknown as Context['engine'] });
    const ours = (checks: readonly { name: string; status: string }[]) =>
      checks.filter(({ name, status }) => name !== 'database' && (status === 'warning' || status === 'critical')).length;
    const same = async () => {
      const told = await look(context());
      const found = await health(context());
      expect(Number(told['health_issues warning']) + Number(told['health_issues critical'])).toBe(ours(found.checks));
      return ours(found.checks);
    };
    for (let k = 0; k < 5; k += 1) await stocked.add(k);
    expect(await same()).toBe(0);
    await stocked.context.ledger.appendFact({ ...verification, backupId: stocked.id(4), level: 'restore', ok: false });
    await stocked.context.ledger.appendFact({ ...verification, backupId: stocked.id(3), level: 'restore', duration: 3_600_000 });
    expect(await same()).toBeGreaterThan(1);
    stocked.after(9);
    expect(await same()).toBeGreaterThan(2);
  });
});

describe('the ledger is read once', () => {
  const many = async (from: number, count: number, ledger = openLedger(stocked.state, { clock: stocked.context.clock })) => {
    for (let k = from; k < from + count; k += 1) await ledger.appendFact({ record: 'configuration', key: String(k), by: 'test' });
  };

  it('by one that is asked again, also when several ask at once', async () => {
    const reads: (number | undefined)[] = [];
    const { ledger } = stocked.context;
    const watched = { ...ledger, read: (...[damage, from]: Parameters<typeof ledger.read>) => (reads.push(from?.offset), ledger.read(damage, from)) }; // prettier-ignore
    const context = contextWith({ ledger: watched });
    const metrics = openMetrics(context);
    await stocked.add(0);
    const [one, two] = await Promise.all([look(context, metrics), look(context, metrics)]);
    expect(one).toEqual(two);
    await stocked.add(1);
    expect(await look(context, metrics)).toMatchObject({ 'backup_runs_total daily shop completed': 2 });
    expect(reads.slice(0, 3)).toEqual([undefined, expect.any(Number), expect.any(Number)]);
    expect(await look(context, metrics)).toEqual(await look(context));
  });

  it('by the next process too, when there were many lines; what was remembered of another ledger is not believed', async () => {
    const kept: object[] = [];
    const memory = { recall: () => (kept.length > 0 ? JSON.parse(JSON.stringify(kept.at(-1))) : null) as unknown, keep: (content: object) => void kept.push(content) }; // prettier-ignore
    await stocked.add(0);
    const context = contextWith({ metricsMemory: memory });
    const lines = { ...context.ledger, read: fakeMany(context.ledger, 10_000) };
    const told = await look({ ...context, ledger: lines });
    expect(kept.length).toBe(1);
    // the next one begins behind what is remembered: there is nothing to read but the newest line
    expect(await look({ ...context, ledger: lines })).toEqual(told);
    expect(kept.length).toBe(1);
    rmSync(join(stocked.state, 'ledger'), { recursive: true });
    await many(0, 3);
    expect(await look(context)).toMatchObject({ 'backup_runs_total daily shop completed': 0 });
  });

  it('survives a memory that cannot be written or read', async () => {
    await stocked.add(0);
    const broken = {
      recall: () => ({ version: 1, tally: null }),
      keep: () => {
        throw new Failure('ledger', 'no');
      },
    };
    const context = contextWith({ metricsMemory: broken });
    expect(await look({ ...context, ledger: { ...context.ledger, read: fakeMany(context.ledger, 10_000) } })).toMatchObject({
      'backup_runs_total daily shop completed': 1,
    });
  });
});

/** The lines of a ledger, with so many that tell nothing before them when it is read from the beginning. */
function fakeMany(ledger: Context['ledger'], count: number): Context['ledger']['read'] {
  return async function* (damage, from) {
    if (!from)
      for (let offset = -count; offset < 0; offset += 1)
        yield { position: { segment: 0, offset }, record: { record: 'configuration', key: '', by: '', v: 1, at: '2026-01-01T00:00:00.000Z', prev: '' } }; // prettier-ignore
    yield* ledger.read(damage, from);
  };
}
