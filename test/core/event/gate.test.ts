/**
 * test: the gate: it waits as long as it may and no longer, and lets nothing through that does not hold. At a clock that costs no time.
 */
import { setImmediate as turn } from 'node:timers/promises';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { Context } from '../../../src/core/context.js';
import { execute } from '../../../src/core/execute.js';
import { Failure } from '../../../src/model/errors.js';
import type { BackupEvent } from '../../../src/model/events/event.js';
import { unmeasured, type Measurement } from '../../../src/model/moment/measurement.js';
import { systemClock } from '../../../src/system/clock.js';
import { fakeEngine, yields } from '../../fakes/engine.js';
import { memoryStorage } from '../../fakes/storage.js';
import { byHand, inProcess, lab, type Lab } from '../../fixtures/lab.js';

let project: Lab;
beforeEach(() => {
  project = lab({ shop: { host: 'nowhere.invalid' } }, { compression: 'none', healthCheckBeforeBackup: true });
});
afterEach(() => project.cleanup());

const minute = 60_000;

/** A context whose time passes only by sleeping, and whose server answers what `measured` says at a time, in ms since the start. */
async function contextOf(measured: (at: number) => Partial<Measurement>, signal?: AbortSignal) {
  let now = 0;
  const slept: number[] = [];
  const steps: BackupEvent[] = [];
  const start = Date.parse('2026-03-01T12:00:00Z');
  const dump = yields(() => [Buffer.from('PGDMP')]);
  const base = await inProcess(project, [], signal);
  const context: Context = {
    ...base,
    storages: [memoryStorage('near')],
    engine: { ...fakeEngine(dump), measure: async () => ({ ...unmeasured, connections: 1, maxConnections: 100, ...measured(now) }) },
    clock: {
      now: () => new Date(start + now),
      monotonic: () => now,
      sleep: async (ms, given) => {
        // the watch over bytes has a signal of its own, and its time is the machine's
        if (given !== base.signal) return systemClock.sleep(ms, given);
        await turn();
        given.throwIfAborted();
        slept.push(ms);
        now += ms;
      },
    },
    announce: (progress) => progress.kind === 'event' && steps.push(progress.event),
  };
  return { context, slept, steps, now: () => now };
}

const busyUntil = (until: number) => (at: number) => ({ connections: at < until ? 95 : 5 });

describe('waiting', () => {
  it('goes on as soon as the load falls, having said once what it waits for', async () => {
    const { context, steps, now } = await contextOf(busyUntil(10 * minute));
    const { events, failure } = await execute(context, { ...byHand, wait: 60 * minute });
    expect(failure).toBeNull();
    expect(events).toMatchObject([{ status: 'completed', metadata: { databaseLoad: 5 } }]);
    expect(now()).toBeGreaterThanOrEqual(10 * minute);
    expect(now()).toBeLessThanOrEqual(10 * minute + 15_000);
    expect(steps.map(({ status }) => status)).toEqual(['pending', 'pending', 'running', 'completed']);
    expect(steps[1]?.reasons).toEqual([expect.stringContaining('95 of 100 connections')]);
  });

  it('gives up at the deadline, after a last look', async () => {
    const { context, slept, now } = await contextOf(busyUntil(40_000));
    const { events, failure } = await execute(context, { ...byHand, wait: 40_000 });
    expect({ failure, status: events[0]?.status, at: now() }).toEqual({ failure: null, status: 'completed', at: 40_000 });
    expect(slept.slice(0, 3)).toEqual([15_000, 15_000, 10_000]);
    const late = await contextOf(busyUntil(40_001));
    const given = await execute(late.context, { ...byHand, wait: 40_000 });
    expect(given.failure).toMatchObject({ code: 'not-now', exit: 75 });
    expect(given.events).toMatchObject([{ status: 'cancelled', reasons: [expect.stringContaining('load')] }]);
    expect(late.now()).toBe(40_000);
  });

  it('does not wait without --wait, nor for what no waiting changes', async () => {
    const without = await contextOf(busyUntil(1));
    expect((await execute(without.context, byHand)).failure?.exit).toBe(75);
    const off = await contextOf(() => ({}));
    const disabled = { ...off.context, settings: { ...off.context.settings, enabled: false } };
    const { events } = await execute(disabled, { ...byHand, wait: Infinity });
    expect(events).toMatchObject([{ status: 'cancelled', reasons: [expect.stringContaining('enabled')] }]);
    expect([without.slept, off.slept]).toEqual([[], []]);
  });

  it('waits for a place without end when it may, and takes it when it is free', async () => {
    const { context, steps, now } = await contextOf(() => ({}));
    const limit = context.settings.conditions.maxConcurrentBackups;
    const taken = await Promise.all(Array.from({ length: limit }, () => context.locks.claimPlace(limit)));
    const freeing: Context = {
      ...context,
      clock: {
        ...context.clock,
        sleep: async (ms, signal) => {
          await context.clock.sleep(ms, signal);
          if (now() > 2 * minute) taken.forEach((place) => place?.release());
        },
      },
    };
    expect((await execute(freeing, { ...byHand, wait: Infinity })).events).toMatchObject([{ status: 'completed' }]);
    expect(steps[1]?.reasons).toEqual([expect.stringContaining('maxConcurrentBackups')]);
    expect(await context.locks.placesTaken(limit)).toBe(0);
  });

  it('holds its place until its backup is made, and gives it back when it is refused one on the server', async () => {
    const { context } = await contextOf(() => ({}));
    const { locks, engine } = context;
    const taken: number[] = [];
    const probe: typeof engine.probe = async (database) => {
      taken.push(await locks.placesTaken(2));
      return engine.probe(database);
    };
    expect((await execute({ ...context, engine: { ...engine, probe } }, byHand)).failure).toBeNull();
    expect([taken, await locks.placesTaken(2)]).toEqual([[1], 0]);
    const claim: typeof engine.claim = async () => ({ refused: 'another host has it' });
    const { events } = await execute({ ...context, engine: { ...engine, claim } }, byHand);
    expect(events).toMatchObject([{ status: 'cancelled', reasons: ['concurrency: another host has it'] }]);
    expect(await locks.placesTaken(2)).toBe(0);
  });

  it('ends at once when it is asked to stop', async () => {
    const stop = new AbortController();
    const { context } = await contextOf((at) => {
      if (at > 2 * minute) stop.abort(new Failure('interrupted', 'interrupted by SIGTERM', { exit: 143 }));
      return { connections: 95 };
    }, stop.signal);
    const { events, failure } = await execute(context, { ...byHand, wait: Infinity });
    expect(failure?.exit).toBe(143);
    expect(events).toMatchObject([{ status: 'cancelled' }]);
    expect(await context.locks.placesTaken(2)).toBe(0);
  });
});

