/**
 * test: several hosts, each with a state directory of its own, and one database server: they share its places, and a database is dumped once at a time.
 */
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, expect, test } from 'vitest';
import { startCluster, type Cluster } from '../../src/system/postgres/cluster.js';
import { serverPrograms, sql } from '../fixtures/database.js';
import { inProcess, lab, type Lab } from '../fixtures/lab.js';

let cluster: Cluster;
let project: Lab;
const databases = ['one', 'two', 'three'];

beforeAll(async () => {
  cluster = await startCluster({ programs: await serverPrograms() });
  await sql(cluster.url('postgres'), databases.map((name) => `CREATE DATABASE ${name};`).join('\n'));
});
afterAll(() => cluster.stop());
afterEach(() => project.cleanup());

const entries = () => Object.fromEntries(databases.map((name) => [name, { url: cluster.url(name) }]));

/** The engine of a host, and its databases by name. */
async function host(limit: number) {
  project = lab(entries());
  const { engine } = await inProcess(project);
  const found = new Map((await Promise.all(databases.map((name) => engine.members(name)))).flat().map((each) => [each.name, each]));
  return (name: string, by: string) => {
    const database = found.get(name);
    if (!database) throw new Error(name);
    return engine.claim(database, limit, by);
  };
}

test('hosts share the places of a server, whatever they back up, and learn who has them', async () => {
  const claim = await host(2);
  const first = await claim('one', 'alpha');
  const second = await claim('two', 'beta');
  expect([first, second]).toMatchObject([{ without: null }, { without: null }]);
  const third = await claim('three', 'gamma');
  expect(third).toEqual({ refused: expect.stringMatching(/all 2 places .*"backup-automation on alpha".*"backup-automation on beta"/) });
  if (!('release' in first) || !('release' in second)) throw new Error('refused');
  await first.release();
  const again = await claim('three', 'gamma');
  expect(again).toMatchObject({ without: null });
  if ('release' in again) await again.release();
  await second.release();
});

test('who is refused is told by whom, and leaves nothing on the server', async () => {
  const claim = await host(1);
  const first = await claim('one', 'alpha');
  expect(await claim('one', 'beta')).toEqual({ refused: expect.stringMatching(/"backup-automation on alpha".* since 2/) });
  expect(await sql(cluster.url('one'), "SELECT count(*) FROM pg_locks WHERE locktype = 'advisory'")).toBe('1');
  if ('release' in first) await first.release();
});

test('many that ask at the same moment never have more places than there are', async () => {
  const claim = await host(2);
  for (let round = 0; round < 5; round += 1) {
    const all = await Promise.all(databases.map((name) => claim(name, name)));
    const held = all.flatMap((each) => ('release' in each ? [each] : []));
    expect(held.length).toBeGreaterThan(0);
    expect(held.length).toBeLessThanOrEqual(2);
    expect(await sql(cluster.url('postgres'), "SELECT count(*) FROM pg_locks WHERE locktype = 'advisory'")).toBe(String(held.length));
    await Promise.all(held.map((each) => each.release()));
  }
});

test('a place that was lost on the way is told, and the backup is good', async () => {
  const claim = await host(2);
  const place = await claim('one', 'alpha');
  await sql(cluster.url('one'), "SELECT pg_terminate_backend(pid) FROM pg_locks WHERE locktype = 'advisory'");
  if (!('release' in place)) throw new Error('refused');
  await expect.poll(() => place.isLost()).toBe(true);
  await place.release();
});

test('a backup is refused, waits or goes on by what another host holds', async () => {
  const claim = await host(1);
  const held = await claim('one', 'alpha');
  const other = ['--set', `stateDirectory=${join(project.directory, 'other')}`, '--set', 'conditions.maxConcurrentBackups=1'];
  const { exitCode, document } = await project.json(['execute', '--database', 'two', ...other]);
  expect({ exitCode, status: document.events[0]?.status }).toEqual({ exitCode: 75, status: 'cancelled' });
  expect(document.error.message).toContain('"backup-automation on alpha"');
  if ('release' in held) await held.release();
  expect((await project.json(['execute', '--database', 'two', ...other])).exitCode).toBe(0);
});
