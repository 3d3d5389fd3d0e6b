/**
 * test: faults of the server and of its programs (rows C of docs/reliability.md). Whatever lies, hangs or dies: no such backup is ever good.
 */
import { execFileSync } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { createServer, type Server } from 'node:net';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, describe, expect, inject, it } from 'vitest';
import { startCluster, type Cluster } from '../../src/system/postgres/cluster.js';
import { startCli } from '../fixtures/cli.js';
import { count, isFull } from '../fixtures/counts.js';
import { cloneDatabase, databaseUrl, program, serverPrograms, sql, type TestDatabase } from '../fixtures/database.js';
import { lab, type Answer, type Lab, type Settings } from '../fixtures/lab.js';
import { shim, shimDirectory, type Shim, type ShimDirectory } from '../fixtures/shims.js';
import { until } from './processes.js';

let shop: TestDatabase;
const open: { cleanup(): void }[] = [];
const folders: ShimDirectory[] = [];

beforeAll(async () => {
  shop = await cloneDatabase('shop');
});
afterAll(() => shop.drop());
afterEach(() => {
  for (const project of open.splice(0)) project.cleanup();
  for (const folder of folders.splice(0)) folder.remove();
});

function project(more: Settings = {}, databases: Readonly<Record<string, object>> = { shop: { url: shop.url } }): Lab {
  const made = lab(databases, more);
  open.push(made);
  return made;
}

/** The configuration to use these shims. */
function shimmed(replaced: Readonly<Record<string, Shim>>): { clientDirectory: string } {
  const folder = shimDirectory(replaced);
  folders.push(folder);
  return { clientDirectory: folder.directory };
}

/** Everything that must hold after a failure: nothing stored, nothing listed, nothing of ours left on the server. */
async function leftNothing(made: Lab): Promise<void> {
  expect(made.stored().filter((name) => name.includes('/'))).toEqual([]);
  expect((await made.json(['backups'])).document.backups).toEqual([]);
}

const ofOurs = `SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND application_name LIKE 'backup-automation:%'`;

const failedWith = ({ exitCode, document }: Answer) => ({
  exitCode,
  code: document.error?.code,
  class: document.error?.class,
  status: document.events?.[0]?.status,
});

