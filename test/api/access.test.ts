/** test: who is let in, and what for (K1-K3, K7, K8, K16, K17); real requests to a real server. */
import { readFileSync, statSync } from 'node:fs';
import { request } from 'node:http';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { refusal } from '../../src/api/serve.js';
import { count, isFull } from '../fixtures/counts.js';
import { telling, welch } from '../fixtures/welch.js';
import { bareLab, base, startServer, type TestServer } from './server.js';

let server: TestServer;
beforeAll(async () => (server = await startServer(bareLab())));
afterAll(async () => {
  await server.stop();
  server.project.cleanup();
});

const get = (headers: Record<string, string> = {}, path = 'events') => server.ask('GET', path, { token: '', headers });

describe('K1: no token, no entrance', () => {
  test('K1: every wrong way gets the same 401', async () => {
    const good = server.tokens.admin;
    // the guesses of one test stay under the ten a minute that an address has
    const answers = [
      await get(),
      await get({ authorization: `Bearer ${good}x` }),
      await get({ authorization: `Basic ${Buffer.from(`me:${good}`).toString('base64')}` }),
      await get({ authorization: 'Bearer ' }),
      await get({}, `events?token=${good}`),
      await get({ cookie: `token=${good}` }),
    ];
    expect(answers.map(({ status }) => status)).toEqual(answers.map(() => 401));
    expect(new Set(answers.map(({ text }) => text)).size).toBe(1);
    expect(answers[0]?.headers.get('www-authenticate')).toMatch(/^Bearer/);
  });

  test('K1: a token in the URL is refused beside a good one', async () => {
    expect((await server.ask('GET', `events?access_token=${server.tokens.read}`)).status).toBe(400);
  });

  test('K1: it does not start without a token, nor open beyond loopback', async () => {
    const project = bareLab();
    try {
      expect(await project.run(['serve'])).toMatchObject({ exitCode: 10, stderr: expect.stringContaining('there is no token') as string });
      const open = await project.run(['serve', '--insecure', '--set', 'api.host=0.0.0.0']);
      expect(open).toMatchObject({ exitCode: 2, stderr: expect.stringContaining('loopback alone') as string });
    } finally {
      project.cleanup();
    }
    const standing = { host: '0.0.0.0', insecure: false, tokens: 1, sealed: false };
    expect(refusal(standing)?.message).toContain('in clear');
    expect(refusal({ ...standing, sealed: true })).toBeNull();
    expect(refusal({ host: '127.0.0.1', insecure: true, tokens: 0, sealed: false })).toBeNull();
  });

  test('K1: a token that is revoked or over opens nothing from the next request on', async () => {
    const { project } = server;
    const { document } = await project.json(['token', 'create', '--name', 'gone']);
    expect((await server.ask('GET', 'events', { token: String(document['token']) })).status).toBe(200);
    await project.json(['token', 'revoke', 'gone']);
    expect((await server.ask('GET', 'events', { token: String(document['token']) })).status).toBe(401);
    const brief = await project.json(['token', 'create', '--name', 'brief', '--expires', '1s']);
    await new Promise((resolve) => setTimeout(resolve, 1100));
    expect((await server.ask('GET', 'events', { token: String(brief.document['token']) })).status).toBe(401);
  });

  test('only hashes are stored, for their owner alone', async () => {
    const file = join(server.project.directory, 'state/tokens.json');
    expect(statSync(file).mode & 0o777).toBe(0o600);
    const { document } = await server.project.json(['token', 'list']);
    expect(JSON.stringify(document)).not.toMatch(/sha256|bat_/);
    expect(document['tokens']).toHaveLength(4);
  });
});

test('K2: the time of an answer does not tell how much of a token is right', async ({ task }) => {
  const good = server.tokens.admin;
  const guesses = { near: `${good.slice(0, -1)}${good.endsWith('x') ? 'y' : 'x'}`, far: `x${good.slice(1)}` };
  const times: Record<keyof typeof guesses, number[]> = { near: [], far: [] };
  const rounds = count(100, 10_000);
  for (let round = 0; round < rounds; round += 1)
    for (const which of round % 2 === 0 ? (['near', 'far'] as const) : (['far', 'near'] as const)) {
      const started = process.hrtime.bigint();
      const { status } = await get({ authorization: `Bearer ${guesses[which]}` });
      times[which].push(Number(process.hrtime.bigint() - started));
      expect([401, 429]).toContain(status);
    }
  const t = welch(times.near, times.far);
  task.meta.score = {
    row: 'K2',
    what: 'the time of an answer',
    n: 2 * rounds,
    violations: [],
    figures: `Welch's t ${t.toFixed(2)}, telling above ${telling}`,
  };
  if (isFull) expect(Math.abs(t)).toBeLessThan(telling);
});

