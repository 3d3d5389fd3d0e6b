/**
 * bench: a PostgreSQL of its own with a database like a shop's: small rows, text, jsonb with an index, and bytes that do not compress.
 */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { startCluster, type Cluster } from '../../src/system/postgres/cluster.js';
import { capture } from '../../src/system/programs/exec.js';
import { findOrFetchServer } from '../../src/system/programs/programs.js';

export interface Server {
  readonly url: string;
  readonly version: string;
  readonly binDirectory: string;
  readonly postmaster: number;
  stop(): Promise<void>;
}

/** Bytes of a row in a plain dump, about. */
const rowBytes = { accounts: 104, documents: 735, images: 8205 };
/** Their shares of the whole. */
const share = { accounts: 0.4, documents: 0.45, images: 0.15 };

/** What depends on `i` inside a subquery is computed anew for every row. */
function statements(bytes: number): string[] {
  const rows = (table: keyof typeof share) => Math.round((bytes * share[table]) / rowBytes[table]);
  const trees = "'alder','birch','cedar','elm','fir','hazel','larch','maple','oak','pine','rowan','spruce','willow','yew'";
  const body = "(SELECT string_agg(pg_temp.word((random() * 1e6)::int) || (random() * 90)::int, ' ') FROM generate_series(1, 65 + 0 * i))";
  const data = `jsonb_build_object('name', md5(i::text), 'price', floor(random() * 10000),
    'tags', ARRAY[pg_temp.word(i), pg_temp.word(i / 14)], 'seen', now() - i * interval '1 minute')`;
  const noise = "(SELECT string_agg(uuid_send(gen_random_uuid()), '') FROM generate_series(1, 256 + 0 * i))";
  return [
    `CREATE FUNCTION pg_temp.word(i int) RETURNS text LANGUAGE sql AS $$ SELECT (ARRAY[${trees}])[1 + i % 14] $$`,
    `CREATE TABLE accounts (id int PRIMARY KEY, branch int NOT NULL, balance int NOT NULL, filler char(84) NOT NULL)`,
    `INSERT INTO accounts SELECT i, i % 100, floor(random() * 100000), '' FROM generate_series(1, ${rows('accounts')}) i`,
    `CREATE TABLE documents (id int PRIMARY KEY, title text NOT NULL, body text NOT NULL, data jsonb NOT NULL)`,
    `INSERT INTO documents SELECT i, 'document ' || i, ${body}, ${data} FROM generate_series(1, ${rows('documents')}) i`,
    `CREATE INDEX ON documents USING gin (data)`,
    `CREATE TABLE images (id int PRIMARY KEY, bytes bytea NOT NULL)`,
    `ALTER TABLE images ALTER bytes SET STORAGE EXTERNAL`,
    `INSERT INTO images SELECT i, ${noise} FROM generate_series(1, ${rows('images')}) i`,
    `VACUUM ANALYZE`,
    `CHECKPOINT`,
  ];
}

/** Starts it and fills a database with what makes about so many bytes of plain dump. */
export async function startServer(bytes: number, say: (line: string) => void): Promise<Server> {
  const programs = await findOrFetchServer({ env: process.env, signal: new AbortController().signal, say });
  const settings = { shared_buffers: '256MB', maintenance_work_mem: '256MB', max_wal_size: '4GB' };
  const cluster: Cluster = await startCluster({ programs, settings });
  try {
    const url = cluster.url('postgres');
    const input = `${statements(bytes).join(';\n')};\n`;
    const { exitCode, stderr } = await capture(programs.file('psql'), ['-X', '-q', '-v', 'ON_ERROR_STOP=1', '-o', '/dev/null', '-d', url], {
      input,
      timeoutMs: 3_600_000,
    });
    if (exitCode !== 0) throw new Error(stderr);
    const postmaster = Number(readFileSync(join(cluster.dataDirectory, 'postmaster.pid'), 'utf8').split('\n')[0]);
    return { url, version: programs.version, binDirectory: programs.directory, postmaster, stop: () => cluster.stop() };
  } catch (error) {
    await cluster.stop();
    throw error;
  }
}
