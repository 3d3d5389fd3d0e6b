/**
 * test: C1, C6, C21, C23, C25, E16: too few connections, a standby that cancels, a pooler, a server that does not tell its load, a host that is cut off.
 */
import { execFileSync, spawn, spawnSync, type ChildProcess } from 'node:child_process';
import { appendFileSync, chmodSync, existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createServer, type AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { runner } from '../../src/system/postgres/account.js';
import { startCluster, type Cluster } from '../../src/system/postgres/cluster.js';
import { startCli } from '../fixtures/cli.js';
import { count, isFull } from '../fixtures/counts.js';
import { program, serverPrograms, sql } from '../fixtures/database.js';
import { lab, type Answer, type Lab } from '../fixtures/lab.js';
import { shim, shimDirectory, type ShimDirectory } from '../fixtures/shims.js';
import { until } from './processes.js';

let cluster: Cluster;
const projects: Lab[] = [];
const folders: ShimDirectory[] = [];
const children: ChildProcess[] = [];

beforeAll(async () => {
  cluster = await startCluster({
    programs: await serverPrograms(),
    settings: { max_connections: '12', superuser_reserved_connections: '3', listen_addresses: '*', wal_level: 'replica' },
  });
  await sql(
    cluster.url('postgres'),
    `CREATE ROLE backup LOGIN; GRANT pg_read_all_data TO backup; CREATE DATABASE shop;
     ALTER SYSTEM SET statement_timeout = 0`,
  );
  await sql(
    cluster.url('shop'),
    'CREATE TABLE t AS SELECT generate_series(1, 1000) n; CREATE ROLE plain LOGIN; GRANT SELECT ON t TO plain',
  );
});
afterAll(() => cluster.stop());
afterEach(() => {
  for (const project of projects.splice(0)) project.cleanup();
  for (const folder of folders.splice(0)) folder.remove();
  for (const child of children.splice(0)) child.kill('SIGKILL');
});

const asRole = (role: string) => cluster.url('shop').replace(/user=\w+/, `user=${role}`);
const asBackup = () => asRole('backup');

function project(url: string, more: object = {}): Lab {
  const made = lab({ shop: { url } }, { clientDirectory: undefined, ...more });
  projects.push(made);
  return made;
}

const ending = ({ exitCode, document }: Answer) => ({ exitCode, code: document.error?.code, status: document.events?.[0]?.status });

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await new Promise((resolve) => server.once('listening', resolve));
  const { port } = server.address() as AddressInfo;
  await new Promise((resolve) => server.close(resolve));
  return port;
}

describe('C6: too few connections', () => {
  it('all are taken: busy, a retry is left, and it is made when there are some again', async ({ task }) => {
    const rounds = count(1, 10);
    const violations: string[] = [];
    for (let round = 0; round < rounds; round += 1) {
      const taken = Array.from({ length: 9 }, () =>
        spawn(program('psql'), ['-X', '-q', asBackup()], { stdio: ['pipe', 'ignore', 'ignore'] }),
      );
      children.push(...taken);
      const many = `SELECT count(*) FROM pg_stat_activity WHERE usename = 'backup'`;
      // whoever looks takes one himself
      await until('all connections taken', async () => Number(await sql(cluster.url('postgres'), many)) >= 8);
      const made = project(asBackup(), { retryDelay: 0 });
      const found = ending(await made.json(['execute']));
      if (JSON.stringify(found) !== '{"exitCode":20,"code":"server-busy","status":"failed"}') violations.push(JSON.stringify(found));
      for (const child of taken) child.kill('SIGKILL');
      await until('they are free', async () => Number(await sql(cluster.url('postgres'), many)) === 0);
      const retried = (await made.json(['execute', '--due'])).document.events;
      if (retried[0]?.status !== 'completed' || retried[0].type !== 'retry') violations.push(JSON.stringify(retried));
    }
    task.meta.score = { row: 'C6', what: 'all connections of the server are taken', n: rounds, violations };
    expect(violations).toEqual([]);
  });

  it.each(isFull ? [1, 2] : [2])('a role that may have %d: busy, said by test beforehand; three are enough', async (limit) => {
    await sql(cluster.url('postgres'), `ALTER ROLE backup CONNECTION LIMIT ${limit}`);
    const made = project(asBackup());
    expect(ending(await made.json(['execute']))).toEqual({ exitCode: 20, code: 'server-busy', status: 'failed' });
    expect((await made.json(['events', '--status', 'pending'])).document.events).toMatchObject([{ type: 'retry' }]);
    expect((await made.json(['execute'])).document.error.hint).toContain('three connections of its role');
    const rehearsed = await made.json(['test']);
    expect({ exitCode: rehearsed.exitCode, steps: JSON.stringify(rehearsed.document['steps']) }).toEqual({
      exitCode: 1,
      steps: expect.stringContaining('too many connections for role'),
    });
    await sql(cluster.url('postgres'), 'ALTER ROLE backup CONNECTION LIMIT 3');
    const { exitCode, document } = await made.json(['execute']);
    expect({ exitCode, impact: document.events[0]?.impact }).toEqual({ exitCode: 0, impact: undefined });
    await sql(cluster.url('postgres'), 'ALTER ROLE backup CONNECTION LIMIT 4');
    expect((await made.json(['execute'])).document.events[0]?.impact).toBeDefined();
    await sql(cluster.url('postgres'), 'ALTER ROLE backup CONNECTION LIMIT -1');
  });
});

