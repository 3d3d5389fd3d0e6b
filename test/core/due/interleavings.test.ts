/**
 * test: processes of `execute --due` that die at any append, run beside each other, forget, meet a server that is away or busy: whatever
 * the order, the promises hold.
 */
import fc from 'fast-check';
import { expect, it } from 'vitest';
import { count } from '../../fixtures/counts.js';
import { account, simulate, type Simulation } from '../../fixtures/simulation.js';

const minute = 60_000;
const hour = 60 * minute;
const start = Date.UTC(2026, 2, 27);
const schedules = {
  often: { cron: '0 */3 * * *', overlap: 'skip' },
  daily: { cron: '30 2 * * *', timezone: 'Europe/Berlin', onDeadline: 'run', maxWait: 120 },
};

/** One step: `minutes` pass, then so many processes start, each dying at its k-th append (0: not). */
const step = fc.record({
  minutes: fc.integer({ min: 0, max: 500 }),
  deaths: fc.array(fc.integer({ min: 0, max: 7 }), { minLength: 1, maxLength: 2 }),
  server: fc.boolean(),
  busy: fc.boolean(),
  forgets: fc.boolean(),
});

/** What must hold at every moment: what is called completed is there, and what is there stays. */
async function broken({ context, storage }: Simulation, before: ReadonlySet<string>): Promise<string[]> {
  const violations = [...before].filter((id) => !storage.kept.has(id)).map((id) => `P2: ${id} is gone`);
  for await (const { record } of context.ledger.read())
    if (record.record === 'event' && record.status === 'completed' && !storage.kept.has(`shop/${record.result?.backupId}`))
      violations.push(`P1: ${record.id} is called completed, and there is no backup of it`);
  return violations;
}

it(
  'E19: any order of appends, deaths, rotations, reconcilers and runs keeps P1 to P5',
  { timeout: count(600_000, 3_600_000) },
  async ({ task }) => {
    const sequences = count(4, 400);
    let done = 0;
    await fc.assert(
      fc.asyncProperty(fc.array(step, { minLength: 3, maxLength: 14 }), async (steps) => {
        let weather = { machine: true, server: true, load: 10, dumpFails: false };
        const settings = { schedules, retryDelay: 20, maxRetries: 2, conditions: { minDiskSpace: 0, maxConcurrentBackups: 1 } };
        const simulation = await simulate(start, settings, () => weather);
        try {
          await simulation.tick();
          for (const { minutes, deaths, server, busy, forgets } of steps) {
            weather = { ...weather, server, load: busy ? 95 : 10 };
            simulation.set(simulation.now().getTime() + minutes * minute);
            if (forgets) simulation.forget();
            const before = new Set(simulation.storage.kept.keys());
            await Promise.all(deaths.map((dieAt) => simulation.tick(dieAt === 0 ? undefined : dieAt)));
            expect(await broken(simulation, before)).toEqual([]);
          }
          weather = { ...weather, server: true, load: 10 };
          const end = simulation.now();
          // nobody removes anything by hand, and all that was begun ends
          for (let passed = 1; passed <= 30; passed += 1) {
            simulation.set(end.getTime() + passed * hour);
            await simulation.tick();
          }
          const accounts = await account(simulation, new Date(start), end);
          expect(accounts.flatMap(({ violations }) => violations)).toEqual([]);
          expect([...simulation.storage.open]).toEqual([]);
          done += 1;
        } finally {
          simulation.close();
        }
      }),
      // made smaller, one would be looked for for an hour; the seed tells it again
      { numRuns: sequences, endOnFailure: true },
    );
    task.meta.score = { row: 'E19', what: 'sequences of appends, deaths, rotations, reconcilers and runs', n: done, violations: [] };
  },
);
