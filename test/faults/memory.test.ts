/**
 * test: A8: what a backup needs of memory does not depend on the size of the dump.
 */
import { afterAll, beforeAll, expect, test } from 'vitest';
import { startCli } from '../fixtures/cli.js';
import { count } from '../fixtures/counts.js';
import { cloneDatabase, sql, type TestDatabase } from '../fixtures/database.js';
import { watchPeak } from './processes.js';
import { openRig, type Rig } from './rig.js';

let database: TestDatabase;
let rig: Rig;
beforeAll(async () => {
  database = await cloneDatabase('empty');
  await sql(database.url, 'CREATE TABLE load (bytes text); ALTER TABLE load ALTER COLUMN bytes SET STORAGE EXTERNAL');
  rig = openRig(database, { settings: { compression: 'none' } });
});
afterAll(async () => {
  rig.cleanup();
  await database.drop();
});

/** Greatest resident memory of a backup of so many MB, in MB. */
async function peakAt(megabytes: number): Promise<number> {
  await sql(database.url, `TRUNCATE load; INSERT INTO load SELECT repeat(md5(g::text), 31250) FROM generate_series(1, ${megabytes}) g`);
  const { child, done } = startCli(['execute', '--force', '--json'], { cwd: rig.directory, env: rig.env });
  const peak = watchPeak(child.pid);
  const said = await done;
  const most = peak();
  const [event] = (JSON.parse(said.stdout) as { events: { result: { size: number } }[] }).events;
  expect(event?.result.size).toBeGreaterThan(megabytes * 1e6);
  return most;
}

test('A8: a dump six times as large needs no more memory', async ({ task }) => {
  const [small, large] = [count(20, 100), count(120, 600)];
  await peakAt(1);
  const [less, more] = [await peakAt(small), await peakAt(large)];
  // what a collector leaves lying about differs by 20 MB from run to run; what was kept of the dump would be 100 MB and more
  const violations = more - less > 30 ? [`${Math.round(more - less)} MB more`] : [];
  const figures = `${less.toFixed(1)} MB for ${small} MB, ${more.toFixed(1)} MB for ${large} MB`;
  task.meta.score = { row: 'A8', what: 'peak memory by the size of the dump', n: 2, violations, figures };
  expect(violations).toEqual([]);
});
