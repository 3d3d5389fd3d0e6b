/** test: a server that keeps time hears a deployment that notifies the database. */
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, afterEach, beforeAll, expect, inject, test } from 'vitest';
import type { BackupEvent } from '../../src/model/events/event.js';
import { count } from '../fixtures/counts.js';
import { cloneDatabase, sql, type TestDatabase } from '../fixtures/database.js';
import { lab, type Lab } from '../fixtures/lab.js';
import { startServer, type TestServer } from './server.js';

let database: TestDatabase;
beforeAll(async () => (database = await cloneDatabase('shop')));
afterAll(() => database.drop());

let server: TestServer;
let project: Lab;
afterEach(async () => {
  await server.stop('SIGKILL');
  project.cleanup();
});

const listeners = () =>
  sql(
    database.url,
    `SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND application_name = 'backup-automation listens'`,
  );

async function completed(): Promise<readonly BackupEvent[]> {
  const { body } = await server.ask('GET', 'events?status=completed');
  return (body?.['events'] ?? []) as readonly BackupEvent[];
}

test('serve --schedule backs up when the channel is notified, and once for what came too soon after that', async () => {
  project = lab(
    { shop: { url: 'env:DATABASE_URL' } },
    {
      clientDirectory: inject('postgres').binDirectory,
      api: { port: 0, rateLimit: 100_000 },
      schedules: { deployed: { triggers: { notify: 'deployed', minimumGap: 1 } } },
    },
  );
  server = await startServer(project, { args: ['--schedule'], env: { DATABASE_URL: database.url } });
  await expect.poll(listeners, { timeout: 20_000 }).toBe('1');
  await sql(database.url, 'NOTIFY deployed; NOTIFY something_else');
  await expect
    .poll(completed, { timeout: 30_000, interval: 300 })
    .toMatchObject([{ scheduleId: 'deployed', type: 'scheduled', trigger: 'notify', database: 'shop', cause: 'deployed was notified' }]);
  // within the gap it waits
  await sql(database.url, 'NOTIFY deployed');
  await sql(database.url, 'NOTIFY deployed');
  await sleep(3000);
  expect(await completed()).toHaveLength(1);
  // the gap is a minute
  if (count(0, 1) > 0) await expect.poll(completed, { timeout: 200_000, interval: 1000 }).toHaveLength(2);
}, 300_000);
