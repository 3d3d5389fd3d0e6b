/** test: what is too large, too slow, too many or no HTTP (K4, K5, K10); bytes on real sockets. */
import { readFileSync } from 'node:fs';
import { connect, type Socket } from 'node:net';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { count } from '../fixtures/counts.js';
import { until } from '../faults/processes.js';
import { bareLab, base, startServer, type TestServer } from './server.js';

let server: TestServer;
beforeAll(async () => (server = await startServer(bareLab())));
afterAll(async () => {
  await server.stop();
  server.project.cleanup();
});

/** MB */
const memory = (): number => Number(/VmRSS:\s+(\d+)/.exec(readFileSync(`/proc/${server.child.pid}/status`, 'utf8'))?.[1]) / 1024;
const head = (line: string, more = ''): string =>
  `${line}\r\nHost: localhost\r\nAuthorization: Bearer ${server.tokens.admin}\r\n${more}\r\n`;
const statusOf = ({ text }: { text: string }): number => Number(/^HTTP\/1\.1 (\d+)/.exec(text)?.[1] ?? 0);

describe('K4: what is too large', () => {
  const put = `PUT ${base}/config HTTP/1.1`;
  const json = 'Content-Type: application/json\r\n';

  test('K4: a body of 1 MB and one byte', async () => {
    const size = 1_048_577;
    const answer = await server.raw(`${head(put, `${json}Content-Length: ${size}\r\n`)}${' '.repeat(size)}`);
    expect(answer.closed).toBe(true);
    expect([0, 413]).toContain(statusOf(answer));
    expect(statusOf(await server.raw(head(put, `${json}Content-Length: ${size}\r\n`)))).toBe(413);
  });

  test('K4: chunks without end', async () => {
    const before = memory();
    const chunk = `10000\r\n${'x'.repeat(0x10000)}\r\n`;
    const answer = await server.raw(head(put, `${json}Transfer-Encoding: chunked\r\n`) + chunk.repeat(count(160, 1600)));
    expect(answer.closed).toBe(true);
    expect([0, 413]).toContain(statusOf(answer));
    expect(memory() - before).toBeLessThan(100);
  });

  test('K4: a hundred thousand headers, and a URL of 1 MB', async () => {
    const headers = Array.from({ length: 100_000 }, (_, index) => `X-${index}: 1\r\n`).join('');
    const many = await server.raw(head(`GET ${base}/active HTTP/1.1`, headers));
    const long = await server.raw(head(`GET ${base}/active?${'x'.repeat(1_048_576)} HTTP/1.1`));
    for (const answer of [many, long]) {
      expect(answer.closed).toBe(true);
      expect([0, 431]).toContain(statusOf(answer));
    }
    expect(statusOf(await server.raw(head(`GET ${base}/active?${'x'.repeat(20_000)} HTTP/1.1`)))).toBe(431);
  });
});

describe('K5: who only holds the line', () => {
  const hold = (bytes: string): Promise<Socket> =>
    new Promise((resolve) => {
      const socket = connect(server.port, '127.0.0.1', () => {
        socket.write(bytes);
        resolve(socket);
      }).resume();
      socket.on('error', () => resolve(socket));
    });

  test('K5: idle connections and half heads keep nobody out', async () => {
    const held: Socket[] = [];
    try {
      const all = count(500, 2000);
      for (let index = 0; index < all; index += 1) held.push(await hold(index % 2 === 0 ? '' : `GET ${base}/active HTTP/1.1\r\nHost: loc`));
      for (let round = 0; round < 10; round += 1) {
        expect((await server.ask('GET', '/healthz', { token: '', headers: { connection: 'close' } })).status).toBe(200);
        expect((await server.ask('GET', 'active', { headers: { connection: 'close' } })).status).toBe(200);
      }
      // sooner than what does not ask is cut off anyhow
      await until('no more than 200 are held', () => held.filter(({ destroyed }) => !destroyed).length <= 200, 5);
    } finally {
      for (const socket of held) socket.destroy();
    }
  });

  test('K5: a head that does not end is cut off after ten seconds', async () => {
    const { closed, text } = await server.raw(`GET ${base}/active HTTP/1.1\r\nHost: localhost\r\nX-Slow: `, 15_000);
    expect(closed).toBe(true);
    expect(text).toMatch(/^HTTP\/1\.1 408 /);
  });

  test('K5: a slow body is not waited for where nobody is let in', async () => {
    const slow = `PUT ${base}/config HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nContent-Length: 100000\r\n\r\n{`;
    expect(await server.raw(slow, 5000)).toMatchObject({ closed: true, text: expect.stringMatching(/^HTTP\/1\.1 401 /) as string });
  });
});

describe('K10: verbs and messages', () => {
  test.each(['TRACE', 'PATCH', 'PROPFIND', 'BREW', 'get'])('K10: %s', async (verb) => {
    expect([400, 405]).toContain(statusOf(await server.raw(head(`${verb} ${base}/config HTTP/1.1`, 'Connection: close\r\n'))));
  });

  test('K10: CONNECT is no proxy', async () => {
    const { closed, text } = await server.raw('CONNECT 169.254.169.254:80 HTTP/1.1\r\nHost: localhost\r\n\r\n');
    expect(closed).toBe(true);
    expect(text).not.toMatch(/^HTTP\/1\.1 200/);
  });

  test('K10: another method in a header is not believed', async () => {
    const headers = { 'x-http-method-override': 'DELETE', 'x-http-method': 'DELETE', 'x-method-override': 'DELETE' };
    const { body } = await server.ask('GET', 'events', { headers });
    expect(body).toHaveProperty('events');
    expect((await server.ask('GET', 'audit')).text).not.toContain('events clear');
  });

  test.each([
    ['two lengths', 'Content-Length: 2\r\nContent-Length: 3\r\n\r\n{}'],
    ['a length and chunks', 'Content-Length: 2\r\nTransfer-Encoding: chunked\r\n\r\n2\r\n{}\r\n0\r\n\r\n'],
    ['chunks and something else', 'Transfer-Encoding: chunked, identity\r\n\r\n2\r\n{}\r\n0\r\n\r\n'],
    ['a folded header', 'X-A: 1\r\n 2\r\n\r\n'],
    ['a blank before the colon', 'Content-Length : 2\r\n\r\n{}'],
  ])('K10: %s', async (_what, rest) => {
    const start = `PUT ${base}/config HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer ${server.tokens.admin}\r\nContent-Type: application/json\r\n`;
    const { closed, text } = await server.raw(start + rest);
    expect(text).toMatch(/^HTTP\/1\.1 400 /);
    expect(closed).toBe(true);
  });
});
