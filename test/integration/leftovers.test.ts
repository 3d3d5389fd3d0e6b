/**
 * test: what pg_dump leaves behind without a word is named in the backup; that it really stays behind is looked at after a restore.
 */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { startCluster, type Cluster } from '../../src/system/postgres/cluster.js';
import { serverPrograms, sql } from '../fixtures/database.js';
import { ending, lab, type Lab } from '../fixtures/lab.js';

let cluster: Cluster;
let project: Lab;
let notIncluded: string[];
const source = () => cluster.url('left');
const restored = () => cluster.url('right');

beforeAll(async () => {
  cluster = await startCluster({ programs: await serverPrograms(), settings: { max_prepared_transactions: '5', wal_level: 'logical' } });
  await sql(cluster.url('postgres'), 'CREATE DATABASE "left"; CREATE DATABASE clean');
  await sql(
    source(),
    `CREATE EXTENSION hstore; CREATE EXTENSION citext; CREATE EXTENSION pg_stat_statements; CREATE EXTENSION file_fdw;
     CREATE TABLE joined (n int); ALTER EXTENSION hstore ADD TABLE joined; INSERT INTO joined VALUES (1), (2); ANALYZE joined;
     CREATE OR REPLACE FUNCTION citext_eq(citext, citext) RETURNS bool LANGUAGE sql IMMUTABLE STRICT AS 'SELECT true';
     CREATE FUNCTION pg_catalog.of_ours() RETURNS int LANGUAGE sql AS 'SELECT 1';
     CREATE TABLE doubled (n int); INSERT INTO doubled VALUES (1), (1);
     CREATE SERVER files FOREIGN DATA WRAPPER file_fdw; CREATE FOREIGN TABLE elsewhere (line text) SERVER files OPTIONS (filename '/dev/null');
     CREATE MATERIALIZED VIEW stale AS SELECT n FROM doubled; INSERT INTO doubled VALUES (2);
     CREATE SUBSCRIPTION follows CONNECTION 'host=nowhere.invalid dbname=x' PUBLICATION p WITH (connect = false, slot_name = NONE);
     REVOKE USAGE ON LANGUAGE sql FROM PUBLIC; REVOKE ALL ON SCHEMA information_schema FROM PUBLIC;
     SELECT pg_create_logical_replication_slot('slot_of_left', 'pgoutput');`,
  );
  await sql(source(), 'CREATE UNIQUE INDEX CONCURRENTLY broken ON doubled (n)').catch(() => {});
  await sql(source(), "BEGIN; INSERT INTO doubled VALUES (9); PREPARE TRANSACTION 'not yet'");
  project = lab({ left: { url: source() }, clean: { url: cluster.url('clean') } });
  expect(ending(await project.json(['execute']))).toEqual({ exitCode: 0 });
  const { document } = await project.json(['backups', 'show', 'latest', '--database', 'left']);
  ({ notIncluded } = document['details'] as { notIncluded: string[] });
});

afterAll(async () => {
  project.cleanup();
  await cluster.stop();
});

describe('what no dump holds', () => {
  it.each([
    ['an object that was added to an extension', /added to an extension.*: hstore has table (public\.)?joined$/],
    ['a function of an extension that was changed', /changed after.*: function (public\.)?citext_eq\(.*\) of citext$/],
    ['an object in a schema of the server', /schema of the server itself: function of_ours\(\)$/],
    ['privileges on what is built in', /server's own.*: language sql, schema information_schema$/],
    ['an invalid index', /not valid: index public\.broken$/],
    ['the rows of a foreign table', /rows are elsewhere: public\.elsewhere$/],
    ['the rows of a table of an extension', /do not ask to have dumped: public\.joined$/],
    ['a prepared transaction', /prepared transactions.*: not yet$/],
    ['a replication slot', /replication slots of this database: slot_of_left$/],
    ['a subscription', /subscriptions.*disabled.*: follows$/],
  ])('%s is named', (_what, wanted) => {
    expect(notIncluded).toContainEqual(expect.stringMatching(wanted));
  });

  it('and nothing else; of a plain database nothing at all', async () => {
    expect(notIncluded).toHaveLength(10);
    const { document } = await project.json(['backups', 'show', 'latest', '--database', 'clean']);
    expect((document['details'] as { notIncluded: string[] }).notIncluded).toEqual([]);
  });

  it('really stays behind, and the rest comes back; a stale view comes back fresh, and it is said', async () => {
    const { exitCode, document } = await project.json(['restore', 'latest', '--database', 'left', '--to', restored(), '--create']);
    expect({ exitCode, document }).toMatchObject({ exitCode: 0, document: { ok: true, compared: true } });
    expect(
      await sql(restored(), "SELECT to_regclass('joined'), to_regproc('of_ours'), to_regclass('broken'), to_regclass('elsewhere')"),
    ).toBe('|||elsewhere');
    expect(await sql(restored(), "SELECT 'a'::citext = 'b'::citext")).toBe('f');
    expect(
      await sql(
        restored(),
        'SELECT subenabled FROM pg_subscription WHERE subdbid = (SELECT oid FROM pg_database WHERE datname = current_database())',
      ),
    ).toBe('f');
    expect(document['warnings']).toContainEqual(expect.stringMatching(/stale.*refreshed/));
    expect(await sql(source(), 'SELECT count(*) FROM stale')).toBe('2');
    expect(await sql(restored(), 'SELECT count(*) FROM stale')).toBe('3');
  });
});
