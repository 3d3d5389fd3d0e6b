/**
 * test: a month of `execute --due` on a false clock: every slot is accounted for, and none has two backups.
 */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { table } from '../../../src/cli/show/table.js';
import { paintFor } from '../../../src/cli/render.js';
import { count, isFull } from '../../fixtures/counts.js';
import { account, seeded, simulate, type Account, type Weather } from '../../fixtures/simulation.js';

const minute = 60_000;
const hour = 60 * minute;
const day = 24 * hour;

const schedules = {
  daily: { cron: '30 2 * * *', timezone: 'Europe/Berlin' },
  often: { cron: '0 0-8/2 * * *', maxWait: 30, overlap: 'skip' },
  weekly: { cron: '0 3 * * 0', onDeadline: 'run', timezone: 'America/New_York' },
  nightly: { cron: '0 1 * * 1-5', onDeadline: 'fail' },
};
const settings = { schedules, backupWindow: { start: '00:30', end: '06:00' }, retryDelay: 10, maxRetries: 2 };

const calm: Weather = { machine: true, server: true, load: 10, dumpFails: false };
/** Whether a moment lies in one of the phases, hours since the start. */
const within = (hours: number, phases: readonly (readonly [number, number])[]) => phases.some(([from, to]) => from <= hours && hours < to);

function show(accounts: readonly Account[]): string {
  const head = ['SCHEDULE', 'SLOTS', 'COMPLETED', 'FAILED', 'CANCELLED', 'MISSED', 'RETRIES'];
  const columns = ['slots', 'completed', 'failed', 'cancelled', 'missed', 'retries'];
  const rows = accounts.map(({ scheduleId, counts }) => [scheduleId, ...columns.map((name) => String(counts[name]))]);
  return table(head, rows, { width: 80, paint: paintFor(process.stdout, { color: false }) });
}

async function month(days: number, weather: (hours: number) => Weather, step: number, seed = 1): Promise<Account[]> {
  const start = Date.UTC(2026, 2, isFull ? 15 : 22);
  const simulation = await simulate(start, settings, (now) => weather((now - start) / hour), seed);
  try {
    for (let at = start; at <= start + days * day; at += step) {
      if (simulation.now().getTime() < at) simulation.set(at);
      await simulation.tick();
    }
    return await account(simulation, new Date(start), new Date(start + days * day - 26 * hour));
  } finally {
    simulation.close();
  }
}

describe('a simulated month', () => {
  it('with a change of clocks, outages and load: each slot has its end, and none has two', { timeout: 600_000 }, async ({ task }) => {
    const days = count(9, 30);
    const accounts = await month(
      days,
      (hours) => ({
        // three days off over the weekend of the change of clocks, and short ones
        machine: !within(hours, [
          [142, 214],
          [420, 492],
          [75, 79],
          [122.5, 124],
        ]),
        server: !within(hours, [
          [49, 51],
          [145, 170],
        ]),
        load: within(hours, [
          [24, 31],
          [96, 99],
          [195, 200],
        ])
          ? 95
          : 10,
        dumpFails: within(hours, [
          [2, 3],
          [217, 219],
          [265, 300],
        ]),
      }),
      30 * minute,
    );
    if (isFull)
      process.stdout.write(
        `\nWhat became of every slot of ${days} days (each in one of the four columns before RETRIES):\n${show(accounts)}\n`,
      );
    const total = accounts.reduce((sum, { counts }) => sum + (counts['slots'] ?? 0), 0);
    const violations = accounts.flatMap((one) => one.violations);
    task.meta.score = { row: 'F5', what: 'slots of a simulated month accounted for', n: total, violations };
    expect(violations).toEqual([]);
    for (const { counts } of accounts) {
      const ended = ['completed', 'failed', 'cancelled', 'missed'].reduce((sum, name) => sum + (counts[name] ?? 0), 0);
      expect(ended).toBe(counts['slots']);
    }
    const [daily, , weekly] = accounts;
    expect(daily?.counts['missed']).toBeGreaterThanOrEqual(2);
    expect(weekly?.counts['completed']).toBeGreaterThan(0);
  });

  it('property: whatever the weather', { timeout: count(600_000, 3_600_000) }, async () => {
    const phases = fc.array(fc.tuple(fc.double({ min: 0, max: 96, noNaN: true }), fc.double({ min: 0.1, max: 30, noNaN: true })), {
      maxLength: 4,
    });
    await fc.assert(
      fc.asyncProperty(phases, phases, phases, phases, fc.nat(), async (off, down, busy, failing, seed) => {
        const inside = (all: readonly (readonly [number, number])[], hours: number) =>
          within(
            hours,
            all.map(([from, length]) => [from, from + length] as const),
          );
        const weather = (hours: number): Weather =>
          // calm at the end, so that everything can end
          hours > 120
            ? calm
            : {
                // slots count from the first look on
                machine: hours === 0 || !inside(off, hours),
                server: !inside(down, hours),
                load: inside(busy, hours) ? 95 : 10,
                dumpFails: inside(failing, hours),
              };
        const accounts = await month(count(5, 8), weather, 60 * minute, seeded(seed)() * 1e9);
        expect(accounts.flatMap(({ violations }) => violations)).toEqual([]);
      }),
      { numRuns: count(1, 50), endOnFailure: true },
    );
  });
});
