/**
 * test: F1: a clock that is set while a backup runs, or tells what cannot be, is not believed by what removes.
 */
import { randomBytes } from 'node:crypto';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { catalog } from '../../../src/core/catalog/catalog.js';
import { execute } from '../../../src/core/execute.js';
import { fakeEngine, yields } from '../../fakes/engine.js';
import { byHand, inProcess, lab, type Lab } from '../../fixtures/lab.js';

let project: Lab;
beforeEach(() => {
  project = lab(
    { shop: { host: 'nowhere.invalid' } },
    { compression: 'none', loadBasedBackup: false, retention: { keepLast: 1, minimum: 1 } },
  );
});
afterEach(() => project.cleanup());

/**
 * A backup that begins so far ahead of the true time, and during which the clock is set by so much, ms; resolves to what it was told of, and
 * how many backups are listed then.
 */
async function backUp(jump: number, from = 0): Promise<{ readonly warnings: string; readonly listed: number }> {
  const base = await inProcess(project);
  let ahead = from;
  const engine = fakeEngine(
    yields(function* () {
      ahead += jump;
      yield randomBytes(1000);
    }),
  );
  const context = { ...base, engine, clock: { ...base.clock, now: () => new Date(base.clock.now().getTime() + ahead) } };
  const { events, failure } = await execute(context, byHand);
  expect(failure).toBeNull();
  return { warnings: events[0]?.warnings?.join() ?? '', listed: (await catalog(context)).backups.length };
}

test.each([3_600_000, -3_600_000, 86_400_000])(
  'F1: by %i ms: told, and nothing is removed until a backup was made by a quiet clock',
  async (jump) => {
    expect(await backUp(0)).toEqual({ warnings: '', listed: 1 });
    expect(await backUp(0)).toEqual({ warnings: '', listed: 1 });
    expect(await backUp(jump)).toEqual({ warnings: expect.stringContaining('nothing is removed after it') as string, listed: 2 });
  },
);

test('a backup by a clock that was never set says so, and removes nothing', async () => {
  const dead = 86_400_000 - Date.now();
  for (let count = 1; count <= 3; count++)
    expect(await backUp(0, dead)).toEqual({ warnings: expect.stringMatching(/it is 1970-01-02 .* cannot be/) as string, listed: count });
});