it('C1: a server that shuts down: transient, the server says which, and a retry is left', async () => {
  const going = await startCluster({ programs: await serverPrograms() });
  const guest = spawn(program('psql'), ['-X', '-q', going.url('postgres')], { stdio: ['pipe', 'ignore', 'ignore'] });
  children.push(guest);
  try {
    const others = "SELECT count(*) FROM pg_stat_activity WHERE backend_type = 'client backend' AND pid <> pg_backend_pid()";
    await until('somebody is connected', async () => (await sql(going.url('postgres'), others)) === '1');
    // a smart shutdown waits for the guest, and lets nobody else in
    process.kill(Number(readFileSync(join(going.dataDirectory, 'postmaster.pid'), 'utf8').split('\n')[0]), 'SIGTERM');
    await until('nobody is let in', () => sql(going.url('postgres'), 'SELECT 1').then(() => false, () => true)); // prettier-ignore
    const made = project(going.url('postgres'));
    const found = await made.json(['execute']);
    expect(ending(found)).toEqual({ exitCode: 20, code: 'connection', status: 'failed' });
    expect(found.document.error).toMatchObject({ class: 'transient', message: expect.stringContaining('shutting down') });
    expect((await made.json(['events', '--status', 'pending'])).document.events).toMatchObject([{ type: 'retry' }]);
  } finally {
    guest.kill('SIGKILL');
    await going.stop();
  }
});

it('C1: a server that is starting: transient, the server says so, and a retry is left', async () => {
  const late = await startCluster({ programs: await serverPrograms() });
  const pidFile = join(late.dataDirectory, 'postmaster.pid');
  let starting: ChildProcess | undefined;
  try {
    const made = project(late.url('postgres'));
    process.kill(Number(readFileSync(pidFile, 'utf8').split('\n')[0]), 'SIGINT');
    await until('it is down', () => !existsSync(pidFile));
    // it starts for as long as it waits for the log of another time
    writeFileSync(join(late.dataDirectory, 'recovery.signal'), '');
    const where = ['-D', late.dataDirectory, '-c', `unix_socket_directories=${late.socketDirectory}`, '-c', `port=${late.port}`];
    const [file, args] = runner().command(program('postgres'), [...where, '-c', 'listen_addresses=', '-c', 'restore_command=sleep 600']);
    starting = spawn(file, args, { stdio: 'ignore' });
    const refused = () => sql(late.url('postgres'), 'SELECT 1').then(() => '', String);
    await until('it is starting', async () => (await refused()).includes('starting up'));
    const found = await made.json(['execute']);
    expect(ending(found)).toEqual({ exitCode: 20, code: 'connection', status: 'failed' });
    expect(found.document.error).toMatchObject({
      class: 'transient',
      message: expect.stringContaining('starting up'),
      hint: expect.stringContaining('the server lets nobody in'),
    });
    expect((await made.json(['events', '--status', 'pending'])).document.events).toMatchObject([{ type: 'retry' }]);
  } finally {
    starting?.kill('SIGQUIT');
    await until('it is gone', () => !existsSync(pidFile));
    await late.stop();
  }
});

