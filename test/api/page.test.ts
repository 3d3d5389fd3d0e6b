/** test: the page as a browser and as somebody who means harm would ask for it, over real HTTP. */
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { bareLab, startServer, type Answered, type AskOptions, type TestServer } from './server.js';

const evil = '<script>alert(1)</script>';

let server: TestServer;
beforeAll(async () => {
  server = await startServer(
    bareLab({ databases: { shop: { host: `/nowhere/${evil}`, user: 'nobody', database: 'shop' } }, api: { trustedProxy: ['127.0.0.1'] } }),
  );
});
afterAll(async () => {
  await server.stop();
  server.project.cleanup();
});

const accept = 'text/html,application/xhtml+xml';
/** As a browser that shows no token. */
const browse = (path: string, headers: AskOptions['headers'] = {}) =>
  server.ask('GET', path, { token: '', headers: { accept, ...headers } });
const post = (path: string, form: Readonly<Record<string, string>>, headers: AskOptions['headers'] = {}) =>
  server.ask('POST', path, {
    token: '',
    body: new URLSearchParams(form).toString(),
    headers: {
      accept,
      'content-type': 'application/x-www-form-urlencoded',
      origin: server.url,
      'sec-fetch-site': 'same-origin',
      ...headers,
    },
  });
const cookieIn = ({ headers }: Answered): string => (headers.get('set-cookie') ?? '').split(';', 1)[0] ?? '';
const csrfIn = ({ text }: Answered): string => /name="csrf" value="([^"]+)"/.exec(text)?.[1] ?? '';
const login = async (token: string) => cookieIn(await post('/login', { token, back: '/' }));

describe('who has not logged in', () => {
  test('is led to the login and back to where it wanted to go', async () => {
    const sent = await browse('/events?status=failed');
    expect([sent.status, sent.headers.get('location')]).toEqual([303, `/login?back=${encodeURIComponent('/events?status=failed')}`]);
    const entered = await post('/login', { token: server.tokens.read, back: '/events?status=failed' });
    expect([entered.status, entered.headers.get('location')]).toEqual([303, '/events?status=failed']);
  });

  test.each(['//evil.example', 'https://evil.example', '/\\evil.example', 'javascript:alert(1)'])('is not led to %s', async (back) => {
    expect((await post('/login', { token: server.tokens.read, back })).headers.get('location')).toBe('/');
  });

  test('a program is told as before', async () => {
    const root = await server.ask('GET', '/', { token: '' });
    expect([root.status, root.headers.get('location')]).toEqual([302, '/docs']);
    expect((await server.ask('GET', '/nowhere')).headers.get('content-type')).toMatch(/problem\+json/);
    expect((await server.ask('GET', 'events', { token: '', headers: { accept } })).headers.get('content-type')).toMatch(/problem\+json/);
  });

  test('what is not there is told to a person as a page', async () => {
    const lost = await browse('/nowhere');
    expect([lost.status, lost.headers.get('content-type')]).toEqual([404, 'text/html; charset=utf-8']);
  });

  test('a link from elsewhere is followed again on our own behalf, so that the cookie is sent', async () => {
    const strange = await browse('/', { 'sec-fetch-site': 'cross-site' });
    expect([strange.status, strange.text.includes('http-equiv="refresh"')]).toEqual([401, true]);
  });
});

