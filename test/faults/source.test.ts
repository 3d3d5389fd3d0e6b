/**
 * test: a source that changes, is renamed, is damaged or misleads while it is dumped (rows C17, C18, C20, C24).
 */
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { startCluster, type Cluster } from '../../src/system/postgres/cluster.js';
import { count } from '../fixtures/counts.js';
import { cloneDatabase, databaseUrl, serverPrograms, sql } from '../fixtures/database.js';
import { ending, inProcess, lab, type Lab } from '../fixtures/lab.js';

const open: { cleanup(): void }[] = [];
afterEach(() => {
  for (const one of open.splice(0)) one.cleanup();
});

function project(url: string, more: object = {}): Lab {
  const made = lab({ shop: { url } }, { autoRetry: false, ...more });
  open.push(made);
  return made;
}

it('C17: tables are dropped and columns changed all the time: failed, or equal to its snapshot', async ({ task }) => {
  const database = await cloneDatabase('shop');
  const made = project(database.url);
  const rounds = count(2, 20);
  const violations: string[] = [];
  let over = false;
  const changing = async () => {
    for (let turn = 0; !over; turn += 1)
      await sql(
        database.url,
        `SET lock_timeout = '20ms'; DROP TABLE IF EXISTS fleeting; CREATE TABLE fleeting AS SELECT generate_series(1, ${turn}) n;
           ALTER TABLE vouchers ADD c${turn} int; ALTER TABLE vouchers DROP c${turn};`,
      ).catch(() => {});
  };
  const changes = changing();
  for (let round = 0; round < rounds; round += 1) {
    const answer = await made.json(['execute', '--set', `fingerprint=${round % 2 ? 'none' : 'counts'}`]);
    if (answer.exitCode === 20) continue;
    const { results } = (await made.json(['verify', 'latest'])).document;
    if (!results[0]?.ok) violations.push(`round ${round}: ${results[0]?.detail}`);
  }
  over = true;
  await changes;
  await database.drop();
  task.meta.score = { row: 'C17', what: 'tables dropped and changed during the dump', n: rounds, violations };
  expect(violations).toEqual([]);
});

it('C18: the database is renamed after the check: permanent, by the name it had', async () => {
  const database = await cloneDatabase('shop');
  const context = await inProcess(project(database.url));
  const [shop] = await context.engine.members('shop');
  if (!shop) throw new Error('no shop');
  await context.engine.measure(shop);
  await sql(databaseUrl('postgres'), `ALTER DATABASE ${database.name} RENAME TO ${database.name}_renamed`);
  await expect(context.engine.access(shop)).rejects.toMatchObject({
    code: 'no-database',
    class: 'permanent',
    exit: 20,
    message: expect.stringContaining(database.name),
  });
  await sql(databaseUrl('postgres'), `DROP DATABASE ${database.name}_renamed`);
});

describe('a damaged source', () => {
  let cluster: Cluster;
  beforeAll(async () => {
    cluster = await startCluster({ programs: await serverPrograms() });
  });
  afterAll(() => cluster.stop());

  /** A copy of the database's files, so that no page of it is in memory. */
  const makeAnew = async () => {
    await sql(cluster.url('postgres'), 'DROP DATABASE IF EXISTS shop WITH (FORCE)');
    await sql(cluster.url('postgres'), `CREATE DATABASE shop TEMPLATE whole ${cluster.major >= 15 ? 'STRATEGY file_copy' : ''}`);
  };

  it('C20: a corrupt page: failed, called by its name, and nothing of before is removed until it is whole again', async () => {
    await sql(cluster.url('postgres'), 'CREATE DATABASE whole');
    await sql(cluster.url('whole'), 'CREATE TABLE precious AS SELECT g, md5(g::text) FROM generate_series(1, 5000) g');
    await makeAnew();
    const made = project(cluster.url('shop'), { retention: { keepLast: 1, minimum: 1 } });
    for (let backups = 0; backups < 3; backups += 1)
      expect(ending(await made.json(['execute', '--set', 'retention.keepLast=100']))).toEqual({ exitCode: 0 });
    await makeAnew();
    const file = join(cluster.dataDirectory, (await sql(cluster.url('shop'), "SELECT pg_relation_filepath('precious')")).trim());
    writeFileSync(file, readFileSync(file).fill(0xa5, 8192, 8192 + 64));
    const failed = await made.json(['execute']);
    expect(failed).toMatchObject({ exitCode: 20, document: { error: { code: 'damaged-source', class: 'permanent' } } });
    expect(failed.document.error.message).toMatch(/^shop: source damaged: .*invalid page in block 1/);
    expect(failed.document.error.hint).toContain('do not remove old backups');
    const eventId = failed.document.events[0]?.id ?? '';
    for (const more of [[], ['--yes'], ['--yes', '--force']]) {
      const { document } = await made.json(['backups', 'prune', ...more]);
      expect({ more, remove: document['remove'] }).toEqual({ more, remove: [] });
      expect(JSON.stringify(document)).toContain(`event ${eventId} found it so`);
    }
    expect((await made.json(['backups'])).document.backups).toHaveLength(3);
    await makeAnew();
    expect(ending(await made.json(['execute']))).toEqual({ exitCode: 0 });
    expect((await made.json(['backups', 'prune', '--yes', '--force'])).exitCode).toBe(0);
    expect((await made.json(['backups'])).document.backups).toHaveLength(1);
  });
});

