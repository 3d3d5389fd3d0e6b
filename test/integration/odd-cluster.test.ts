/**
 * test: a cluster with a database that is not valid, and with names that no line can hold, is backed up but for what is broken.
 */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { startCluster, type Cluster } from '../../src/system/postgres/cluster.js';
import { serverPrograms, sql } from '../fixtures/database.js';
import { lab, type Lab } from '../fixtures/lab.js';

let cluster: Cluster;
let project: Lab;
const odd = ['new\nline', 'it\'s \\ "odd" = x', 'plain'];

beforeAll(async () => {
  cluster = await startCluster({ programs: await serverPrograms() });
  for (const name of odd) {
    const quoted = `"${name.replaceAll('"', '""')}"`;
    await sql(cluster.url('postgres'), `CREATE DATABASE ${quoted}`);
    await sql(cluster.url(name), 'CREATE TABLE t AS SELECT generate_series(1, 5) AS n');
  }
  await sql(
    cluster.url('postgres'),
    `CREATE ROLE "role\nof two lines"; CREATE DATABASE corpse; UPDATE pg_database SET datconnlimit = -2 WHERE datname = 'corpse'`,
  );
  project = lab({ all: { url: cluster.url('postgres'), databases: ['*'], exclude: ['postgres'] } }, { autoRetry: false });
});

afterAll(async () => {
  project.cleanup();
  await cluster.stop();
});

describe('a cluster with odd databases', () => {
  it('is backed up; what is not valid is named', async () => {
    const { exitCode, document } = await project.json(['execute']);
    expect({ exitCode, events: document.events }).toMatchObject({ exitCode: 0, events: odd.map(() => ({ status: 'completed' })) });
    expect(document.events.flatMap(({ warnings }) => warnings ?? [])).toEqual([
      expect.stringContaining('the database "corpse" is not valid'),
    ]);
  });

  it('each is proven by a restore', async () => {
    const { exitCode, document } = await project.json(['verify']);
    expect({ exitCode, results: document.results }).toMatchObject({ exitCode: 0, results: odd.map(() => ({ ok: true })) });
  });
});