describe('the login', () => {
  test('K3: wrong tokens all get the same answer, soon 429, and who has logged in is served', async () => {
    const from = { 'x-forwarded-for': '10.1.1.1' };
    const cookie = await login(server.tokens.read);
    const guesses = [];
    for (const token of [
      '',
      'x',
      `${server.tokens.admin}x`,
      server.tokens.admin.slice(1),
      ...Array.from({ length: 8 }, (_, n) => `bat_${n}`),
    ])
      guesses.push(await post('/login', { token, back: '/' }, from));
    const wrong = guesses.filter(({ status }) => status === 401);
    expect([wrong.length, guesses.at(-1)?.status]).toEqual([10, 429]);
    expect(new Set(wrong.map(({ text }) => text)).size).toBe(1);
    expect(guesses.at(-1)?.headers.get('content-type')).toMatch(/html/);
    expect((await browse('/', { cookie, ...from })).status).toBe(200);
    // with the right one too, as the API does
    expect((await post('/login', { token: server.tokens.read, back: '/' }, from)).status).toBe(303);
  });

  test('its cookie is for this server alone, for half a day, and for TLS where there is TLS', async () => {
    const attributes = async (headers: AskOptions['headers']) =>
      (await post('/login', { token: server.tokens.read, back: '/' }, headers)).headers.get('set-cookie');
    expect(await attributes({})).toMatch(/^backup-automation=[\w-]{43}; Path=\/; HttpOnly; SameSite=Strict; Max-Age=43\d{3}$/);
    const sealed = { 'x-forwarded-proto': 'https', origin: server.url.replace('http:', 'https:') };
    expect(await attributes(sealed)).toMatch(
      /^__Host-backup-automation=[\w-]{43}; Path=\/; HttpOnly; SameSite=Strict; Max-Age=43\d{3}; Secure$/,
    );
  });

  test('an id that was planted is not taken over', async () => {
    const planted = `backup-automation=${'A'.repeat(43)}`;
    const cookie = cookieIn(await post('/login', { token: server.tokens.read, back: '/' }, { cookie: planted }));
    expect(cookie).not.toBe(planted);
    expect((await browse('/', { cookie: planted })).status).toBe(303);
    const again = cookieIn(await post('/login', { token: server.tokens.read, back: '/' }, { cookie }));
    expect(again).not.toBe(cookie);
    expect((await browse('/', { cookie })).status).toBe(303);
  });

  test('a session ends with its token, and its stream with it', async () => {
    const { project } = server;
    const { document } = await project.json(['token', 'create', '--name', 'leaver']);
    const cookie = await login(String(document['token']));
    const stream = await fetch(`${server.url}/live`, { headers: { cookie, accept: 'text/event-stream' } });
    expect((await browse('/', { cookie })).status).toBe(200);
    await project.json(['token', 'revoke', 'leaver']);
    expect((await browse('/', { cookie })).status).toBe(303);
    expect(await stream.text()).toContain('retry:');
    const brief = await project.json(['token', 'create', '--name', 'brief', '--expires', '2s']);
    const answer = await post('/login', { token: String(brief.document['token']), back: '/' });
    expect(answer.headers.get('set-cookie')).toMatch(/Max-Age=[01](;|$)/);
    await new Promise((resolve) => setTimeout(resolve, 2100));
    expect((await browse('/', { cookie: cookieIn(answer) })).status).toBe(303);
  });

  test('who logs out is out', async () => {
    const cookie = await login(server.tokens.read);
    const out = await post('/logout', { csrf: csrfIn(await browse('/', { cookie })) }, { cookie });
    expect([out.status, out.headers.get('set-cookie')]).toEqual([303, expect.stringContaining('Max-Age=0') as string]);
    expect((await browse('/', { cookie })).status).toBe(303);
  });

  test('is in the audit with its address, good or not, and no token is anywhere', async () => {
    const { document } = await server.project.json(['events', 'audit', '--limit', '100']);
    expect(document['audit']).toEqual(
      expect.arrayContaining([
        expect.objectContaining({ action: 'login', by: 'token:the-read', address: '127.0.0.1', ok: true }),
        expect.objectContaining({ action: 'login', by: 'anybody', address: '10.1.1.1', ok: false }),
        expect.objectContaining({ action: 'logout', by: 'token:the-read', ok: true }),
      ]),
    );
    const ledger = join(server.project.directory, 'state/ledger');
    const kept = readdirSync(ledger).map((file) => readFileSync(join(ledger, file), 'utf8'));
    expect([...kept, server.said()].join('')).not.toMatch(/bat_[\w-]{5}/);
  });
});

describe('K8: the cookie', () => {
  test('K8: opens nothing of the API', async () => {
    const cookie = await login(server.tokens.admin);
    expect((await server.ask('GET', 'events', { token: '', headers: { cookie } })).status).toBe(401);
    expect((await server.ask('POST', 'execute', { token: '', body: {}, headers: { cookie } })).status).toBe(401);
    expect((await server.ask('GET', '/metrics', { token: '', headers: { cookie } })).status).toBe(401);
  });

  test('K8: a form is no way into the API, and a token none into the page', async () => {
    const form = await server.ask('POST', 'execute', {
      body: 'database=shop',
      headers: { 'content-type': 'application/x-www-form-urlencoded' },
    });
    expect(form.status).toBe(415);
    expect((await browse('/events', { authorization: `Bearer ${server.tokens.admin}` })).status).toBe(303);
  });

  test('K8: does nothing without the token of the form, or for a page elsewhere', async () => {
    const cookie = await login(server.tokens.operate);
    const csrf = csrfIn(await browse('/start', { cookie }));
    const form = { database: '', schedule: '', type: '', key: 'a-key-of-a-form', csrf };
    const strangers: [Readonly<Record<string, string>>, AskOptions['headers']][] = [
      [{ ...form, csrf: '' }, {}],
      [{ ...form, csrf: `${csrf.slice(1)}x` }, {}],
      [{ database: 'shop', key: 'a-key-of-a-form' }, {}],
      [form, { origin: 'https://evil.example' }],
      [form, { origin: 'null' }],
      // the same name, and another server
      [form, { origin: 'http://127.0.0.1:1' }],
      [form, { 'sec-fetch-site': 'same-site' }],
      [form, { 'sec-fetch-site': 'cross-site' }],
    ];
    for (const [sent, headers] of strangers) expect((await post('/start', sent, { cookie, ...headers })).status).toBe(403);
    expect((await post('/login', { token: server.tokens.read, back: '/' }, { origin: 'http://localhost:1' })).status).toBe(403);
    expect((await server.ask('GET', 'events')).body).toMatchObject({ events: [] });
  });
});

