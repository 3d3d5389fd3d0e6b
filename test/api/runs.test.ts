/** test: backups that are started over HTTP, on a real database: followed, bounded, done once, and survived (K11, K12). */
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, afterEach, beforeAll, describe, expect, inject, test } from 'vitest';
import { isTerminal, type BackupEvent } from '../../src/model/events/event.js';
import { cloneDatabase, lockCustomers, type TestDatabase } from '../fixtures/database.js';
import { count } from '../fixtures/counts.js';
import { lab, type Lab } from '../fixtures/lab.js';
import { until } from '../faults/processes.js';
import { base, startServer, type Answered, type TestServer } from './server.js';

let database: TestDatabase;
beforeAll(async () => (database = await cloneDatabase('shop')));
afterAll(() => database.drop());

let server: TestServer;
let project: Lab;
afterEach(async () => {
  await server.stop('SIGKILL');
  project.cleanup();
});

const makeProject = (more: object = {}): Lab =>
  lab(
    { shop: { url: 'env:DATABASE_URL' } },
    {
      clientDirectory: inject('postgres').binDirectory,
      api: { port: 0, rateLimit: 100_000 },
      autoRetry: false,
      schedules: { nightly: { cron: '0 2 * * *' } },
      ...more,
    },
  );
const start = (args: readonly string[] = [], known?: TestServer['tokens']) =>
  startServer(project, { args, env: { DATABASE_URL: database.url } }, known);
/** How many backups run now. */
const running = async (): Promise<number> => {
  const { body } = await server.ask('GET', 'active');
  return Array.isArray(body?.['active']) ? body['active'].length : 0;
};
const eventsOf = ({ body }: Answered): readonly BackupEvent[] => (body?.['events'] ?? []) as readonly BackupEvent[];

async function ended(id: string): Promise<BackupEvent> {
  for (;;) {
    const { status, text, body } = await server.ask('GET', `events/${id}`);
    expect({ status, text: status === 200 ? '' : text }).toEqual({ status: 200, text: '' });
    const { event } = body as unknown as { event: BackupEvent };
    if (isTerminal(event.status)) return event;
    await sleep(100);
  }
}

describe('POST execute', () => {
  test('answers at once, is followed to its end, and leaves a backup that the command line sees', async () => {
    project = makeProject();
    server = await start();
    const answer = await server.ask('POST', 'execute', { token: server.tokens.operate, body: { scheduleId: 'nightly' } });
    const [event] = eventsOf(answer);
    expect(answer).toMatchObject({
      status: 202,
      body: { events: [{ type: 'scheduled', trigger: 'api', by: 'token:the-operate', status: 'pending' }] },
    });
    expect(answer.headers.get('location')).toBe(`/api/backup-automation/events/${event?.id}`);
    const { text, headers } = await server.ask('GET', `events/${event?.id}/stream`);
    expect(headers.get('content-type')).toBe('text/event-stream');
    const states = [...text.matchAll(/^event: state\ndata: (.*)$/gm)].map(([, data = '']) => (JSON.parse(data) as BackupEvent).status);
    expect(states.at(-1)).toBe('completed');
    const { document } = await project.json(['backups']);
    expect(document.backups).toMatchObject([{ backupId: event?.id, database: 'shop' }]);
    expect((await server.ask('GET', 'backups')).body).toEqual(document);
    const verified = await server.ask('POST', 'verify', { body: { level: 'archive' } });
    expect(verified).toMatchObject({ status: 200, body: { results: [{ ok: true, level: 'archive' }] } });
    expect((await server.ask('GET', `backups/${event?.id}`)).body).toMatchObject({ manifest: { eventId: event?.id } });
    expect((await server.ask('PUT', 'backups/latest/pin', { body: { reason: 'for the audit' } })).body).toMatchObject({ pinned: true });
    expect((await server.ask('GET', 'backups/prune')).body).toMatchObject({ keep: [{ backupId: event?.id }], removed: false });
  });

  test('names that do not exist are 404 with the nearest, a retry is nobody to ask for', async () => {
    project = makeProject();
    server = await start();
    expect(await server.ask('POST', 'execute', { body: { scheduleId: 'nighty' } })).toMatchObject({
      status: 404,
      body: { hint: 'did you mean nightly?' },
    });
    expect((await server.ask('POST', 'execute', { body: { type: 'retry' } })).status).toBe(400);
    expect((await server.ask('POST', 'execute', { body: { type: 'scheduled' } })).status).toBe(400);
    expect((await server.ask('GET', 'events')).body).toMatchObject({ events: [] });
  });

  test('a condition that is not met shows in the event', async () => {
    project = makeProject({ enabled: false });
    server = await start();
    const [event] = eventsOf(await server.ask('POST', 'execute'));
    expect(await ended(event?.id ?? '')).toMatchObject({ status: 'cancelled', result: { code: 'not-now' } });
    const [emergency] = eventsOf(await server.ask('POST', 'execute', { body: { type: 'emergency' } }));
    expect(emergency).toMatchObject({ type: 'emergency', passBy: ['window', 'load', 'health'] });
    expect(await ended(emergency?.id ?? '')).toMatchObject({ status: 'cancelled' });
  });
});

