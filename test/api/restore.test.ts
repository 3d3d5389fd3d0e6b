/** test: a restore over HTTP goes where the configuration names, into nothing else, and over nothing that is there. */
import { afterAll, beforeAll, expect, inject, test } from 'vitest';
import { cloneDatabase, databaseUrl, quoteName, sql, type TestDatabase } from '../fixtures/database.js';
import { ending, lab, type Lab } from '../fixtures/lab.js';
import { startServer, type TestServer } from './server.js';

let [source, occupied]: TestDatabase[] = [];
let project: Lab;
let server: TestServer;
let copy = '';
beforeAll(async () => {
  source = await cloneDatabase('shop');
  occupied = await cloneDatabase('shop');
  copy = `${source.name}_copy`;
  project = lab(
    { shop: { url: 'env:DATABASE_URL' } },
    {
      clientDirectory: inject('postgres').binDirectory,
      api: {
        port: 0,
        restoreTargets: { copy: { url: 'env:COPY_URL' }, occupied: { url: 'env:OCCUPIED_URL' }, source: { url: 'env:DATABASE_URL' } },
      },
    },
  );
  const env = { DATABASE_URL: source.url, COPY_URL: databaseUrl(copy), OCCUPIED_URL: occupied.url };
  expect(ending(await project.json(['execute'], { env }))).toEqual({ exitCode: 0 });
  server = await startServer(project, { env });
});
afterAll(async () => {
  await server?.stop();
  await sql(databaseUrl('postgres'), `DROP DATABASE IF EXISTS ${quoteName(copy)} WITH (FORCE)`);
  await Promise.all([source?.drop(), occupied?.drop()]);
  project.cleanup();
});

test('K16: into a new database that is named; compared, and on record', async () => {
  const asked = { backupId: 'latest', target: 'copy', create: true };
  expect((await server.ask('POST', 'restore', { body: asked, token: server.tokens.operate })).status).toBe(403);
  const plan = await server.ask('POST', 'restore/plan', { body: asked });
  expect(plan).toMatchObject({ status: 200, body: { missing: [], sql: expect.any(Array) as unknown } });
  expect(await server.ask('POST', 'restore', { body: asked })).toMatchObject({ status: 200, body: { ok: true, compared: true } });
  const count = 'SELECT count(*) FROM customers';
  expect(await sql(databaseUrl(copy), count)).toBe(await sql(source?.url ?? '', count));
  expect(JSON.stringify((await server.ask('GET', 'audit')).body)).toContain('"action":"restore"');
});

test.each([
  ['occupied', 409],
  ['source', 409],
  ['elsewhere', 404],
])('K16: into %s: %i, and nothing is touched', async (target, status) => {
  const before = await sql(occupied?.url ?? '', 'SELECT count(*) FROM pg_class');
  const answer = await server.ask('POST', 'restore', { body: { backupId: 'latest', target } });
  expect({ status: answer.status, text: answer.text }).toEqual({ status, text: expect.not.stringContaining('postgresql:') as string });
  expect(await sql(occupied?.url ?? '', 'SELECT count(*) FROM pg_class')).toBe(before);
});

test.each([
  { to: 'postgresql://169.254.169.254/x' },
  { target: 'postgresql://evil/x' },
  { target: 'env:HOME' },
  { target: 'copy', forceTarget: 'shop' },
])('K17: no request names a server: %j', async (more) => {
  expect((await server.ask('POST', 'restore', { body: { backupId: 'latest', target: 'copy', ...more } })).status).toBe(400);
});