describe('C25: a server that does not tell its load', () => {
  const warned = async (made: Lab): Promise<string> => {
    const { exitCode, document } = await made.json(['execute']);
    expect({ exitCode, status: document.events[0]?.status }).toEqual({ exitCode: 0, status: 'completed' });
    expect(document.events[0]?.metadata.databaseLoad).toBeNull();
    return document.events[0]?.warnings?.join() ?? '';
  };

  it('because the role may not look: unknown, a warning, and the backup is made', async () => {
    await sql(cluster.url('shop'), 'REVOKE SELECT ON pg_catalog.pg_stat_activity FROM PUBLIC');
    expect(await warned(project(asRole('plain')))).toContain('load: the database load could not be measured');
    await sql(cluster.url('shop'), 'GRANT SELECT ON pg_catalog.pg_stat_activity TO PUBLIC');
  });

  it('because it hangs: within 5 s unknown, a warning, and the backup is made', async () => {
    await sql(cluster.url('postgres'), 'CREATE DATABASE slow');
    await sql(
      cluster.url('slow'),
      `SET allow_system_table_mods = on; ALTER VIEW pg_catalog.pg_stat_activity RENAME TO pg_stat_activity_real;
       CREATE VIEW pg_catalog.pg_stat_activity AS SELECT a.* FROM pg_catalog.pg_stat_activity_real a, pg_catalog.pg_sleep(600);
       GRANT SELECT ON pg_catalog.pg_stat_activity TO PUBLIC`,
    );
    expect(await warned(project(cluster.url('slow')))).toContain('within 5 s');
    await sql(cluster.url('postgres'), 'DROP DATABASE slow WITH (FORCE)');
  });
});

const hasPooler = spawnSync('pgbouncer', ['--version']).status === 0;

it.skipIf(!hasPooler)(
  `C23: behind a pooler that changes servers at each transaction${hasPooler ? '' : ': pgbouncer is not installed'}`,
  async () => {
    const folder = mkdtempSync(join(tmpdir(), 'backup-automation-pooler-'));
    chmodSync(folder, 0o777);
    const port = await freePort();
    const file = join(folder, 'pgbouncer.ini');
    writeFileSync(join(folder, 'users'), '"backup" ""\n', { mode: 0o644 });
    writeFileSync(
      file,
      `[databases]\nshop = host=${cluster.socketDirectory} port=${cluster.port} dbname=shop\n[pgbouncer]\nlisten_addr = 127.0.0.1\nlisten_port = ${port}
unix_socket_dir =\npool_mode = transaction\nauth_type = trust\nauth_file = ${join(folder, 'users')}\nignore_startup_parameters = extra_float_digits,options\n`,
      { mode: 0o644 },
    );
    const [command, args] = runner().command('pgbouncer', [file]);
    const pooler = spawn(command, args, { stdio: 'ignore' });
    try {
      const url = `postgresql://backup@127.0.0.1:${port}/shop?sslmode=disable`;
      await until('the pooler answers', () =>
        sql(url, 'SELECT 1').then(
          () => true,
          () => false,
        ),
      );
      const made = project(url);
      const answer = await made.json(['execute']);
      const rehearsed = JSON.stringify((await made.json(['test'])).document['steps']);
      expect(rehearsed).toContain('cross-host places need a direct connection');
      expect(answer.document.events[0]?.warnings?.join()).toContain('cross-host places need a direct connection');
      expect(ending(answer)).toEqual({ exitCode: 0, code: undefined, status: 'completed' });
      expect(await sql(cluster.url('shop'), "SELECT count(*) FROM pg_locks WHERE locktype = 'advisory'")).toBe('0');
    } finally {
      pooler.kill('SIGINT');
      rmSync(folder, { recursive: true, force: true });
    }
  },
);