describe('a server that dies, and backends that are ended', () => {
  let cluster: Cluster;
  beforeAll(async () => {
    cluster = await startCluster({ programs: await serverPrograms() });
  });
  afterAll(() => cluster.stop());

  const dying = async (kill: (url: string) => Promise<unknown>, url: string): Promise<[Answer, Lab]> => {
    const shims = shimDirectory({ pg_dump: shim.held });
    folders.push(shims);
    // compressed it would be said to the pipe at once, and there would be nothing left to interrupt
    const made = project({ clientDirectory: shims.directory, compression: 'none' }, { shop: { url } });
    const { done } = startCli(['execute', '--json'], { cwd: made.directory, env: made.env });
    await until('a dump under way', async () => (await sql(url, `${ofOurs} AND query ~ '^COPY'`)) !== '0');
    await kill(url);
    shims.release();
    const { exitCode, stdout, stderr } = await done;
    return [{ exitCode, document: JSON.parse(stdout) as Answer['document'], stdout, stderr }, made];
  };

  it.each([
    ['pg_dump', "query ~ '^COPY'"],
    ['every session of ours', "application_name LIKE 'backup-automation:%'"],
  ])('C3: %s is ended by the server: transient, a retry is left, nothing is stored', async (_who, where) => {
    const rounds = count(1, 7);
    for (let round = 0; round < rounds; round += 1) {
      const [answer, made] = await dying(
        (url) =>
          sql(
            url,
            `SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid() AND ${where}`,
          ),
        shop.url,
      );
      expect(failedWith(answer)).toEqual({ exitCode: 20, code: 'connection', class: 'transient', status: 'failed' });
      expect((await made.json(['events', '--status', 'pending'])).document.events).toMatchObject([{ type: 'retry', attempt: 2 }]);
      await leftNothing(made);
      expect(await sql(shop.url, ofOurs)).toBe('0');
    }
  });

  it('C3: the session that held the snapshot is ended after the counting: the dump has the snapshot too, and is equal', async () => {
    // the last thing it asks: which tables of extensions have rows that no dump holds
    const counted = "state = 'idle in transaction' AND application_name LIKE 'backup-automation:%' AND query LIKE '%coalesce(e.extconfig%'";
    const [answer, made] = await dying(async (url) => {
      await until('it has counted', async () => (await sql(url, `${ofOurs} AND ${counted}`)) === '1');
      await sql(url, `SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = current_database() AND ${counted}`);
    }, shop.url);
    expect(failedWith(answer)).toEqual({ exitCode: 0, code: undefined, class: undefined, status: 'completed' });
    expect((await made.json(['verify', 'latest'])).document.results).toMatchObject([{ ok: true, level: 'restore' }]);
  });

  it('C2: the server is shut down at once in the middle of a dump: transient, a retry is left, nothing is stored', async () => {
    await sql(cluster.url('postgres'), 'CREATE TABLE t AS SELECT g, md5(g::text) FROM generate_series(1, 20000) g');
    const pid = Number(execFileSync('head', ['-1', join(cluster.dataDirectory, 'postmaster.pid')], { encoding: 'utf8' }));
    const [answer, made] = await dying(async () => process.kill(pid, 'SIGQUIT'), cluster.url('postgres'));
    expect(failedWith(answer)).toEqual({ exitCode: 20, code: 'connection', class: 'transient', status: 'failed' });
    expect((await made.json(['events', '--status', 'pending'])).document.events).toMatchObject([{ type: 'retry', attempt: 2 }]);
    await leftNothing(made);
  });

  it('C18: the database is dropped between the check and the dump: permanent, no retry', async () => {
    const victim = await cloneDatabase('shop');
    const made = project(shimmed({ pg_dump: shim.slow(1) }), { shop: { url: victim.url } });
    const { done } = startCli(['execute', '--json'], { cwd: made.directory, env: made.env });
    await until('a snapshot', async () => (await sql(victim.url, ofOurs)) !== '0');
    await victim.drop();
    const { exitCode, stdout } = await done;
    const { error } = JSON.parse(stdout) as { error: { code: string; class: string } };
    // whichever is heard first, that our session was ended or that pg_dump found no database
    expect({ exitCode, ...error }).toMatchObject({ exitCode: 20, code: 'no-database', class: 'permanent' });
    expect((await made.json(['events', '--status', 'pending'])).document.events).toEqual([]);
    const gone = await made.json(['execute']);
    expect(failedWith(gone)).toEqual({ exitCode: 20, code: 'no-database', class: 'permanent', status: 'failed' });
    await leftNothing(made);
  });
});