describe('what a visitor sees', () => {
  test('K16: a reader is shown no way to start, and has none', async () => {
    const cookie = await login(server.tokens.read);
    const page = await browse('/', { cookie });
    expect(page.text).not.toContain('/start');
    expect((await browse('/start', { cookie })).status).toBe(403);
    expect((await post('/start', { csrf: csrfIn(page), key: 'a-key-of-a-form' }, { cookie })).status).toBe(403);
    expect((await post(`/backups/${'0'.repeat(8)}/verify`, { csrf: csrfIn(page), level: 'restore' }, { cookie })).status).toBe(403);
  });

  test('with nothing there yet, every page says something true', async () => {
    const cookie = await login(server.tokens.read);
    const overview = await browse('/', { cookie });
    expect(overview.text).toContain('no backup');
    expect(overview.text).toContain('Nothing has happened yet');
    for (const path of ['/events', '/backups', '/schedules', '/health', '/schedules/nightly/explain'])
      expect([path, (await browse(path, { cookie })).status]).toEqual([path, 200]);
    for (const path of [
      '/events/0197a3',
      '/backups/0197a3',
      '/schedules/none/explain',
      '/events?cursor=0197a3a1-0000-7000-8000-000000000000',
    ])
      expect([path, (await browse(path, { cookie })).status < 500]).toEqual([path, true]);
  });

  test('a failed backup is shown with its error and what to do, and nothing that is in it runs', async () => {
    const cookie = await login(server.tokens.operate);
    const form = { database: 'shop', schedule: '', type: '', key: 'one-key-of-a-form', csrf: csrfIn(await browse('/start', { cookie })) };
    const [first, twice] = [await post('/start', form, { cookie }), await post('/start', form, { cookie })];
    const place = first.headers.get('location') ?? '';
    expect([first.status, place, twice.headers.get('location')]).toEqual([
      303,
      expect.stringMatching(/^\/events\/[\w-]{36}$/) as string,
      place,
    ]);
    let page = await browse(place, { cookie });
    while (!page.text.includes('failed')) page = await browse(place, { cookie });
    const overview = await browse('/', { cookie });
    for (const { text } of [page, overview, await browse('/events', { cookie })]) {
      expect(text).toContain('&lt;script&gt;');
      expect(text).not.toContain(evil);
    }
    expect(overview.text).toContain('What to do');
    const { document } = await server.project.json(['events', 'audit']);
    expect(document['audit']).toEqual(expect.arrayContaining([expect.objectContaining({ action: 'execute', by: 'token:the-operate' })]));
  });

  test('nothing stands in a page that its policy forbids, and nothing comes from elsewhere', async () => {
    const cookie = await login(server.tokens.operate);
    for (const path of ['/', '/events', '/start', '/health', '/schedules/nightly/explain']) {
      const { text, headers } = await browse(path, { cookie });
      expect(text.match(/ style="|<style|<script>| on[a-z]+="|https?:\/\//g)).toBeNull();
      expect(headers.get('content-security-policy')).toMatch(/^default-src 'none';script-src 'self';style-src 'self'/);
      expect(headers.get('cache-control')).toBe('no-store');
    }
  });

  test('style and script are kept by browsers under names that change with them', async () => {
    const { text } = await browse('/login');
    const paths = [...text.matchAll(/(?:href|src)="(\/assets\/[^"]+)"/g)].map(([, path = '']) => path);
    expect(paths).toHaveLength(3);
    for (const path of paths) {
      const { status, headers } = await browse(path);
      expect([status, headers.get('cache-control')]).toEqual([200, 'public, max-age=31536000, immutable']);
      expect((await browse(path, { 'if-none-match': headers.get('etag') ?? '' })).status).toBe(304);
    }
  });

  test('a storage that cannot be read, and a configuration that became wrong, are told', async () => {
    const { project } = server;
    const cookie = await login(server.tokens.read);
    const file = join(project.directory, 'backup-automation.config.json');
    const before = readFileSync(file, 'utf8');
    // it was used before, and is not mounted now
    project.file('state/storages/local', 'the mark of a disk');
    writeFileSync(file, `${before}\n`);
    const page = await browse('/', { cookie });
    expect([page.status, page.text.includes('cannot be reached')]).toEqual([200, true]);
    writeFileSync(file, before.replace('"cron": "0 2 * * *"', '"cron": "never"'));
    const wrong = await browse('/', { cookie });
    expect([wrong.status, wrong.text.includes('schedules.nightly.cron')]).toEqual([503, true]);
    writeFileSync(file, before);
    expect((await browse('/', { cookie })).status).toBe(200);
  });
});
