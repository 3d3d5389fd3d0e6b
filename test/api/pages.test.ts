/** test: pages and figures of a long ledger (K15): what the command line reads from the tail, and soon. */
import { join } from 'node:path';
import { performance } from 'node:perf_hooks';
import { afterAll, beforeAll, expect, test } from 'vitest';
import type { BackupEvent } from '../../src/model/events/event.js';
import { writeHistory } from '../bench/history.js';
import { count, isFull } from '../fixtures/counts.js';
import { bareLab, startServer, type TestServer } from './server.js';

const events = count(20_000, 1_000_000);
const day = 86_400_000;
const begin = Date.parse('2020-01-01T00:00:00Z');
/** As `writeHistory` has them: one every ten minutes. */
const days = (events * 600_000) / day;
let server: TestServer;
beforeAll(async () => {
  const project = bareLab();
  writeHistory(join(project.directory, 'state'), events * 3);
  server = await startServer(project);
  await server.ask('GET', 'statistics');
}, 1_800_000);
afterAll(async () => {
  await server.stop();
  server.project.cleanup();
});

interface Page {
  readonly events: readonly BackupEvent[];
  readonly next: string | null;
}

async function timed(path: string): Promise<{ page: Page; took: number }> {
  const started = performance.now();
  const { body, status } = await server.ask('GET', path);
  expect(status).toBe(200);
  return { page: body as unknown as Page, took: performance.now() - started };
}

/** The id of an event of that day, without asking the server for pages before it. */
async function idOf(ago: number): Promise<string> {
  const at = new Date(begin + (days - ago) * day);
  const hex = at.getTime().toString(16).padStart(12, '0');
  const { body } = await server.ask('GET', `events/${hex.slice(0, 8)}-${hex.slice(8)}`);
  return (body as unknown as { event: BackupEvent }).event.id;
}

test('K15: a page far behind is the one that is read from the tail', async ({ task }) => {
  const took: number[] = [];
  for (const share of [0.02, 0.3, 0.6, 0.99]) {
    const id = await idOf(Math.floor(days * share));
    const { page } = await timed(`events?limit=7&cursor=${id}`);
    for (let round = 0; round < count(1, 5); round += 1) took.push((await timed(`events?limit=7&cursor=${id}`)).took);
    if (!isFull || share < 0.1)
      expect(page).toMatchObject((await server.project.json(['events', '--limit', '7', '--cursor', id])).document as unknown as Page);
    expect(page.events).toHaveLength(7);
    const before = new Date(begin + (days - Math.floor(days * share)) * day - 600_000);
    expect(page.events[0]?.timestamp).toBe(before.toISOString());
  }
  const sorted = took.toSorted((a, b) => a - b);
  const median = Math.round(sorted[sorted.length >> 1] ?? 0);
  task.meta.score = { row: 'K15', what: `pages far back in ${events} events`, n: took.length, violations: [], figures: `median ${median} ms, worst ${Math.round(sorted.at(-1) ?? 0)} ms` }; // prettier-ignore
  if (isFull) expect(median).toBeLessThan(300);
}, 900_000);

test('K15: figures are those that the command line counts', async ({ task }) => {
  const { document } = await server.project.json(['statistics', '--by', 'database']);
  const { body } = await server.ask('GET', 'statistics?by=database');
  const { took } = await timed('statistics');
  expect(body).toEqual(document);
  task.meta.score = { row: 'K15', what: `statistics of ${events} events`, violations: [], figures: `${Math.round(took)} ms` };
}, 900_000);

test.each(['ffff', '-1', '..', '%00', `${'f'.repeat(8)}-ffff-7fff-8fff-${'f'.repeat(12)}`, '01890000-0000-7000-8000-000000000000'])(
  'K15: the cursor %s is none',
  async (cursor) => {
    expect((await server.ask('GET', `events?cursor=${cursor}`)).status).toBe(400);
  },
);