describe('locks', () => {
  it('C4: a lock held by another: fails after lockWaitTimeout as busy, names the table and the pid, leaves a retry', async () => {
    const made = project({ lockWaitTimeout: 1 });
    const holder = sql(
      shop.url,
      `SET application_name = 'holder'; BEGIN; LOCK TABLE orders IN ACCESS EXCLUSIVE MODE; SELECT pg_sleep(600); COMMIT;`,
    ).catch(() => '');
    const pidOf = "SELECT pid FROM pg_stat_activity WHERE application_name = 'holder' AND wait_event = 'PgSleep'";
    await until('a lock holder', async () => (await sql(shop.url, pidOf)) !== '');
    const pid = await sql(shop.url, pidOf);
    const answer = await made.json(['execute']);
    expect(failedWith(answer)).toEqual({ exitCode: 20, code: 'lock-timeout', class: 'busy', status: 'failed' });
    expect(answer.document.error.message).toContain(`orders is locked by pid ${pid}`);
    expect((await made.json(['events', '--status', 'pending'])).document.events).toMatchObject([{ type: 'retry' }]);
    await leftNothing(made);
    expect(await sql(shop.url, ofOurs)).toBe('0');
    // with no counting, it is pg_dump that waits
    const uncounted = await made.json(['execute', '--set', 'fingerprint=none']);
    expect(failedWith(uncounted)).toMatchObject({ code: 'lock-timeout', class: 'busy' });
    expect(uncounted.document.error.message).toContain(`pid ${pid}`);
    await sql(shop.url, `SELECT pg_terminate_backend(${pid})`);
    await holder;
  });

  it('being asked to stop while waiting for a lock ends it at once, on the server too', async () => {
    const made = project({ lockWaitTimeout: 60 });
    const holder = sql(
      shop.url,
      `SET application_name = 'holder'; BEGIN; LOCK TABLE orders IN ACCESS EXCLUSIVE MODE; SELECT pg_sleep(600); COMMIT;`,
    ).catch(() => '');
    const { child, done } = startCli(['execute', '--json'], { cwd: made.directory, env: made.env });
    const told = /shop waits for a lock on (public\.)?orders, held by pid \d+, postgres \(holder\)/;
    await until('active tells of the wait', async () => told.test((await made.run(['active'])).stdout));
    expect((await made.json(['active'])).document.active).toMatchObject([{ waits: expect.stringContaining('orders, held by pid') }]);
    expect((await made.run(['events'])).stdout).toContain('waits for a lock on');
    expect((await made.json(['health'])).document.advice).toContainEqual(expect.stringContaining('lockWaitTimeout'));
    child.kill('SIGTERM');
    expect((await done).exitCode).toBe(143);
    await until('no session of ours', async () => (await sql(shop.url, ofOurs)) === '0');
    await leftNothing(made);
    await sql(shop.url, "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = 'holder'");
    await holder;
  });
});

describe('who may come in', () => {
  let cluster: Cluster;
  beforeAll(async () => {
    cluster = await startCluster({ programs: await serverPrograms(), tcp: true });
    await sql(
      cluster.url('postgres'),
      "CREATE ROLE backup LOGIN SUPERUSER PASSWORD 'right one'; CREATE ROLE expired LOGIN PASSWORD 'right one' VALID UNTIL '2001-01-01'; CREATE DATABASE closed; REVOKE CONNECT ON DATABASE closed FROM PUBLIC; CREATE ROLE outsider LOGIN PASSWORD 'right one';",
    );
  });
  afterAll(() => cluster.stop());

  it.each([
    ['a wrong password', 'backup', 'wrong secret one', 'postgres'],
    ['an expired role', 'expired', 'right one', 'postgres'],
    ['a user without CONNECT', 'outsider', 'right one', 'closed'],
  ])('C7: %s: one attempt, permanent, no prompt, no password in the output', async (_what, user, password, database) => {
    const made = project({}, { shop: { host: '127.0.0.1', port: cluster.port, user, password: 'env:PW', database } });
    const answer = await made.json(['execute', '--verbose'], { env: { PW: password } });
    expect(answer.exitCode).toBe(20);
    expect(answer.document.error).toMatchObject({ code: expect.stringMatching(/^(authentication|permission)$/), class: 'permanent' });
    expect(answer.document.events).toHaveLength(1);
    expect((await made.json(['events', '--status', 'pending'])).document.events).toEqual([]);
    expect(answer.stdout + answer.stderr).not.toContain(password);
    await leftNothing(made);
  });

  it('C8: verify-full towards a server without TLS fails for good and sends nothing in clear', async () => {
    const made = project(
      {},
      { shop: { host: '127.0.0.1', port: cluster.port, user: 'backup', password: 'env:PW', database: 'postgres', sslmode: 'verify-full' } },
    );
    const answer = await made.json(['execute'], { env: { PW: 'right one' } });
    expect(failedWith(answer)).toEqual({ exitCode: 20, code: 'tls', class: 'permanent', status: 'failed' });
    await leftNothing(made);
  });
});

