/** system/connection: the server that an entry means, on real servers. Rows C5, C6, C7, C22 (connections) and C24 of the promises. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer, type AddressInfo, type Server as Listener } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, describe, expect, inject, it } from 'vitest';
import type { DatabaseEntry } from '../../../src/model/settings/connection.js';
import { Failure } from '../../../src/model/errors.js';
import { startCluster, type Cluster } from '../../../src/system/postgres/cluster.js';
import { resolveServer } from '../../../src/system/connection/connection.js';
import { capture } from '../../../src/system/programs/exec.js';
import type { Session } from '../../../src/system/postgres/postgres.js';
import { cloneDatabase, databaseUrl, program, quoteName, serverPrograms, sql } from '../../fixtures/database.js';

const folder = mkdtempSync(join(tmpdir(), 'backup-automation-test-'));
const open: Session[] = [];
let cluster: Cluster;
let listener: Listener;
let foreignConnects = 0;

beforeAll(async () => {
  cluster = await startCluster({ programs: await serverPrograms(), tcp: true });
  await sql(
    cluster.url('postgres'),
    "CREATE ROLE backup LOGIN PASSWORD 'right:\\pass word'; CREATE ROLE nobody LOGIN PASSWORD 'right'; REVOKE CONNECT ON DATABASE postgres FROM PUBLIC; GRANT CONNECT ON DATABASE postgres TO backup;",
  );
  listener = createServer((socket) => {
    foreignConnects += 1;
    socket.destroy();
  });
  await new Promise<void>((resolve) => {
    listener.listen(0, '127.0.0.1', resolve);
  });
});
afterEach(async () => {
  await Promise.all(open.splice(0).map((session) => session.close()));
});
afterAll(async () => {
  listener.close();
  await cluster.stop();
  rmSync(folder, { recursive: true, force: true });
});

const resolve = (entry: DatabaseEntry, env: Record<string, string> = {}) =>
  resolveServer(entry, { env: { HOME: folder, ...env }, secret: async (reference) => env[reference.slice(4)] ?? '' });

async function connect(entry: DatabaseEntry, env: Record<string, string> = {}, settings = {}): Promise<Session> {
  const session = await (await resolve(entry, env)).connect({ applicationName: 'backup-automation test', settings });
  open.push(session);
  return session;
}

async function failure(entry: DatabaseEntry, env: Record<string, string> = {}): Promise<Failure> {
  const error: unknown = await connect(entry, env).catch((thrown: unknown) => thrown);
  if (error instanceof Failure) return error;
  throw new Error(`connected, or threw something else: ${String(error)}`);
}

const tcp = (): DatabaseEntry => ({ host: '127.0.0.1', port: cluster.port, user: 'backup', database: 'postgres' });
const password = 'right:\\pass word';
const current = async (session: Session) => (await session.query<{ name: string }>('SELECT current_database() AS name'))[0]?.name;

describe('several hosts', () => {
  const dead = () => (listener.address() as AddressInfo).port;

  it('takes the first that answers, and stays with it', async () => {
    const server = await resolve({ ...tcp(), host: '127.0.0.1,localhost', port: `${dead()},${cluster.port}` }, { PGPASSWORD: password });
    expect(server.address).toMatchObject({ host: 'localhost', port: cluster.port, user: 'backup', sslmode: 'disable' });
    const child = server.childEnvironment('/dev/null');
    expect(child).toMatchObject({ PGHOST: 'localhost', PGHOSTADDR: server.address.hostaddr, PGPORT: `${cluster.port}` });
    expect(JSON.stringify(child)).not.toContain('right');
  });

  it('names every host when none answers', async () => {
    const { code, class: kind, message } = await failure({ ...tcp(), host: '127.0.0.1,127.0.0.1', port: `${dead()},1` });
    expect([code, kind]).toEqual(['connection', 'transient']);
    expect(message).toContain(`127.0.0.1:${dead()}`);
    expect(message).toContain('127.0.0.1:1');
  });

  it('honours target_session_attrs', async () => {
    const env = { PGPASSWORD: password };
    const session = await connect({ ...tcp(), targetSessionAttrs: 'prefer-standby' }, env);
    expect(await current(session)).toBe('postgres');
    expect(await failure({ ...tcp(), targetSessionAttrs: 'standby' }, env)).toMatchObject({
      code: 'connection',
      message: expect.stringContaining('is a primary') as string,
    });
  });

  it('reaches the address of PGHOSTADDR under the name of the host, and reports a name that does not exist', async () => {
    const env = {
      PGPASSWORD: password,
      PGHOST: 'db1.invalid',
      PGHOSTADDR: '127.0.0.1',
      PGPORT: `${cluster.port}`,
      PGUSER: 'backup',
      PGDATABASE: 'postgres',
    };
    expect((await resolve({}, env)).address).toMatchObject({ host: 'db1.invalid', hostaddr: '127.0.0.1' });
    expect(await failure({ host: 'db1.invalid' })).toMatchObject({
      code: 'connection',
      message: expect.stringContaining('db1.invalid') as string,
    });
  });
});

describe('passwords', () => {
  it('come from the passfile, and go to children by one that pg_dump and psql understand', async () => {
    const passfile = join(folder, 'pgpass');
    writeFileSync(passfile, `127.0.0.1:${cluster.port}:postgres:backup:right\\:\\\\pass word\n`, { mode: 0o600 });
    const server = await resolve(tcp(), { PGPASSFILE: passfile });
    const own = join(folder, 'own');
    writeFileSync(own, server.passfileLine() ?? '', { mode: 0o600 });
    const said = await capture(program('psql'), ['-XAtw', '-c', 'SELECT current_user'], { env: server.childEnvironment(own) });
    expect(said).toMatchObject({ exitCode: 0, stdout: 'backup' });
  });

  it('C7: a wrong one is permanent and never shown', async () => {
    const wrong = await failure(tcp(), { PGPASSWORD: 'wrong-secret' });
    expect(wrong).toMatchObject({ code: 'authentication', class: 'permanent' });
    expect(wrong.message).toContain(`database "postgres" at 127.0.0.1:${cluster.port} as user "backup"`);
    expect(`${wrong.message}${wrong.hint}${JSON.stringify(wrong)}`).not.toContain('wrong-secret');
  });

  it('C7: none, with the passfile that was passed over in the hint', async () => {
    const passfile = join(folder, 'open');
    writeFileSync(passfile, '*:*:*:*:right\n', { mode: 0o644 });
    const missing = await failure(tcp(), { PGPASSFILE: passfile });
    expect(missing.code).toBe('authentication');
    expect(missing.hint).toContain(`chmod 0600 ${passfile}`);
    expect((await failure(tcp())).hint).toContain('PGPASSWORD');
  });

  it('C7: expired roles, missing privileges and databases are told apart', async () => {
    await sql(cluster.url('postgres'), "CREATE ROLE expired LOGIN PASSWORD 'right' VALID UNTIL '2001-01-01';");
    const env = { PGPASSWORD: 'right' };
    expect((await failure({ ...tcp(), user: 'expired' }, env)).code).toBe('authentication');
    expect((await failure({ ...tcp(), user: 'nobody' }, env)).code).toBe('permission');
    expect((await failure({ ...tcp(), database: 'missing' }, { PGPASSWORD: password })).code).toBe('no-database');
  });
});

describe('sessions', () => {
  const socket = (): DatabaseEntry => ({ url: databaseUrl('postgres') });

  it('C5: a role with a statement_timeout of 1 ms does not stop them', async () => {
    const role = `hasty_${process.pid}`;
    await sql(
      databaseUrl('postgres'),
      `CREATE ROLE ${role} LOGIN; ALTER ROLE ${role} SET statement_timeout = 1; ALTER ROLE ${role} SET search_path = nowhere;`,
    );
    try {
      const session = await connect({ ...socket(), user: role });
      expect(await session.query('SELECT pg_sleep(0.05), 1::int8 AS one')).toMatchObject([{ one: 1 }]);
      expect(await session.query('SHOW search_path')).toEqual([{ search_path: 'pg_catalog' }]);
      await session.close();
      const bounded = await connect({ ...socket(), user: role }, {}, { statement_timeout: '20' });
      await expect(bounded.query('SELECT pg_sleep(5)')).rejects.toThrow(/statement timeout/);
      await bounded.close();
    } finally {
      await sql(databaseUrl('postgres'), `DROP ROLE ${role};`);
    }
  });

  it('C6: a role without connections left is busy, not broken', async () => {
    await sql(
      cluster.url('postgres'),
      "CREATE ROLE lonely LOGIN PASSWORD 'right' CONNECTION LIMIT 1; GRANT CONNECT ON DATABASE postgres TO lonely;",
    );
    const env = { PGPASSWORD: 'right' };
    const server = await resolve({ ...tcp(), user: 'lonely' }, env);
    // the place of a closed session is free at once
    for (let at = 0; at < 5; at += 1) await (await server.connect({ applicationName: 'one' })).close();
    open.push(await server.connect({ applicationName: 'one' }));
    await expect(server.connect({ applicationName: 'two' })).rejects.toMatchObject({ code: 'server-busy', class: 'busy' });
  });

  it('outlive the loss of an idle one, and say so at the next query', async () => {
    const session = await connect(socket());
    await sql(databaseUrl('postgres'), `SELECT pg_terminate_backend(${session.backendPid}, 5000);`);
    await expect(session.query('SELECT 1')).rejects.toMatchObject({ code: 'connection' });
    await session.close();
  });

  it('cancel what runs, and are of use afterwards', async () => {
    const session = await connect(socket());
    const running = session.query('SELECT pg_sleep(60)');
    const cancelled = expect(running).rejects.toThrow(/canceling statement/);
    await sql(
      databaseUrl('postgres'),
      `DO $$ BEGIN LOOP EXIT WHEN EXISTS (SELECT FROM pg_stat_activity WHERE pid = ${session.backendPid} AND wait_event = 'PgSleep'); PERFORM pg_sleep(0.01); PERFORM pg_stat_clear_snapshot(); END LOOP; END $$;`,
    );
    await session.cancel();
    await cancelled;
    expect(await session.query('SELECT 1 AS one')).toEqual([{ one: 1 }]);
  });

  it('map what the server says', async () => {
    const session = await connect(socket());
    await expect(session.query('SELECT * FROM nowhere')).rejects.toMatchObject({
      code: 'engine',
      message: expect.stringContaining('nowhere') as string,
    });
    await session.query('SET ROLE pg_monitor');
    await expect(session.query('SELECT * FROM pg_authid')).rejects.toMatchObject({ code: 'permission' });
  });

  it('stop connecting when asked to, with the reason given', async () => {
    const silent = createServer();
    await new Promise<void>((done) => {
      silent.listen(0, '127.0.0.1', done);
    });
    const stop = new AbortController();
    const reason = new Failure('interrupted', 'stopped by SIGINT');
    silent.once('connection', (socket) => {
      socket.on('error', () => undefined);
      stop.abort(reason);
    });
    const { port } = silent.address() as AddressInfo;
    const waiting = resolveServer({ ...tcp(), port }, { env: { HOME: folder }, secret: async () => '', signal: stop.signal });
    await expect(waiting).rejects.toBe(reason);
    silent.close();
  });
});

describe('C22: names of databases', () => {
  const names = () => {
    const { port } = listener.address() as AddressInfo;
    return [
      `host=127.0.0.1 port=${port} dbname=x`,
      `postgresql://127.0.0.1:${port}/x`,
      `dbname=postgres host=127.0.0.1 port=${port}`,
      'host=evil dbname=x',
      'a\'b"c',
      '-Fp', // other names than in the faults, which make theirs on the same server at the same time
      '--version',
      '$(id)',
      '`id`',
      '; DROP DATABASE postgres',
      'two\nlines',
      'tab\there',
      'back\\slash',
      'per%20cent%00',
      '../../etc',
      ' spaces ',
      '🐘 emoji',
      'é'.repeat(31),
      'UPPER',
      '**',
    ];
  };

  it('are names and nothing else, for our sessions and for children', async () => {
    const before = foreignConnects;
    for (const name of names()) {
      const database = await cloneDatabase('empty', name);
      try {
        const server = await resolve({ url: databaseUrl('postgres'), database: name });
        const session = await server.connect({ applicationName: 'backup-automation test' });
        expect(await current(session)).toBe(name);
        await session.close();
        const said = await capture(program('psql'), ['-XAtwc', 'SELECT current_database()'], { env: server.childEnvironment('/dev/null') });
        expect(said).toMatchObject({ exitCode: 0, stdout: name });
        const other = await (await resolve({ url: databaseUrl('postgres') })).connect({ applicationName: 'x', databaseName: name });
        expect(await current(other)).toBe(name);
        await other.close();
      } finally {
        await database.drop();
      }
    }
    expect(foreignConnects - before).toBe(0);
  });
});

it('C24: functions that shadow those of the server are not called', async () => {
  const database = await cloneDatabase('empty');
  try {
    await sql(
      database.url,
      `CREATE FUNCTION public.current_database() RETURNS name LANGUAGE sql AS $$ SELECT 'fooled'::name $$; ALTER DATABASE ${quoteName(database.name)} SET search_path = public, pg_catalog;`,
    );
    const session = await connect({ url: database.url });
    expect(await current(session)).toBe(database.name);
    expect(session.serverMajor).toBe(inject('postgres').major);
    await session.close();
  } finally {
    await database.drop();
  }
});