test('K3: guessing is answered with 429 soon, while who has a token is served', async () => {
  const guesses = count(60, 10_000);
  const seen = new Map<number, number>();
  for (let guess = 0; guess < guesses; guess += 1) {
    const { status, headers } = await get({ authorization: `Bearer bat_${guess}` });
    seen.set(status, (seen.get(status) ?? 0) + 1);
    if (status === 429) expect(Number(headers.get('retry-after'))).toBeGreaterThan(0);
    if (guess % 20 === 0) expect((await server.ask('GET', 'active', { token: server.tokens.read })).status).toBe(200);
  }
  expect([...seen.keys()]).toContain(429);
  expect(seen.get(401) ?? 0).toBeLessThanOrEqual(10 * Math.ceil(guesses / 1000 + 1));
});

test.skipIf(process.platform !== 'linux')('K3: who guesses shuts out nobody at another address', async () => {
  const from = (localAddress: string) =>
    new Promise<number>((resolve, reject) => {
      const { hostname, port } = new URL(server.url);
      const headers = { authorization: 'Bearer bat_wrong' };
      request({ host: hostname, port, path: `${base}/active`, localAddress, headers }, (answer) => {
        answer.resume();
        resolve(answer.statusCode ?? 0);
      })
        .on('error', reject)
        .end();
    });
  for (let guess = 0; guess < 12; guess += 1) await from('127.0.0.2');
  expect([await from('127.0.0.2'), await from('127.0.0.3')]).toEqual([429, 401]);
});

describe('K7: names of others', () => {
  const asHost = (host: string, more = '') =>
    server.raw(
      `GET ${base}/active HTTP/1.1\r\nHost: ${host}\r\nAuthorization: Bearer ${server.tokens.read}\r\n${more}Connection: close\r\n\r\n`,
    );

  test.each(['evil.example', 'evil.example:8484', 'localhost.evil.example', 'x@localhost', '', '169.254.169.254'])(
    'K7: "%s" is not ours',
    async (host) => {
      expect((await asHost(host)).text).toMatch(/^HTTP\/1\.1 4(21|00) /);
    },
  );

  test.each(['localhost', '127.0.0.1:1234', '[::1]'])('K7: "%s" is', async (host) => {
    expect((await asHost(host)).text).toMatch(/^HTTP\/1\.1 200 /);
  });

  test('K7: X-Forwarded-* of a stranger is not believed', async () => {
    expect((await asHost('evil.example', 'X-Forwarded-Host: localhost\r\n')).text).toMatch(/^HTTP\/1\.1 421 /);
    await server.ask('DELETE', 'events', { headers: { 'x-forwarded-for': '10.9.8.7' } });
    const { body } = await server.ask('GET', 'audit');
    const [newest] = (body?.['audit'] ?? []) as unknown[];
    expect(newest).toMatchObject({ action: 'events clear', by: 'token:the-admin', address: '127.0.0.1' });
  });
});

describe('K8: pages elsewhere', () => {
  test('K8: no CORS header, no preflight', async () => {
    const origin = { origin: 'https://evil.example', 'access-control-request-method': 'POST' };
    const preflight = await server.ask('OPTIONS', 'execute', { headers: origin });
    const plain = await server.ask('GET', 'active', { headers: origin });
    expect(preflight.status).toBe(405);
    expect([...preflight.headers.keys(), ...plain.headers.keys()].filter((name) => name.startsWith('access-control'))).toEqual([]);
  });

  test.each(['https://evil.example', 'null', 'http://localhost.evil.example'])(
    'K8: a change from a page of %s is refused',
    async (origin) => {
      expect((await server.ask('POST', 'execute', { headers: { origin } })).status).toBe(403);
    },
  );

  test('K8: a form is no JSON', async () => {
    const headers = { 'content-type': 'application/x-www-form-urlencoded' };
    expect((await server.ask('PUT', 'config', { body: 'maxRetries=1', headers })).status).toBe(415);
    expect((await server.ask('PUT', 'config', { body: '{"maxRetries":1}', headers: { 'content-type': 'text/plain' } })).status).toBe(415);
  });
});