describe('programs that are not what they should be', () => {
  it.each([
    ['is not executable', shim.notExecutable],
    ['is a folder', shim.directory],
    ['is of another machine', shim.wrongArchitecture],
    ['hangs when asked for its version', shim.hanging],
  ])('C9: pg_dump %s: exit 20 before anything is stored, with a hint', async (_what, broken) => {
    const before = Date.now();
    const made = project(shimmed({ pg_dump: broken }));
    const answer = await made.json(['execute']);
    expect(failedWith(answer)).toEqual({ exitCode: 20, code: 'client-missing', class: 'permanent', status: 'failed' });
    expect(answer.document.error.message).toContain('pg_dump');
    expect(Date.now() - before).toBeLessThan(count(60_000, 10_000));
    expect(made.stored()).toEqual([]);
  });

  it('C9: pg_dump is missing: the folder that was looked into is named', async () => {
    const made = project({ clientDirectory: '/nonexistent/bin' });
    const answer = await made.json(['execute']);
    expect(failedWith(answer)).toMatchObject({ exitCode: 20, code: 'client-missing' });
    expect(answer.document.error.message).toContain('/nonexistent/bin');
  });

  it('C10: a server newer than every client is refused, with both versions and the package', async () => {
    const made = project(shimmed({ pg_dump: shim.version('13.4') }));
    const answer = await made.json(['execute']);
    expect(failedWith(answer)).toEqual({ exitCode: 20, code: 'client-too-old', class: 'permanent', status: 'failed' });
    const said = `${answer.document.error.message} ${answer.document.error.hint}`;
    const major = execFileSync(program('postgres'), ['--version'], { encoding: 'utf8' }).replace(/\D*(\d+).*/s, '$1');
    for (const part of [`PostgreSQL ${major}`, '13.4', `postgresql-client-${major}`]) expect(said).toContain(part);
    expect(made.stored()).toEqual([]);
  });

  it('C11: exit 0 with part of the output, cut anywhere: never committed', async () => {
    // what both of the compressions below say at least: newer programs compress by themselves
    const least = inject('postgres').major < 16 ? '-Z0' : '-Zzstd:1';
    const whole = execFileSync(program('pg_dump'), ['-Fc', least, '-d', shop.url], { maxBuffer: 1e9 }).length;
    const points = count(6, 30);
    const cuts = [...Array.from({ length: points }, () => randomBytes(4).readUInt32LE() % whole), 5, 4096, whole - 1];
    const got: (string | undefined)[] = [];
    for (const cut of cuts) {
      const made = project({ ...shimmed({ pg_dump: shim.truncated(cut) }), compression: got.length % 3 === 0 ? 'none' : 'zstd' });
      const answer = await made.json(['execute']);
      got.push(answer.document.error?.code);
      expect({ cut, ...failedWith(answer) }).toMatchObject({
        exitCode: 20,
        code: 'archive',
        class: 'transient',
        status: 'failed',
      });
      expect(made.stored().filter((name) => name.includes('/'))).toEqual([]);
    }
    expect(got).toHaveLength(cuts.length);
  });

  it.each(['none', 'zstd', 'gzip'])('C12: exit 0 without a byte, compression %s: no archive, and never committed', async (compression) => {
    const made = project({ ...shimmed({ pg_dump: shim.empty }), compression });
    const answer = await made.json(['execute']);
    expect(failedWith(answer)).toEqual({ exitCode: 20, code: 'archive', class: 'transient', status: 'failed' });
    await leftNothing(made);
  });

  it('C11: globals that end before their last line are never committed', async () => {
    const made = project(shimmed({ pg_dumpall: shim.truncated(300) }));
    expect(failedWith(await made.json(['execute']))).toMatchObject({ exitCode: 20, code: 'archive' });
    await leftNothing(made);
  });

  it('C13: the whole output and a bad end: failed, with the words of the program', async () => {
    const made = project(shimmed({ pg_dump: shim.failing(1, 'pg_dump: error: something went wrong at the end') }));
    const answer = await made.json(['execute']);
    expect(failedWith(answer)).toMatchObject({ exitCode: 20, status: 'failed' });
    expect(answer.document.error.message).toContain('something went wrong at the end');
    await leftNothing(made);
  });

  it('A4: pg_dump killed in the middle: failed, by its signal', async () => {
    const made = project(shimmed({ pg_dump: shim.killed(10_000) }));
    const answer = await made.json(['execute']);
    expect(failedWith(answer)).toMatchObject({ exitCode: 20, code: 'engine-killed', class: 'transient' });
    expect(answer.document.error.message).toContain('SIGKILL');
    await leftNothing(made);
  });

  it('C14: warnings with exit 0 are kept and shown; failOnWarnings makes it exit 20, the backup stays', async () => {
    const made = project(shimmed({ pg_dump: shim.warning('pg_dump: warning: there are circular foreign-key constraints') }));
    const answer = await made.json(['execute']);
    expect(answer).toMatchObject({
      exitCode: 0,
      document: { events: [{ status: 'completed', warnings: [expect.stringContaining('circular')] }] },
    });
    expect((await made.json(['backups', 'show', 'latest'])).document['manifest']).toMatchObject({
      warnings: [expect.stringContaining('circular')],
    });
    const strict = await made.json(['execute', '--set', 'failOnWarnings=true']);
    expect(strict).toMatchObject({
      exitCode: 20,
      document: { events: [{ status: 'completed' }], error: { message: expect.stringContaining('circular') } },
    });
    expect((await made.json(['backups'])).document.backups).toHaveLength(2);
  });

  it('C15: a flood on stderr: bounded memory, a few warnings kept', async () => {
    const megabytes = count(200, 1000);
    const made = project(shimmed({ pg_dump: shim.flooding(megabytes) }));
    const { child, done } = startCli(['execute', '--json'], { cwd: made.directory, env: made.env });
    let peak = 0;
    const watch = setInterval(() => (peak = Math.max(peak, residentMegabytes(child.pid ?? 0))), 50);
    const { exitCode, stdout } = await done;
    clearInterval(watch);
    const { events } = JSON.parse(stdout) as { events: { status: string; warnings: string[] }[] };
    expect({ exitCode, status: events[0]?.status }).toEqual({ exitCode: 0, status: 'completed' });
    expect(events[0]?.warnings.length).toBeLessThanOrEqual(51);
    expect(peak).toBeGreaterThan(20);
    expect(peak).toBeLessThan(300);
    expect((await made.json(['backups'])).document.backups).toHaveLength(1);
  });
});

