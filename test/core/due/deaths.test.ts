/**
 * test: E19: `execute --due` that dies at each append of its work, one after the other: no slot is lost and none runs twice; and a clock that
 * was ahead costs no slot but the one it ran.
 */
import { expect, test } from 'vitest';
import { account, simulate, type Simulation } from '../../fixtures/simulation.js';

const minute = 60_000;
const hour = 60 * minute;
const start = Date.UTC(2026, 2, 1);
const settings = { schedules: { hourly: { cron: '0 * * * *' } }, conditions: { minDiskSpace: 0 } };
const fine = { machine: true, server: true, load: 10, dumpFails: false };

async function countsOf(simulation: Simulation, until: Date) {
  const [found] = await account(simulation, new Date(start), until);
  expect(found?.violations).toEqual([]);
  return found?.counts;
}

test('E19: killed at each append of a slot, before and after it: the next minute makes good', { timeout: 120_000 }, async () => {
  const simulation = await simulate(start, settings, () => fine);
  try {
    await simulation.tick();
    const deaths = 14;
    for (let slot = 1; slot <= deaths; slot += 1) {
      simulation.set(start + slot * hour);
      await simulation.tick(slot);
      simulation.set(start + slot * hour + 20 * minute);
      await simulation.tick();
    }
    const { completed = 0, failed = 0, missed = 0, slots } = (await countsOf(simulation, simulation.now())) ?? {};
    expect({ slots, missed }).toEqual({ slots: deaths, missed: 0 });
    // who died while it dumped has failed for good: it is its retry, or the next slot, that makes a backup
    expect(completed + failed).toBe(deaths);
    expect(completed).toBeGreaterThan(deaths / 2);
  } finally {
    simulation.close();
  }
});

test.each([
  ['every hour: a week of slots is one record', '0 * * * *', hour],
  ['every day: each of the week is an event', '0 12 * * *', 24 * hour],
])('F2: a clock that was a week ahead, and called slots missed, is put right: %s, and all of them run', async (_what, cron, step) => {
  const simulation = await simulate(start, { ...settings, schedules: { often: { cron } } }, () => fine);
  try {
    await simulation.tick();
    simulation.set(start + 7 * 24 * hour + 13 * hour);
    await simulation.tick();
    expect(simulation.storage.kept.size).toBe(1);
    const slots = 4;
    simulation.set(start + minute);
    for (let slot = 0; slot <= slots; slot += 1) {
      await simulation.tick();
      await simulation.tick();
      simulation.set(start + slot * step + 12 * hour + minute);
    }
    await simulation.tick();
    const { ledger } = simulation.context;
    let completed = 0;
    const started = new Map<string, number>();
    for await (const { record } of ledger.read())
      if (record.record === 'event' && record.status === 'running' && record.slot !== undefined) {
        completed += 1;
        started.set(record.slot, (started.get(record.slot) ?? 0) + 1);
      }
    expect({ completed, twice: [...started.values()].filter((times) => times > 1) }).toEqual({ completed: 1 + slots + 1, twice: [] });
    expect(simulation.storage.kept.size).toBe(completed);
  } finally {
    simulation.close();
  }
});

test('E19: killed while it tells of missed slots, at each append: a later record of many leaves out those that were told of', async () => {
  for (const dieAt of [2, 3, 5, 6]) {
    const simulation = await simulate(start, settings, () => fine);
    try {
      await simulation.tick();
      simulation.set(start + 5 * hour);
      await simulation.tick(dieAt);
      simulation.set(start + 30 * hour);
      await simulation.tick();
      await simulation.tick();
      const { missed = 0, slots } = (await countsOf(simulation, simulation.now())) ?? {};
      expect({ dieAt, slots, missed: missed > 20 }).toEqual({ dieAt, slots: 30, missed: true });
    } finally {
      simulation.close();
    }
  }
});
