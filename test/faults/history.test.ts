/**
 * test: E7: a history of a million events: listings, statistics and health still answer, and truly.
 */
import { afterAll, beforeAll, expect, test } from 'vitest';
import { apart, writeHistory } from '../bench/history.js';
import { startCli } from '../fixtures/cli.js';
import { count } from '../fixtures/counts.js';
import { cloneDatabase, type TestDatabase } from '../fixtures/database.js';
import { watchPeak } from './processes.js';
import { openRig, type Rig } from './rig.js';

let database: TestDatabase;
let rig: Rig;
beforeAll(async () => {
  database = await cloneDatabase('empty');
  rig = openRig(database);
});
afterAll(async () => {
  rig.cleanup();
  await database.drop();
});

interface Said {
  readonly document: {
    readonly events?: readonly { readonly id: string; readonly status: string }[];
    readonly totalEvents?: number;
    readonly successfulEvents?: number;
    readonly failedEvents?: number;
    readonly status?: string;
    readonly checks?: readonly object[];
  };
  /** ms. */
  readonly time: number;
  /** MB. */
  readonly peak: number;
}

async function ask(...args: readonly string[]): Promise<Said> {
  const begun = performance.now();
  const { child, done } = startCli([...args, '--json'], { cwd: rig.directory, env: rig.env });
  const peak = watchPeak(child.pid);
  const { stdout } = await done;
  return { document: JSON.parse(stdout) as Said['document'], time: performance.now() - begun, peak: peak() };
}

test(
  'E7: a long history: every answer is there, true, and needs no more memory than a short one',
  { timeout: count(120_000, 3_600_000) },
  async ({ task }) => {
    const events = count(10_000, 1_000_000);
    // the newest of them an hour ago
    const bytes = writeHistory(rig.state, events * 3, Date.now() - 3_600_000 - events * apart);
    const violations: string[] = [];
    const claim = (holds: boolean, sentence: string) => void (holds || violations.push(sentence));
    const list = await ask('events', '--limit', '50');
    claim(list.document.events?.length === 50, `events lists ${list.document.events?.length}`);
    claim(
      list.document.events?.every(({ status }) => status === 'completed' || status === 'failed') ?? false,
      'an event is not as it ended',
    );
    const failed = Math.ceil(events / 50);
    const wanted = { totalEvents: events, successfulEvents: events - failed, failedEvents: failed };
    const [cold, warm] = [await ask('statistics'), await ask('statistics')];
    for (const [name, { document }] of Object.entries({ cold, warm })) {
      const { totalEvents, successfulEvents, failedEvents } = document;
      claim(JSON.stringify({ totalEvents, successfulEvents, failedEvents }) === JSON.stringify(wanted), `${name}: ${totalEvents} events`);
    }
    const health = await ask('health');
    claim(['healthy', 'warning', 'critical'].includes(health.document.status ?? ''), `health says ${health.document.status}`);
    claim((health.document.checks?.length ?? 0) > 3, 'health looked at little');
    const told = Object.entries({ list, cold, warm, health }).map(([name, { time, peak }]) => {
      claim(peak < 400, `${name} needed ${Math.round(peak)} MB`);
      return `${name} ${Math.round(time)} ms ${Math.round(peak)} MB`;
    });
    const figures = `${Math.round(bytes / 1e6)} MB: ${told.join(', ')}`;
    task.meta.score = { row: 'E7', what: `${events} events in the ledger`, violations, figures };
    expect(violations).toEqual([]);
  },
);