describe('K16: roles', () => {
  const refused: [string, string, 'read' | 'operate'][] = [
    ['POST', 'execute', 'read'],
    ['POST', 'test', 'read'],
    ['POST', 'verify', 'read'],
    ['PUT', 'config', 'read'],
    ['PUT', 'config', 'operate'],
    ['DELETE', 'events', 'operate'],
    ['GET', 'audit', 'operate'],
    ['PUT', 'backups/latest/pin', 'read'],
    ['DELETE', 'backups/latest/pin', 'operate'],
    ['POST', 'backups/prune', 'operate'],
    ['POST', 'restore', 'operate'],
  ];
  test.each(refused)('K16: %s %s is not for %s', async (method, path, role) => {
    expect((await server.ask(method, path, { token: server.tokens[role] })).status).toBe(403);
  });

  test('K16: prune and restore are off, whoever asks', async () => {
    expect(await server.ask('POST', 'backups/prune')).toMatchObject({ status: 403, body: { detail: 'api.allowPrune is not set' } });
    const asked = { backupId: 'latest', target: 'shop' };
    for (const path of ['restore', 'restore/plan'])
      expect(await server.ask('POST', path, { body: asked })).toMatchObject({
        status: 403,
        body: { detail: expect.stringContaining('restoreTargets') as string },
      });
  });
});

describe('K17: what cannot be set', () => {
  test.each([
    { alerts: { ops: { kind: 'webhook', url: 'http://169.254.169.254/' } } },
    { databases: { shop: { url: 'postgresql://evil' } } },
    { storages: { local: { kind: 'local', path: '/etc' } } },
    { stateDirectory: '/etc' },
    { schedules: { nightly: { databases: ['shop'] } } },
    { api: { host: '0.0.0.0' } },
    { verify: { identity: 'command:id' } },
  ])('K17: %j', async (body) => {
    expect((await server.ask('PUT', 'config', { body })).status).toBe(400);
  });

  test('PUT config changes what it may, all or nothing, and says who', async () => {
    const good = await server.ask('PUT', 'config', {
      body: { maxRetries: 5, conditions: { maxDatabaseLoad: 70 }, schedules: { nightly: { enabled: false } } },
    });
    expect(good).toMatchObject({ status: 200, body: { maxRetries: 5, conditions: { maxDatabaseLoad: 70, minDiskSpace: 0 } } });
    const bad = await server.ask('PUT', 'config', { body: { maxRetries: 7, schedules: { nightly: { cron: 'never' } } } });
    expect(bad).toMatchObject({ status: 422, body: { errors: [{ key: 'schedules.nightly.cron' }] } });
    expect((await server.ask('GET', 'config')).body).toMatchObject({ maxRetries: 5 });
    const { document } = await server.project.json(['events', 'audit']);
    expect(document['audit']).toEqual(
      expect.arrayContaining([
        expect.objectContaining({ action: 'config update', target: 'conditions.maxDatabaseLoad', by: 'token:the-admin' }),
      ]),
    );
  });

  test('K17: a configuration that became wrong is told, and nothing falls over', async () => {
    const { project } = server;
    const { configuration } = (await project.json(['config'])).document as unknown as { configuration: Record<string, unknown> };
    expect(configuration['maxRetries']).toBe(5);
    const file = join(project.directory, 'backup-automation.config.json');
    const before = readFileSync(file, 'utf8');
    project.file('backup-automation.config.json', before.replace('"maxRetries": 5', '"maxRetries": "many"'));
    expect(await server.ask('GET', 'config')).toMatchObject({
      status: 503,
      body: { code: 'configuration', errors: [{ key: 'maxRetries' }] },
    });
    project.file('backup-automation.config.json', before);
    expect((await server.ask('GET', 'config')).status).toBe(200);
  });
});
