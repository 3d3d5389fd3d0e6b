/** test: every route answers what it says it does, and the same as the command beside it. */
import { Validator } from '@seriousme/openapi-schema-validator';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { routes } from '../../src/api/routes/index.js';
import { bareLab, base, startServer, type TestServer } from './server.js';

let server: TestServer;
let eventId = '';
beforeAll(async () => {
  server = await startServer(bareLab({ enabled: false }));
  const { document } = await server.project.json(['execute']);
  eventId = document.events[0]?.id ?? '';
});
afterAll(async () => {
  await server.stop();
  server.project.cleanup();
});

const pairs: [path: string, args: string[]][] = [
  ['events', ['events']],
  ['events?limit=1&status=cancelled', ['events', '--limit', '1', '--status', 'cancelled']],
  ['active', ['active']],
  ['statistics', ['statistics']],
  ['statistics?by=database', ['statistics', '--by', 'database']],
  ['backups', ['backups']],
  ['backups/prune', ['backups', 'prune']],
  ['schedules', ['schedule', 'list']],
  ['schedules/next?count=3', ['schedule', 'next', '3']],
  ['audit', ['events', 'audit']],
];

describe('the same document as the command', () => {
  test.each(pairs)('GET %s', async (path, args) => {
    const { status, body } = await server.ask('GET', path);
    expect(status).toBe(200);
    expect(body).toEqual((await server.project.json(args)).document);
  });

  test('GET events/ID', async () => {
    expect((await server.ask('GET', `events/${eventId.slice(0, 13)}`)).body).toEqual(
      (await server.project.json(['events', 'show', eventId])).document,
    );
  });

  const conditions = (document: unknown) => (document as { conditions: readonly { name: string }[] }).conditions.map(({ name }) => name);

  test('GET health and GET schedules/ID/explain, but for the moment', async () => {
    const health = (await server.ask('GET', 'health')).body;
    const { document } = await server.project.json(['health']);
    expect(Object.keys(health ?? {})).toEqual(Object.keys(document));
    // what is measured may change between two looks
    const names = (checks: unknown) =>
      (checks as readonly { name: string; subject: string | null }[]).map(({ name, subject }) => [name, subject]);
    expect(names(health?.['checks'])).toEqual(names(document['checks']));
    const explained = (await server.ask('GET', 'schedules/nightly/explain')).body;
    const typed = (await server.project.json(['explain', 'nightly'])).document;
    expect(Object.keys(explained ?? {})).toEqual(Object.keys(typed));
    expect(conditions(explained)).toEqual(conditions(typed));
  });

  test('GET config is the object of the specification itself', async () => {
    const { body } = await server.ask('GET', 'config');
    const { configuration } = (await server.project.json(['config'])).document as unknown as { configuration: Record<string, unknown> };
    expect(body).toEqual(Object.fromEntries(Object.keys(body ?? {}).map((key) => [key, configuration[key]])));
    expect(Object.keys(body ?? {})).toHaveLength(11);
  });

  test('POST test tells of the steps, and what is wrong', async () => {
    const { status, body } = await server.ask('POST', 'test');
    expect(status).toBe(200);
    expect(body).toMatchObject({ ok: false, steps: expect.any(Array) as unknown[], error: { code: 'failed' } });
  });
});

test('/metrics is what the command prints, for who has a token', async () => {
  const scraped = await server.ask('GET', '/metrics', { token: server.tokens.read });
  expect(scraped.status).toBe(200);
  expect(scraped.headers.get('content-type')).toBe('text/plain; version=0.0.4; charset=utf-8');
  const names = (text: string) => text.split('\n').filter((line) => line.startsWith('# TYPE'));
  expect(names(scraped.text)).toEqual(names((await server.project.run(['metrics'])).stdout));
  expect((await server.ask('GET', '/metrics', { token: '' })).status).toBe(401);
});

describe('the description', () => {
  test('is valid OpenAPI, and names every route', async () => {
    const { body } = await server.ask('GET', '/openapi.json', { token: '' });
    const result = await new Validator().validate({ ...body });
    expect(result).toEqual({ valid: true });
    const described = Object.entries(body?.['paths'] as Record<string, object>).flatMap(([path, item]) =>
      Object.keys(item).map((method) => `${method.toUpperCase()} ${path}`),
    );
    expect(described.toSorted()).toEqual(routes.map(({ method, path }) => `${method} ${base}${path}`).toSorted());
  });

  test('answers are as described', async () => {
    const asked = routes.filter(({ method, path, stream }) => method === 'GET' && !path.includes('{') && !stream);
    for (const { path, answer } of asked) {
      const { status, body } = await server.ask('GET', path.slice(1));
      expect([path, status, answer.safeParse(body).error]).toEqual([path, 200, undefined]);
    }
  });

  test('/docs is a page without anything from elsewhere; /healthz says no more than that it is up', async () => {
    const page = await server.ask('GET', '/docs', { token: '' });
    expect(page.status).toBe(200);
    expect(page.text).toContain('POST /api/backup-automation/execute');
    expect(page.text).not.toMatch(/https?:\/\/|<script/);
    expect((await server.ask('GET', '/healthz', { token: '' })).body).toEqual({ status: 'ok' });
  });
});
