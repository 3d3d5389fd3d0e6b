/** system/connection-tls: sslmode against real servers with certificates of our own making. Row C8 of the promises. */
import { execFileSync } from 'node:child_process';
import { chmodSync, chownSync, copyFileSync, mkdirSync, mkdtempSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { createServer, type AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { DatabaseEntry } from '../../../src/model/settings/connection.js';
import { startCluster, type Cluster } from '../../../src/system/postgres/cluster.js';
import { resolveServer } from '../../../src/system/connection/connection.js';
import { tlsFiles } from '../../../src/system/connection/tls.js';
import { capture } from '../../../src/system/programs/exec.js';
import { program, serverPrograms, sql } from '../../fixtures/database.js';

const folder = mkdtempSync(join(tmpdir(), 'backup-automation-test-'));
const at = (name: string): string => join(folder, name);
const hasOpenssl = (() => {
  try {
    execFileSync('openssl', ['version']);
    return true;
  } catch {
    return false;
  }
})();
let cluster: Cluster;

const openssl = (...args: string[]): void => void execFileSync('openssl', args, { cwd: folder, stdio: 'pipe' });

function authority(name: string): void {
  openssl(
    'req',
    '-x509',
    '-newkey',
    'rsa:2048',
    '-nodes',
    '-days',
    '2',
    '-subj',
    `/CN=${name}`,
    '-keyout',
    `${name}.key`,
    '-out',
    `${name}.crt`,
  );
}

/** A certificate for localhost, by `ca`; `days` 0 has expired when it is used. */
function certificate(name: string, ca: string, days: string, subject = 'localhost'): void {
  openssl('req', '-newkey', 'rsa:2048', '-nodes', '-subj', `/CN=${subject}`, '-keyout', `${name}.key`, '-out', `${name}.csr`);
  writeFileSync(at('ext'), `subjectAltName=DNS:${subject}\n`);
  openssl(
    'x509',
    '-req',
    '-in',
    `${name}.csr`,
    '-CA',
    `${ca}.crt`,
    '-CAkey',
    `${ca}.key`,
    '-CAcreateserial',
    '-days',
    days,
    '-extfile',
    'ext',
    '-out',
    `${name}.crt`,
  );
}

/** Gives the server a certificate and rules, and waits until it uses them. */
async function serve(name: string, rules: string, ssl: 'on' | 'off' = 'on'): Promise<void> {
  const { dataDirectory } = cluster;
  const owner = statSync(dataDirectory);
  for (const [from, to] of [
    [`${name}.crt`, 'server.crt'],
    [`${name}.key`, 'server.key'],
    ['ours.crt', 'root.crt'],
  ] as const) {
    copyFileSync(at(from), join(dataDirectory, to));
    chownSync(join(dataDirectory, to), owner.uid, owner.gid);
    chmodSync(join(dataDirectory, to), 0o600);
  }
  writeFileSync(join(dataDirectory, 'pg_hba.conf'), `local all all trust\n${rules}\n`);
  const before = (await sql(cluster.url('postgres'), 'SELECT pg_conf_load_time();')).trim();
  for (const statement of [`ALTER SYSTEM SET ssl = '${ssl}'`, "ALTER SYSTEM SET ssl_ca_file = 'root.crt'", 'SELECT pg_reload_conf()'])
    await sql(cluster.url('postgres'), statement);
  while ((await sql(cluster.url('postgres'), 'SELECT pg_conf_load_time();')).trim() === before);
}

beforeAll(async () => {
  if (!hasOpenssl) return;
  cluster = await startCluster({ programs: await serverPrograms(), tcp: true });
  await sql(cluster.url('postgres'), "CREATE ROLE backup LOGIN PASSWORD 'right';");
  authority('ours');
  authority('theirs');
  certificate('good', 'ours', '2');
  certificate('expired', 'ours', '0');
  certificate('unknown', 'theirs', '2');
  certificate('client', 'ours', '2', 'backup');
});
afterAll(async () => {
  await cluster?.stop();
  rmSync(folder, { recursive: true, force: true });
});

const onlyTls = 'hostssl all all 127.0.0.1/32 scram-sha-256';
const entry = (change: Partial<DatabaseEntry> = {}): DatabaseEntry => ({
  host: 'localhost',
  port: cluster.port,
  user: 'backup',
  database: 'postgres',
  ...change,
});
const resolve = (change: Partial<DatabaseEntry> = {}, env: Record<string, string> = {}) =>
  // localhost may be ::1 first, where nobody listens
  resolveServer(entry(change), { env: { HOME: folder, PGPASSWORD: 'right', PGHOSTADDR: '127.0.0.1', ...env }, secret: async () => '' });
const code = (change: Partial<DatabaseEntry>) =>
  resolve(change).then(
    ({ address }) => `connected with ${address.sslmode}`,
    (error: { code: string }) => error.code,
  );

describe.skipIf(!hasOpenssl)('C8: a server that wants TLS', () => {
  it('is reached by prefer, allow and require, and not in clear text', async () => {
    await serve('good', onlyTls);
    expect(await code({ sslmode: 'disable' })).toBe('authentication');
    for (const sslmode of ['prefer', 'allow', 'require'] as const) {
      const server = await resolve({ sslmode });
      expect(server.address.sslmode).toBe('require');
      const session = await server.connect({ applicationName: 'test' });
      expect(await session.query('SELECT ssl FROM pg_stat_ssl WHERE pid = pg_backend_pid()')).toEqual([{ ssl: true }]);
      await session.close();
    }
  });

  it('is refused where channel_binding=require cannot be had, and the password stays here', async () => {
    await serve('good', `${onlyTls}\nhostnossl all all 127.0.0.1/32 scram-sha-256`);
    const env = { PGCHANNELBINDING: 'require' };
    const server = await resolve({ sslmode: 'require' }, env);
    expect(server.childEnvironment('/dev/null')).toMatchObject({ PGCHANNELBINDING: 'require' });
    await expect(resolve({ sslmode: 'disable' }, env)).rejects.toMatchObject({
      code: 'tls',
      message: expect.stringContaining('channel_binding') as string,
    });
    await serve('good', 'hostssl all all 127.0.0.1/32 trust');
    await expect(resolve({ sslmode: 'require' }, env)).rejects.toMatchObject({ code: 'tls' });
  });

  it('is verified: host name by verify-full alone, the authority by both', async () => {
    await serve('good', onlyTls);
    const sslrootcert = at('ours.crt');
    expect(await code({ sslmode: 'verify-full', sslrootcert })).toBe('connected with verify-full');
    expect(await code({ sslmode: 'verify-full', sslrootcert, host: '127.0.0.1' })).toBe('tls');
    expect(await code({ sslmode: 'verify-ca', sslrootcert, host: '127.0.0.1' })).toBe('connected with verify-ca');
    expect(await code({ sslmode: 'verify-ca', sslrootcert: at('theirs.crt') })).toBe('tls');
    // as libpq: a root certificate that is there is used by require too
    expect(await code({ sslmode: 'require', sslrootcert: at('theirs.crt') })).toBe('tls');
    expect(await code({ sslmode: 'verify-full', sslrootcert: at('absent.crt') })).toBe('tls');
    expect(await code({ sslrootcert: 'system' })).toBe('tls');
  });

  it('is refused when its certificate expired or comes from another authority', async () => {
    const sslrootcert = at('ours.crt');
    for (const name of ['expired', 'unknown']) {
      await serve(name, onlyTls);
      expect(await code({ sslmode: 'verify-full', sslrootcert })).toBe('tls');
      expect(await code({ sslmode: 'verify-ca', sslrootcert })).toBe('tls');
    }
  });

  it('takes a client certificate, and children reach it with the same files', async () => {
    await serve('good', 'hostssl all all 127.0.0.1/32 cert');
    const files = { sslmode: 'verify-full', sslrootcert: at('ours.crt'), sslcert: at('client.crt'), sslkey: at('client.key') } as const;
    expect(await code({ ...files, sslcert: at('absent.crt') })).toBe('tls');
    const server = await resolve(files);
    const env = server.childEnvironment('/dev/null');
    expect(env).toMatchObject({ PGSSLMODE: 'verify-full', PGSSLROOTCERT: at('ours.crt'), PGSSLCERT: at('client.crt') });
    const said = await capture(program('psql'), ['-XAtwc', 'SELECT ssl, client_dn FROM pg_stat_ssl WHERE pid = pg_backend_pid()'], { env });
    expect(said).toMatchObject({ exitCode: 0, stdout: 't|/CN=backup' });
  });

  it('finds the files where libpq looks for them', async () => {
    await serve('good', onlyTls);
    mkdirSync(at('.postgresql'), { recursive: true });
    copyFileSync(at('ours.crt'), at('.postgresql/root.crt'));
    try {
      expect(await code({ sslmode: 'verify-full' })).toBe('connected with verify-full');
      expect(tlsFiles({}, { HOME: folder }).root).toBe(at('.postgresql/root.crt'));
    } finally {
      rmSync(at('.postgresql'), { recursive: true });
    }
  });
});

describe.skipIf(!hasOpenssl)('C8: a server without TLS', () => {
  it('is reached in clear text by prefer and allow only', async () => {
    await serve('good', 'host all all 127.0.0.1/32 scram-sha-256', 'off');
    expect(await code({ sslmode: 'prefer' })).toBe('connected with disable');
    expect(await code({ sslmode: 'allow' })).toBe('connected with disable');
    expect(await code({ sslmode: 'require' })).toBe('tls');
    expect(await code({ sslmode: 'verify-full', sslrootcert: at('ours.crt') })).toBe('tls');
  });

  it('never sees more than the question for TLS where it was asked for', async () => {
    const seen: Buffer[] = [];
    const refusing = createServer((socket) => {
      socket
        .on('error', () => undefined)
        .on('data', (bytes) => {
          seen.push(bytes);
          socket.write('N');
        });
    });
    await new Promise<void>((done) => {
      refusing.listen(0, '127.0.0.1', done);
    });
    const { port } = refusing.address() as AddressInfo;
    for (const sslmode of ['require', 'verify-ca', 'verify-full'] as const)
      expect(await code({ port, sslmode, sslrootcert: at('ours.crt') })).toBe('tls');
    refusing.close();
    const question = Buffer.from([0, 0, 0, 8, 4, 210, 22, 47]);
    expect(seen).toEqual([question, question, question]);
  });
});