describe('what shadows what the server ships', () => {
  it('C24: a database full of functions, views and operators of the same names, first in every path, fools nobody', async () => {
    const database = await cloneDatabase('shop');
    const role = `misled_${process.pid}`;
    await sql(
      database.url,
      `CREATE ROLE ${role} LOGIN; GRANT pg_read_all_data TO ${role};
       CREATE FUNCTION public.pg_database_size(name) RETURNS bigint LANGUAGE plpgsql AS $$begin raise 'fooled'; end$$;
       CREATE FUNCTION public.has_table_privilege(oid, text) RETURNS boolean LANGUAGE sql AS 'select true';
       CREATE FUNCTION public.row_security_active(oid) RETURNS boolean LANGUAGE sql AS 'select false';
       CREATE FUNCTION public.aclexplode(aclitem[]) RETURNS boolean LANGUAGE sql AS 'select true';
       CREATE FUNCTION public.format(text, name, name) RETURNS text LANGUAGE sql AS $$select 'pg_catalog.pg_class'$$;
       CREATE FUNCTION public.pg_export_snapshot() RETURNS text LANGUAGE plpgsql AS $$begin raise 'fooled'; end$$;
       CREATE FUNCTION public.current_setting(text) RETURNS text LANGUAGE plpgsql AS $$begin raise 'fooled'; end$$;
       CREATE FUNCTION public.always(oid, oid) RETURNS boolean LANGUAGE sql AS 'select true';
       CREATE OPERATOR public.= (leftarg = oid, rightarg = oid, function = public.always);
       CREATE VIEW public.pg_class AS SELECT 1 AS oid; CREATE VIEW public.pg_namespace AS SELECT 1 AS oid;
       CREATE VIEW public.pg_largeobject_metadata AS SELECT 1 AS oid;
       ALTER DATABASE ${database.name} SET search_path = public, pg_catalog; ALTER ROLE ${role} SET search_path = public, pg_catalog;`,
    );
    const refused = await project(databaseUrl(database.name, role)).json(['execute']);
    expect(refused.document.error).toMatchObject({ code: 'permission', message: expect.stringContaining('may not read 3 large objects') });
    const made = project(database.url);
    expect(ending(await made.json(['execute']))).toEqual({ exitCode: 0 });
    const { manifest, details } = (await made.json(['backups', 'show', 'latest'])).document;
    expect(manifest).toMatchObject({ databaseSize: expect.any(Number) });
    expect(details).toMatchObject({
      fingerprint: { largeObjects: 3, tables: expect.arrayContaining([expect.objectContaining({ name: 'customers', rows: 200 })]) },
    });
    await database.drop();
    await sql(databaseUrl('postgres'), `DROP ROLE ${role}`);
  });

  it('C24: every catalogue and function in our queries is named with its schema', () => {
    const root = join(import.meta.dirname, '../../src');
    const files = ['engines/pg_dump', 'system/postgres', 'system/connection'].flatMap((folder) =>
      readdirSync(join(root, folder), { recursive: true, encoding: 'utf8' })
        .filter((name) => name.endsWith('.ts'))
        .map((name) => join(root, folder, name)),
    );
    const shipped =
      'pg_(?!dump|restore|dumpall|catalog)\\w+|has_\\w+_privilege|current_(?:setting|database)|set_config|array_agg|string_agg|bool_(?:or|and)|unnest|aclexplode|row_security_active|md5|sha256|count|sum';
    const bare = new RegExp(`(?:FROM|JOIN) (?:ONLY )?pg_(?!catalog)\\w+|(?<![\\w.'"$#])(?:${shipped})\\(`, 'g');
    const literals = (text: string) => [...text.matchAll(/`[^`]*`|'(?:[^'\\\n]|\\.)*'|"(?:[^"\\\n]|\\.)*"/g)].map(([literal]) => literal);
    const isQuery = (text: string) => /\b(?:SELECT|FROM|LOCK) /.test(text);
    const found = files.flatMap((file) =>
      literals(readFileSync(file, 'utf8'))
        .filter(isQuery)
        .flatMap((text) => [...text.matchAll(bare)].map(([what]) => `${file}: ${what}`)),
    );
    expect(files.length).toBeGreaterThan(10);
    expect(found).toEqual([]);
  });
});