test('K11: a hundred at once keep to the places, and one key is one event', async () => {
  project = makeProject({ conditions: { minDiskSpace: 0, maxConcurrentBackups: 2 } });
  server = await start();
  const release = await lockCustomers(database.url);
  const asked = Promise.all(Array.from({ length: count(12, 100) }, () => server.ask('POST', 'execute')));
  const same = Promise.all(Array.from({ length: 5 }, () => server.ask('POST', 'execute', { headers: { 'idempotency-key': 'deploy-1' } })));
  let most = 0;
  let over = false;
  const watch = (async () => {
    while (!over) {
      most = Math.max(most, await running().catch(() => 0));
      await sleep(50);
    }
  })();
  const answers = await asked;
  expect(new Set(answers.map(({ status }) => status))).toEqual(new Set([202]));
  const keyed = await same;
  expect(new Set(keyed.map((one) => eventsOf(one)[0]?.id)).size).toBe(1);
  await until('a place is taken', () => most > 0);
  await release();
  const ids = new Set(answers.map((one) => eventsOf(one)[0]?.id));
  const opened = async () => eventsOf(await server.ask('GET', 'events?limit=500')).filter(({ id }) => ids.has(id));
  while ((await opened()).some(({ status }) => !isTerminal(status))) await sleep(200);
  const events = await opened();
  expect(events).toHaveLength(ids.size);
  over = true;
  await watch;
  expect(most).toBeGreaterThan(0);
  expect(most).toBeLessThanOrEqual(2);
  expect(events.some(({ status }) => status === 'completed')).toBe(true);
  for (const event of events) expect(['completed', 'cancelled']).toContain(event.status);
  const other = await server.ask('POST', 'execute', { body: { database: 'shop' }, headers: { 'idempotency-key': 'deploy-1' } });
  expect(other.status).toBe(409);
});

test('K11: a key is remembered by the next server', async () => {
  project = makeProject({ enabled: false });
  server = await start();
  const key = { headers: { 'idempotency-key': 'once' } };
  const [first] = eventsOf(await server.ask('POST', 'execute', key));
  await ended(first?.id ?? '');
  const { tokens } = server;
  await server.stop('SIGKILL');
  server = await start([], tokens);
  const again = await server.ask('POST', 'execute', key);
  expect(again.status).toBe(202);
  expect(eventsOf(again)).toMatchObject([{ id: first?.id, status: 'cancelled' }]);
  expect((await server.ask('GET', 'events')).body?.['events']).toHaveLength(1);
});