describe('what it lets through', () => {
  it('a load that cannot be measured is let through with a warning', async () => {
    const { context } = await contextOf(() => ({ connections: null, unknown: { connections: 'no answer' } }));
    const { events } = await execute(context, byHand);
    expect(events).toMatchObject([
      {
        status: 'completed',
        warnings: expect.arrayContaining([expect.stringContaining('no answer')]) as string[],
        metadata: { databaseLoad: null },
      },
    ]);
  });

  it('with a fifth more room than the last backup took, and with no byte less', async () => {
    const { context } = await contextOf(() => ({}));
    const [near] = context.storages;
    if (!near) throw new Error('no storage');
    const first = await execute(context, byHand);
    const stored = first.events[0]?.result?.size ?? 0;
    expect(stored).toBeGreaterThan(0);
    const settings = { ...context.settings, conditions: { ...context.settings.conditions, minDiskSpace: 0 } };
    const enough = Math.ceil(stored * 1.2);
    for (const [freeBytes, status] of [
      [enough - 1, 'cancelled'],
      [enough, 'completed'],
    ] as const) {
      const probe = async () => ({ ...(await near.probe()), freeBytes });
      const { events } = await execute(
        { ...context, settings, storages: [Object.assign(Object.create(near) as typeof near, { probe })] },
        byHand,
      );
      expect(events).toMatchObject([{ status }]);
    }
  });

  it('an event that passes by the load passes by it, and a failing health check fails it as busy', async () => {
    const { context } = await contextOf(busyUntil(Infinity));
    const load = await execute(context, { ...byHand, passBy: ['load'] });
    expect(load.events).toMatchObject([{ status: 'failed', result: { code: 'health-check', class: 'busy' } }]);
    expect(load.failure?.exit).toBe(20);
    const both = await execute(context, { ...byHand, passBy: ['load', 'health'] });
    expect(both.events).toMatchObject([{ status: 'completed' }]);
  });

  it('a value equal to its limit', async () => {
    const { context } = await contextOf(() => ({ connections: 80 }));
    expect((await execute(context, byHand)).events).toMatchObject([{ status: 'completed', metadata: { databaseLoad: 80 } }]);
  });
});

describe('retries', () => {
  it('wait retryDelay, doubled each time, and end at maxRetries or the deadline, whichever is first', async () => {
    const down = async () => {
      throw new Failure('connection', 'no server');
    };
    const { context, now } = await contextOf(() => ({}));
    const away: Context = { ...context, random: () => 0, engine: { ...context.engine, measure: down } };
    const all = await execute(away, { ...byHand, wait: Infinity });
    expect(all.events.map(({ attempt, status, type }) => [attempt, status, type])).toEqual([
      [1, 'failed', 'manual'],
      [2, 'failed', 'retry'],
      [3, 'failed', 'retry'],
      [4, 'failed', 'retry'],
    ]);
    expect(now()).toBe((30 + 60 + 120) * minute);
    expect(all.failure).toMatchObject({ code: 'connection', exit: 20 });
    const short = await execute(away, { ...byHand, wait: 31 * minute });
    expect(short.events).toHaveLength(2);
    expect(short.failure?.hint).toContain('--due');
  });

  it('are not made of what cannot succeed by repeating', async () => {
    const { context } = await contextOf(() => ({}));
    for (const code of ['authentication', 'no-database', 'client-too-old', 'permission'] as const) {
      const refused = async () => {
        throw new Failure(code, code);
      };
      const { events } = await execute({ ...context, engine: { ...context.engine, probe: refused } }, { ...byHand, wait: Infinity });
      expect(events).toMatchObject([{ status: 'failed', attempt: 1, result: { code } }]);
    }
  });
});