function residentMegabytes(pid: number): number {
  try {
    return (
      Number(
        /VmRSS:\s+(\d+)/.exec(
          execFileSync('cat', [`/proc/${pid}/status`], { encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'] }),
        )?.[1] ?? 0,
      ) / 1024
    );
  } catch {
    return 0;
  }
}

describe('C22: names of databases that look like something else', () => {
  const nasty = [
    'host=127.0.0.1 port=PORT dbname=x',
    'postgresql://127.0.0.1:PORT/x',
    '-Fc',
    '--help',
    `a'b"c\\d`,
    '$(touch CANARY)',
    '; touch CANARY',
    '`touch CANARY`',
    'line\nbreak',
    '..',
    '.',
    '/etc/passwd',
    'a/b',
    '*',
    ' leading and trailing ',
    'ü'.repeat(31),
    '🙂%41%%',
    'template_x',
    '"; DROP DATABASE postgres; --',
  ];
  let listener: Server;
  let foreign = 0;
  let canary: string;
  let names: string[];
  const databases: TestDatabase[] = [];

  beforeAll(async () => {
    listener = createServer((socket) => {
      foreign += 1;
      socket.destroy();
    });
    await new Promise<void>((resolve) => listener.listen(0, '127.0.0.1', resolve));
    const address = listener.address();
    const port = typeof address === 'object' && address ? address.port : 0;
    canary = join(process.cwd(), `canary-${process.pid}`);
    names = nasty.map((name) => name.replace('PORT', String(port)).replace('CANARY', canary));
    for (const [index, name] of names.entries()) {
      databases.push(await cloneDatabase('empty', name));
      await sql(databaseUrl(name), `CREATE TABLE t AS SELECT generate_series(1, ${index + 1}) n`);
    }
  });
  afterAll(async () => {
    for (const database of databases) await database.drop();
    listener.close();
  });
  const untouched = async () => {
    const { existsSync } = await import('node:fs');
    expect({
      foreign,
      canary: existsSync(canary),
      postgres: await sql(databaseUrl('postgres'), "SELECT count(*) FROM pg_database WHERE datname = 'postgres'"),
    }).toEqual({
      foreign: 0,
      canary: false,
      postgres: '1',
    });
  };

  it('as members of a cluster each is dumped under its true name, found equal, and restored', async () => {
    const made = project(
      { verify: { server: databaseUrl('postgres') } },
      { all: { url: databaseUrl('postgres'), databases: ['*'], exclude: ['postgres', 'shop_*', 'empty_*', 'c[0-9]*_*', 'backup*'] } },
    );
    const { exitCode, document } = await made.json(['execute']);
    expect({ exitCode, error: document.error }).toEqual({ exitCode: 0 });
    const { inProcess } = await import('../fixtures/lab.js');
    const { catalog } = await import('../../src/core/catalog/catalog.js');
    const { verifyBackup } = await import('../../src/core/verify.js');
    const context = await inProcess(made);
    const { backups, problems } = await catalog(context);
    expect(problems).toEqual([]);
    const mine = backups.filter(({ manifest }) => names.includes(manifest.databaseName));
    expect(mine.map(({ manifest }) => manifest.databaseName).toSorted()).toEqual(names.toSorted());
    for (const backup of mine) {
      const rows = names.indexOf(backup.manifest.databaseName) + 1;
      expect(await verifyBackup(context, backup, 'restore')).toMatchObject({
        ok: true,
        detail: expect.stringMatching(new RegExp(`with ${rows} rows? equal`)),
      });
    }
    for (const name of made.stored()) expect(name).toMatch(/^[A-Za-z0-9._/-]+$/);
    await untouched();
  });

  it('as plain entries, by URL and by PGDATABASE, and as the name of a target', async () => {
    const chosen = isFull ? names.map((_, index) => index) : [0, 1, 5, 8];
    for (const index of chosen) {
      const name = names[index] ?? '';
      const where = new URL(databaseUrl('postgres')).searchParams;
      const libpq = { PGHOST: where.get('host') ?? '', PGPORT: where.get('port') ?? '', PGUSER: where.get('user') ?? '', PGDATABASE: name };
      const byUrl = index % 2 === 0;
      const made = project({}, byUrl ? { one: { url: 'env:DATABASE_URL' } } : { one: {} });
      const env = byUrl ? { DATABASE_URL: databaseUrl(name) } : libpq;
      const { exitCode, document } = await made.json(['execute'], { env });
      expect({ name, exitCode, error: document.error }).toEqual({ name, exitCode: 0 });
      const shown = await made.json(['backups', 'show', 'latest'], { env });
      expect(shown.document['manifest']).toMatchObject({ databaseName: name });
      await sql(databaseUrl('postgres'), `DROP DATABASE "${name.replaceAll('"', '""')}"`);
      const back = await made.json(['restore', 'latest', '--to', 'env:TARGET', '--create'], { env: { ...env, TARGET: databaseUrl(name) } });
      expect({ name, exitCode: back.exitCode, error: back.document.error }).toEqual({ name, exitCode: 0 });
      expect(await sql(databaseUrl(name), 'SELECT count(*) FROM t')).toBe(String(index + 1));
    }
    await untouched();
  });
});
