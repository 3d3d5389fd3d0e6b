/** test: TLS, origins, hosts and proxies, on real connections. */
import { copyFileSync, existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { createServer, request as httpRequest, type IncomingHttpHeaders } from 'node:http';
import { request as httpsRequest } from 'node:https';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { connect as connectTls } from 'node:tls';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { makeCertificate, type Certificate } from '../fixtures/certificate.js';
import type { Lab } from '../fixtures/lab.js';
import { bareLab, base, startServer, type TestServer } from './server.js';

const origin = 'https://grafana.example.org';
let project: Lab;
let server: TestServer;
let certificate: Certificate | null;
beforeAll(async () => {
  const tls = { cert: 'tls/cert.pem', key: 'tls/key.pem' };
  project = bareLab({
    log: { file: 'serve.log' },
    api: { tls, cors: [origin], allowedHosts: ['backup.example.org'], trustedProxy: ['127.0.0.2'] },
  });
  mkdirSync(join(project.directory, 'tls'));
  certificate = makeCertificate(join(project.directory, 'tls'));
  if (certificate) server = await startServer(project);
});
afterAll(async () => {
  await server?.stop();
  project.cleanup();
});

interface Said {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  readonly text: string;
  /** Of the certificate, as the client saw it. */
  readonly serial: string;
}

interface Asked {
  readonly method?: string;
  readonly path?: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly ca?: string;
}

/** A request over TLS that checks the certificate. */
function ask({ method = 'GET', path = `${base}/active`, headers = {}, ca = certificate?.cert ?? '' }: Asked = {}): Promise<Said> {
  const all = { authorization: `Bearer ${server.tokens.admin}`, ...headers };
  return new Promise((resolve, reject) => {
    const asked = httpsRequest(
      { host: '127.0.0.1', port: server.port, method, path, headers: all, ca, servername: 'localhost', agent: false },
      (response) => {
        let text = '';
        const { socket } = response;
        const serial = 'getPeerCertificate' in socket ? (socket as ReturnType<typeof connectTls>).getPeerCertificate().serialNumber : '';
        response.on('data', (more: Buffer) => (text += more.toString()));
        response.on('end', () => resolve({ status: response.statusCode ?? 0, headers: response.headers, text, serial }));
      },
    );
    asked.on('error', reject).end();
  });
}

const needsOpenssl = () => certificate === null;

describe('TLS', () => {
  test('is spoken, and nothing else', async ({ skip }) => {
    skip(needsOpenssl(), 'there is no openssl');
    expect(server.url).toMatch(/^https:/);
    const said = await ask();
    expect(said.status).toBe(200);
    expect(said.headers['strict-transport-security']).toContain('max-age');
    expect((await server.raw(`GET ${base}/active HTTP/1.1\r\nHost: localhost\r\n\r\n`)).text).not.toMatch(/^HTTP\/1\.1 200/);
  });

  test.each(['TLSv1', 'TLSv1.1', 'TLSv1.2', 'TLSv1.3'] as const)('%s', async (version) => {
    if (needsOpenssl()) return;
    const spoken = await new Promise<string | null>((resolve) => {
      const versions = { minVersion: version, maxVersion: version, ciphers: 'DEFAULT:@SECLEVEL=0' };
      const socket = connectTls({ host: '127.0.0.1', port: server.port, ca: certificate?.cert, ...versions }, () => {
        resolve(socket.getProtocol());
        socket.destroy();
      });
      socket.on('error', () => resolve(null));
    });
    expect(spoken).toBe(['TLSv1.2', 'TLSv1.3'].includes(version) ? version : null);
  });

  test('a certificate that is renewed is taken up; one that is no use changes nothing, and the log says so', async ({ skip }) => {
    skip(needsOpenssl(), 'there is no openssl');
    const folder = join(project.directory, 'tls');
    const before = await ask();
    const other = join(project.directory, 'other');
    mkdirSync(other);
    const renewed = makeCertificate(other);
    // the certificate alone does not fit the key
    writeFileSync(join(folder, 'cert.pem'), renewed?.cert ?? '');
    const log = () => (existsSync(join(project.directory, 'serve.log')) ? readFileSync(join(project.directory, 'serve.log'), 'utf8') : '');
    await expect.poll(log, { timeout: 20_000 }).toContain('the new certificate is no use, so the one before is kept');
    expect((await ask()).serial).toBe(before.serial);
    copyFileSync(join(other, 'key.pem'), join(folder, 'key.pem'));
    await expect.poll(log, { timeout: 20_000 }).toContain('a new certificate was taken up');
    const after = await ask({ ca: renewed?.cert ?? '' });
    expect(after.status).toBe(200);
    expect(after.serial).not.toBe(before.serial);
    certificate = renewed;
    expect(log().match(/is no use/g)).toHaveLength(1);
  });

  test('a certificate that does not fit its key is told at the start', async ({ skip }) => {
    skip(needsOpenssl(), 'there is no openssl');
    const [one, two] = ['one', 'two'].map((name) => join(project.directory, name));
    for (const folder of [one ?? '', two ?? '']) {
      mkdirSync(folder);
      makeCertificate(folder);
    }
    const tls = JSON.stringify({ cert: join(one ?? '', 'cert.pem'), key: join(two ?? '', 'key.pem') });
    const { exitCode, stderr } = await project.run(['serve', '--set', `api.tls=${tls}`]);
    expect({ exitCode, stderr }).toEqual({
      exitCode: 10,
      stderr: expect.stringContaining('the certificate and its key are no use') as string,
    });
  });
});

describe('K8: origins', () => {
  const preflight = (from: string) =>
    ask({ method: 'OPTIONS', path: `${base}/execute`, headers: { origin: from, 'access-control-request-method': 'POST', 'access-control-request-headers': 'authorization,content-type' } }); // prettier-ignore

  test('K8: the named origin alone may read, and is told so beforehand', async ({ skip }) => {
    skip(needsOpenssl(), 'there is no openssl');
    const told = await preflight(origin);
    expect(told.status).toBe(204);
    expect(told.headers).toMatchObject({
      'access-control-allow-origin': origin,
      'access-control-allow-headers': 'authorization,content-type',
    });
    expect(told.headers['access-control-allow-credentials']).toBeUndefined();
    expect((await ask({ headers: { origin } })).headers['access-control-allow-origin']).toBe(origin);
  });

  test.each([`${origin}.evil.example`, 'http://grafana.example.org', 'https://grafana.example.org:444', 'null'])(
    'K8: %s is another',
    async (from) => {
      if (needsOpenssl()) return;
      for (const said of [await preflight(from), await ask({ headers: { origin: from } })])
        expect(said.headers['access-control-allow-origin']).toBeUndefined();
      expect((await ask({ method: 'DELETE', path: `${base}/events`, headers: { origin: from } })).status).toBe(403);
    },
  );
});

describe('K7: hosts and proxies', () => {
  test.each([
    ['backup.example.org', 200],
    ['BACKUP.example.org:443', 200],
    ['backup.example.org.evil.example', 421],
    ['other.example.org', 421],
  ])('K7: %s', async (host, status) => {
    if (needsOpenssl()) return;
    expect((await ask({ headers: { host } })).status).toBe(status);
  });

  /** Who did what last, from where. */
  const newest = async (): Promise<unknown> => {
    const { audit } = JSON.parse((await ask({ path: `${base}/audit` })).text) as { audit: readonly unknown[] };
    return audit[0];
  };

  test('K7: what a proxy says of its client is believed where the proxy is named, and nobody else', async ({ skip }) => {
    skip(needsOpenssl(), 'there is no openssl');
    const forwarded = { 'x-forwarded-for': '203.0.113.9', 'x-forwarded-host': 'backup.example.org', 'x-forwarded-proto': 'https' };
    const proxy = createServer((asked, answer) => {
      const headers = { ...asked.headers, ...forwarded, host: 'inner.example.org' };
      const options = { host: '127.0.0.1', port: server.port, localAddress: asked.url === '/stranger' ? '127.0.0.3' : '127.0.0.2', ca: certificate?.cert, servername: 'localhost' }; // prettier-ignore
      const inner = httpsRequest({ ...options, method: 'DELETE', path: `${base}/events`, headers, agent: false }, (response) => {
        answer.writeHead(response.statusCode ?? 502);
        response.pipe(answer);
      });
      inner.on('error', () => answer.writeHead(502).end()).end();
    });
    await new Promise<void>((resolve) => proxy.listen(0, '127.0.0.1', resolve));
    const through = (path: string): Promise<number> =>
      new Promise((resolve) => {
        const { port } = proxy.address() as AddressInfo;
        const headers = { authorization: `Bearer ${server.tokens.admin}` };
        httpRequest({ host: '127.0.0.1', port, path, headers }, (response) => resolve(response.resume().statusCode ?? 0)).end();
      });
    try {
      expect(await through('/named')).toBe(200);
      expect(await newest()).toMatchObject({ action: 'events clear', address: '203.0.113.9' });
      // the Host that the stranger really sent is not ours
      expect(await through('/stranger')).toBe(421);
      expect((await ask({ method: 'DELETE', path: `${base}/events`, headers: forwarded })).status).toBe(200);
      expect(await newest()).toMatchObject({ action: 'events clear', address: '127.0.0.1' });
    } finally {
      proxy.close();
    }
  });
});
