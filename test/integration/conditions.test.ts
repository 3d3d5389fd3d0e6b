/**
 * test: what keeps a backup from starting, what passes it by, and waiting for it, on a real server and at a real clock.
 */
import { renameSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { startCluster, type Cluster } from '../../src/system/postgres/cluster.js';
import { alwaysOpen, startCli } from '../fixtures/cli.js';
import { cloneDatabase, serverPrograms, sql, type TestDatabase } from '../fixtures/database.js';
import { lab } from '../fixtures/lab.js';
import { shim, shimDirectory } from '../fixtures/shims.js';
import { until } from '../faults/processes.js';

let database: TestDatabase;
beforeAll(async () => {
  database = await cloneDatabase('empty');
  await sql(database.url, 'CREATE TABLE t AS SELECT generate_series(1, 10) n');
});
afterAll(() => database.drop());

const hour = (offset: number): string => `${String((new Date().getUTCHours() + 24 + offset) % 24).padStart(2, '0')}:30`;
const closed = () => ({ ...alwaysOpen, timezone: 'UTC', backupWindow: { start: hour(3), end: hour(4) } });
const one = () => ({ shop: { url: database.url } });

describe('conditions', () => {
  it('a closed window cancels, 75, naming condition, value, limit and flag; --force and --emergency pass it by', async () => {
    const project = lab(one(), closed());
    const { exitCode, document } = await project.json(['execute']);
    expect(exitCode).toBe(75);
    expect(document.events).toMatchObject([{ status: 'cancelled', result: { success: false } }]);
    expect(document.error).toMatchObject({ code: 'not-now', class: 'busy' });
    for (const part of ['window', hour(3), hour(4), '--force', '--emergency']) expect(document.error.message).toContain(part);
    expect(project.stored()).toEqual([]);
    const forced = await project.json(['execute', '--force']);
    expect(forced).toMatchObject({ exitCode: 0, document: { events: [{ type: 'manual', status: 'completed' }] } });
    const emergency = await project.json(['execute', '--emergency']);
    expect(emergency).toMatchObject({ exitCode: 0, document: { events: [{ type: 'emergency', status: 'completed' }] } });
    project.cleanup();
  });

  it('too little disk cancels; --force passes it by, --emergency does not', async () => {
    const project = lab(one(), { conditions: { minDiskSpace: 1_000_000 } });
    const { exitCode, document } = await project.json(['execute']);
    expect(exitCode).toBe(75);
    for (const part of ['disk', '1000000 GB', 'minDiskSpace', '--force']) expect(document.error.message).toContain(part);
    expect(document.events[0]?.metadata.diskSpace).toBeGreaterThan(0);
    expect((await project.json(['execute', '--emergency'])).exitCode).toBe(75);
    expect((await project.json(['execute', '--force'])).exitCode).toBe(0);
    project.cleanup();
  });

  it('enabled: false stops everything, a server that is away too', async () => {
    const away = { host: '127.0.0.1', port: 1, user: 'nobody', database: 'x' };
    const project = lab({ ...one(), away }, { ...alwaysOpen, enabled: false });
    for (const flag of [[], ['--force'], ['--emergency'], ['--wait', '30s']]) {
      const { exitCode, document } = await project.json(['execute', ...flag]);
      expect({ flag, exitCode }).toEqual({ flag, exitCode: 75 });
      expect(document.events.map(({ status }) => status)).toEqual(['cancelled', 'cancelled']);
      expect(document.error.message).toContain('enabled is false');
    }
    project.cleanup();
  });

  it('a load above the limit cancels; loadBasedBackup: false leaves that condition alone', async () => {
    const project = lab(one(), { conditions: { maxDatabaseLoad: 0 } });
    const { exitCode, document } = await project.json(['execute']);
    expect(exitCode).toBe(75);
    for (const part of ['load', '%', 'maxDatabaseLoad', '--force']) expect(document.error.message).toContain(part);
    expect(document.events[0]?.metadata.databaseLoad).toBeGreaterThan(0);
    expect((await project.json(['execute', '--set', 'loadBasedBackup=false'])).exitCode).toBe(0);
    project.cleanup();
  });

  it('one place for two: the second is cancelled at once, --force too', async () => {
    const shims = shimDirectory({ pg_dump: shim.held });
    // where no other test takes the place
    const cluster = await startCluster({ programs: await serverPrograms() });
    const project = lab(
      { shop: { url: cluster.url('postgres') } },
      {
        ...alwaysOpen,
        conditions: { minDiskSpace: 0, maxConcurrentBackups: 1 },
        clientDirectory: shims.directory,
      },
    );
    const options = { cwd: project.directory, env: project.env };
    const first = startCli(['execute'], options);
    const active = async () => (await project.json(['active'])).document['active'] as readonly { status: string }[];
    await until('the first runs', async () => (await active())[0]?.status === 'running');
    const second = await project.json(['execute', '--force']);
    expect(second.exitCode).toBe(75);
    expect(second.document.error.message).toContain('maxConcurrentBackups');
    shims.release();
    expect((await first.done).exitCode).toBe(0);
    await cluster.stop();
    shims.remove();
    project.cleanup();
  });

  it('--wait gives up at its end, not before, and starts when the condition holds', async () => {
    const project = lab(one(), { conditions: { minDiskSpace: 1_000_000 } });
    const before = Date.now();
    expect((await project.json(['execute', '--wait', '2s'])).exitCode).toBe(75);
    expect(Date.now() - before).toBeGreaterThanOrEqual(2000);
    project.cleanup();
  });
});

describe('a server that comes back', () => {
  let cluster: Cluster;
  it('--wait does the retries in this process; without it the retry is left pending', async () => {
    const programs = await serverPrograms();
    cluster = await startCluster({ programs });
    const url = cluster.url('postgres');
    const project = lab({ shop: { url } }, { ...alwaysOpen, retryDelay: 0.05, maxRetries: 20 });
    const socket = join(cluster.socketDirectory, '.s.PGSQL.5432');
    renameSync(socket, `${socket}.away`);
    const without = await project.json(['execute']);
    expect(without).toMatchObject({
      exitCode: 20,
      document: { error: { code: 'connection', class: 'transient', hint: expect.stringContaining('--due') } },
    });
    expect((await project.json(['events', '--status', 'pending'])).document.events).toMatchObject([
      { type: 'retry', attempt: 2, retryOf: without.document.events[0]?.id, notBefore: expect.any(String) },
    ]);
    const waiting = startCli(['execute', '--wait', '60s', '--json'], { cwd: project.directory, env: project.env });
    const failed = async () => (await project.json(['events', '--status', 'failed'])).document.events.length;
    await until('another one failed', async () => (await failed()) >= 2);
    renameSync(`${socket}.away`, socket);
    const { exitCode, stdout } = await waiting.done;
    expect(exitCode).toBe(0);
    const { events } = JSON.parse(stdout) as { events: { status: string; type: string; attempt: number; retryOf?: string; id: string }[] };
    expect(events.at(0)).toMatchObject({ type: 'manual', status: 'failed', attempt: 1 });
    expect(events.at(-1)).toMatchObject({ type: 'retry', status: 'completed', retryOf: events[0]?.id });
    expect(events.map(({ attempt }) => attempt)).toEqual(events.map((_, index) => index + 1));
    await cluster.stop();
    project.cleanup();
  });
});