test('K12: killed while its backup runs; the next one ends the event, and backs up again', async () => {
  project = makeProject();
  server = await start();
  const { tokens } = server;
  for (let round = 0; round < count(1, 20); round += 1) {
    const release = await lockCustomers(database.url);
    const [event] = eventsOf(await server.ask('POST', 'execute'));
    while ((await running()) === 0) await sleep(50);
    await server.stop('SIGKILL');
    server = await start([], tokens);
    const seen = (await server.ask('GET', `events/${event?.id}`)).body as unknown as { event: BackupEvent };
    expect(seen.event).toMatchObject({ status: 'failed', result: { code: 'interrupted' } });
    await release();
    const [next] = eventsOf(await server.ask('POST', 'execute'));
    expect(await ended(next?.id ?? '')).toMatchObject({ status: 'completed' });
  }
  expect(project.stored().filter((name) => name.includes('partial'))).toEqual([]);
  expect(await project.run(['events', 'verify'])).toMatchObject({ exitCode: 0 });
});

describe('stopping', () => {
  test('SIGTERM lets a backup finish that can, and takes no more requests', async () => {
    project = makeProject();
    server = await start();
    const release = await lockCustomers(database.url);
    const [event] = eventsOf(await server.ask('POST', 'execute'));
    while ((await running()) === 0) await sleep(50);
    const stopped = server.stop();
    const refuses = () =>
      server.ask('GET', 'active', { headers: { connection: 'close' } }).then(
        () => false,
        () => true,
      );
    await until('it takes no more requests', refuses);
    await release();
    expect(await stopped).toBe(0);
    expect((await project.json(['events', 'show', event?.id ?? ''])).document['event']).toMatchObject({ status: 'completed' });
  });

  test('who follows is told; a second signal ends it at once, and the next command says what became of it', async () => {
    project = makeProject();
    server = await start();
    const release = await lockCustomers(database.url);
    const [event] = eventsOf(await server.ask('POST', 'execute'));
    while ((await running()) === 0) await sleep(50);
    const headers = { authorization: `Bearer ${server.tokens.read}` };
    const following = await fetch(`${server.url}${base}/events/${event?.id}/stream`, { headers });
    server.child.kill('SIGTERM');
    const text = await following.text();
    expect(text).toMatch(/event: stopping\ndata: \{"message":"the server stops/);
    expect(text).not.toContain('"completed"');
    expect(await server.stop()).toBe(143);
    expect((await project.json(['events', 'show', event?.id ?? ''])).document['event']).toMatchObject({
      status: 'failed',
      result: { code: 'interrupted' },
    });
    await release();
  });

  test('what takes longer than the grace is cancelled in order', async () => {
    project = makeProject();
    server = await start(['--grace', '0s']);
    const release = await lockCustomers(database.url);
    const [event] = eventsOf(await server.ask('POST', 'execute'));
    while ((await running()) === 0) await sleep(50);
    expect(await server.stop()).toBe(0);
    expect((await project.json(['events', 'show', event?.id ?? ''])).document['event']).toMatchObject({ status: 'cancelled' });
    await release();
  });
});

test('serve --schedule does what is due, and leaves nothing for cron to do twice', async () => {
  // a slot of the minute that was already begun is nobody's: it takes up to a minute and a half
  project = makeProject({ schedules: { often: { cron: '* * * * *' } } });
  server = await start(['--schedule']);
  const { tokens } = server;
  const [first] = eventsOf(await server.ask('GET', 'events'));
  expect(first).toBeUndefined();
  // the first look only notes that the schedule is known from now on; a moment later a minute has begun
  for (let tries = 0; tries < 700 && eventsOf(await server.ask('GET', 'events')).length === 0; tries += 1) await sleep(100);
  await project.run(['execute', '--due']);
  const events = eventsOf(await server.ask('GET', 'events', { token: tokens.read }));
  expect(new Set(events.map(({ slot }) => slot)).size).toBe(events.length);
  expect(events.at(-1)).toMatchObject({ type: 'scheduled', trigger: 'schedule' });
});
