/**
 * test: what comes back, of a large schema and of a database that means harm (rows C26 and G11 of docs/reliability.md).
 */
import { existsSync, mkdtempSync, chmodSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { startCluster, type Cluster } from '../../src/system/postgres/cluster.js';
import { count, isFull } from '../fixtures/counts.js';
import { serverPrograms, sql } from '../fixtures/database.js';
import { tellAll } from '../fixtures/equality.js';
import { ending, lab } from '../fixtures/lab.js';

let source: Cluster;
let target: Cluster;
const folder = mkdtempSync(join(tmpdir(), 'backup-automation-canary-'));
const canary = join(folder, 'canary');

beforeAll(async () => {
  chmodSync(folder, 0o777);
  [source, target] = (await Promise.all([0, 1].map(async () => startCluster({ programs: await serverPrograms() })))) as [Cluster, Cluster];
});

afterAll(async () => {
  await Promise.all([source.stop(), target.stop()]);
  rmSync(folder, { recursive: true, force: true });
});

const tables = count(60, 2000);
const objects = count(20, 1000);

const large = `CREATE ROLE large_owner; CREATE EXTENSION hstore; CREATE DOMAIN short AS varchar(20) CHECK (value <> '');
  CREATE TABLE parts (n int, d short) PARTITION BY LIST (n); CREATE UNLOGGED TABLE quick (n int); INSERT INTO quick SELECT generate_series(1, 50);
  DO $$ BEGIN FOR i IN 1..${tables} LOOP
    EXECUTE format('CREATE TABLE t%s (id int GENERATED ALWAYS AS IDENTITY PRIMARY KEY, d short, h hstore); INSERT INTO t%1$s (d, h) SELECT ''x'' || g, (''a=>'' || g)::hstore FROM generate_series(1, %s) g', i, i % 7);
    IF i % 5 = 0 THEN EXECUTE format('ALTER TABLE t%s OWNER TO large_owner', i); END IF;
    IF i % 10 = 0 THEN EXECUTE format('CREATE TABLE parts_%s PARTITION OF parts FOR VALUES IN (%1$s)', i); INSERT INTO parts VALUES (i, 'p'); END IF;
  END LOOP; END $$;
  SELECT lo_from_bytea(0, decode(repeat(md5(i::text), ${count(3000, 30_000)}), 'hex')) FROM generate_series(1, ${objects}) i;`;

describe('what comes back', () => {
  it(
    'C26: thousands of tables, large objects, unlogged, partitions, domains, identity, extensions, and roles that are missing',
    async () => {
      await sql(source.url('postgres'), 'CREATE DATABASE large');
      await sql(source.url('large'), large);
      const project = lab({ large: { url: source.url('large') } }, { fingerprint: 'content' });
      expect(ending(await project.json(['execute']))).toEqual({ exitCode: 0 });
      const lacking = await project.json(['restore', 'latest', '--to', target.url('large'), '--create', '--plan']);
      expect(lacking).toMatchObject({ exitCode: 23, document: { missing: [{ kind: 'role', name: 'large_owner' }] } });
      await sql(target.url('postgres'), (lacking.document['sql'] as string[]).join('\n'));
      const made = await project.json(['restore', 'latest', '--to', target.url('large'), '--create']);
      expect(made).toMatchObject({ exitCode: 0, document: { ok: true, compared: true, warnings: [] } });
      const [before, after] = [await tellAll(source.url('large')), await tellAll(target.url('large'))];
      process.stderr.write(
        `C26: ${after.rows.filter((line, i) => line === before.rows[i]).length} of ${before.rows.length} tables and sequences equal\n`,
      );
      expect(after).toEqual(before);
      project.cleanup();
    },
    isFull ? 600_000 : 60_000,
  );

  it('G11: commands in names, texts, views and functions of a user are not run by a proof', async () => {
    const command = `COPY (SELECT 1) TO PROGRAM 'touch ${canary}'`;
    await sql(source.url('postgres'), 'CREATE DATABASE harm; CREATE ROLE harmful; GRANT CREATE ON DATABASE harm TO harmful;');
    await sql(
      source.url('harm'),
      `GRANT CREATE ON SCHEMA public TO harmful; SET check_function_bodies = off; SET ROLE harmful;
       CREATE TABLE "x\n\\! touch ${canary}" (n int); COMMENT ON TABLE "x\n\\! touch ${canary}" IS E'\n\\\\! touch ${canary}\n';
       CREATE FUNCTION run(int) RETURNS int LANGUAGE plpgsql AS $$ BEGIN ${command.replaceAll("'", "''").replace(/^/, "EXECUTE '")}'; RETURN $1; EXCEPTION WHEN insufficient_privilege THEN RETURN $1; END $$;
       CREATE FUNCTION run_defined(int) RETURNS int SECURITY DEFINER LANGUAGE plpgsql AS $$ BEGIN RETURN public.run($1); END $$;
       CREATE MATERIALIZED VIEW refreshed AS SELECT public.run(1) AS n; CREATE TABLE t (n int); INSERT INTO t VALUES (1);
       CREATE TABLE defined (n int CHECK (public.run_defined(n) > 0)); INSERT INTO defined VALUES (1);
       RESET ROLE;`,
    );
    const project = lab({ harm: { url: source.url('harm') } });
    expect(ending(await project.json(['execute']))).toEqual({ exitCode: 0 });
    rmSync(canary, { force: true });
    expect((await project.json(['verify'])).document.results).toMatchObject([{ ok: true }]);
    expect(existsSync(canary)).toBe(false);
    project.cleanup();
  });

  it('G11: nor is what a check calls, where the proof is made by a role without rights on a server of yours', async () => {
    const call = `COPY (SELECT 1) TO PROGRAM ''touch ${canary}''`;
    await sql(source.url('postgres'), 'CREATE DATABASE checks');
    await sql(
      source.url('checks'),
      `CREATE FUNCTION run(int) RETURNS int LANGUAGE plpgsql AS $$ BEGIN EXECUTE '${call}'; RETURN $1; EXCEPTION WHEN insufficient_privilege THEN RETURN $1; END $$;
       CREATE TABLE checked (n int CHECK (public.run(n) > 0)); INSERT INTO checked VALUES (1);`,
    );
    await sql(target.url('postgres'), 'CREATE ROLE prover LOGIN CREATEDB');
    const server = target.url('postgres').replace(/user=[^&]*/, 'user=prover');
    const project = lab({ checks: { url: source.url('checks') } }, { verify: { server } });
    expect(ending(await project.json(['execute']))).toEqual({ exitCode: 0 });
    expect(existsSync(canary)).toBe(true);
    rmSync(canary);
    expect((await project.json(['verify'])).document.results).toMatchObject([{ ok: true }]);
    expect(existsSync(canary)).toBe(false);
    project.cleanup();
  });
});