it('C21: a standby that cancels the dump for what it has to replay: transient, and the retry is good', async ({ task }) => {
  const folder = mkdtempSync(join(tmpdir(), 'backup-automation-standby-'));
  chmodSync(folder, 0o777);
  const data = join(folder, 'data');
  const as = runner();
  const run = (name: string, args: readonly string[]) => as.command(program(name), args);
  const [copy, copyArgs] = run('pg_basebackup', [
    '-D',
    data,
    '-R',
    '-X',
    'stream',
    '-c',
    'fast',
    '-h',
    cluster.socketDirectory,
    '-p',
    `${cluster.port}`,
    '-U',
    'postgres',
  ]);
  execFileSync(copy, copyArgs, { stdio: 'ignore' });
  const options = {
    listen_addresses: '',
    unix_socket_directories: folder,
    port: '5433',
    max_standby_streaming_delay: '0',
    hot_standby_feedback: 'off',
    max_standby_archive_delay: '0',
  };
  const [server, serverArgs] = run('postgres', [
    '-D',
    data,
    ...Object.entries(options).flatMap(([name, value]) => ['-c', `${name}=${value}`]),
  ]);
  const standby = spawn(server, serverArgs, { stdio: 'ignore' });
  const url = `postgresql:///shop?host=${encodeURIComponent(folder)}&port=5433&user=postgres`;
  const violations: string[] = [];
  const rounds = count(1, 5);
  try {
    await until('the standby answers', () =>
      sql(url, 'SELECT 1').then(
        () => true,
        () => false,
      ),
    );
    const slow = shimDirectory({ pg_dump: shim.slow(2) });
    folders.push(slow);
    for (let round = 0; round < rounds; round += 1) {
      const made = project(url, { retryDelay: 0, clientDirectory: slow.directory });
      const { done } = startCli(['execute', '--json'], { cwd: made.directory, env: made.env });
      await until(
        'a snapshot is held',
        async () => (await sql(url, "SELECT count(*) FROM pg_stat_activity WHERE state = 'idle in transaction'")) === '1',
      );
      await sql(cluster.url('shop'), 'DELETE FROM t WHERE n % 2 = 0; INSERT INTO t SELECT generate_series(1, 1000);');
      await sql(cluster.url('shop'), 'VACUUM (FREEZE) t;');
      const { exitCode, stdout } = await done;
      const { events, error } = JSON.parse(stdout) as Answer['document'];
      const [event] = events;
      if (exitCode !== 20 || event?.status !== 'failed' || error.class !== 'transient')
        violations.push(`${exitCode} ${JSON.stringify(error)}`);
      const again = await made.json(['execute', '--due', '--set', `clientDirectory=${shimDirectoryOf()}`]);
      if (again.document.events[0]?.status !== 'completed') violations.push(JSON.stringify(again.document));
    }
    task.meta.score = { row: 'C21', what: 'a standby cancels the dump', n: rounds, violations };
    expect(violations).toEqual([]);
  } finally {
    standby.kill('SIGQUIT');
    await new Promise((resolve) => standby.once('exit', resolve));
    rmSync(folder, { recursive: true, force: true });
  }
});

const shimDirectoryOf = () => program('pg_dump').replace(/\/pg_dump$/, '');

const space = 'ba-across';
const leave = () => spawnSync('ip', ['netns', 'del', space]);
// what a killed run left goes first
if (isFull) leave();
const canCut = isFull && process.getuid?.() === 0 && spawnSync('ip', ['netns', 'add', space]).status === 0;
if (canCut) leave();
const whyNot = isFull ? ': network namespaces are not to be had' : ': takes half a minute, FAULTS=full';

it.skipIf(!canCut)(`E16: a host is cut off while it backs up; another one goes on within 30 s${canCut ? '' : whyNot}`, async ({ task }) => {
  const ip = (...words: string[]) => execFileSync('ip', words, { stdio: 'pipe' });
  appendFileSync(join(cluster.dataDirectory, 'pg_hba.conf'), '\nhost all all 10.213.77.0/24 trust\n');
  await sql(cluster.url('postgres'), 'SELECT pg_reload_conf()');
  ip('netns', 'add', space);
  try {
    ip('link', 'add', 'ba-here', 'type', 'veth', 'peer', 'name', 'ba-there', 'netns', space);
    ip('addr', 'add', '10.213.77.1/24', 'dev', 'ba-here');
    ip('link', 'set', 'ba-here', 'up');
    ip('-n', space, 'addr', 'add', '10.213.77.2/24', 'dev', 'ba-there');
    ip('-n', space, 'link', 'set', 'ba-there', 'up');
    const slow = shimDirectory({ pg_dump: shim.slow(60) });
    folders.push(slow);
    const limit = { conditions: { minDiskSpace: 0, maxConcurrentBackups: 1 } };
    const far = project(`postgresql://postgres@10.213.77.1:${cluster.port}/shop?sslmode=disable`, {
      ...limit,
      clientDirectory: slow.directory,
    });
    const { child } = startCli(['execute'], { cwd: far.directory, env: far.env, under: ['ip', 'netns', 'exec', space] });
    children.push(child);
    const held = async () => Number(await sql(cluster.url('shop'), "SELECT count(*) FROM pg_locks WHERE locktype = 'advisory'"));
    await until('the far host has its place', async () => (await held()) > 0);
    const near = project(cluster.url('shop'), limit);
    expect((await near.json(['execute'])).document.error.message).toContain('from 10.213.77.2');
    ip('link', 'set', 'ba-here', 'down');
    const cut = performance.now();
    await until('the place is free', async () => (await held()) === 0, 60);
    const seconds = (performance.now() - cut) / 1000;
    expect((await near.json(['execute'])).exitCode).toBe(0);
    task.meta.score = { row: 'E16', what: 'a host is cut off', n: 1, violations: [], figures: `${seconds.toFixed(0)} s` };
    expect(seconds).toBeLessThan(35);
  } finally {
    leave();
    spawnSync('ip', ['link', 'del', 'ba-here']);
  }
});
