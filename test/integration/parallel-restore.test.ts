/**
 * test: a restore over several connections that a table's own function spoils, since tables come in another order.
 */
import { afterAll, beforeAll, expect, it } from 'vitest';
import { cloneDatabase, databaseUrl, sql, type TestDatabase } from '../fixtures/database.js';
import { ending, lab, type Lab } from '../fixtures/lab.js';

/**
 * Whoever comes into `a_left` leaves `b_here`, by a constraint's function, which runs while rows are loaded. One connection fills `a_left` while
 * `b_here` is empty still. Two begin with the larger tables: with `c_slow`, and `b_here`, which is done long before it.
 */
const spoiling = `
  CREATE TABLE b_here (id int, filler text);
  CREATE FUNCTION leave(int) RETURNS boolean LANGUAGE plpgsql AS $$ BEGIN DELETE FROM public.b_here WHERE id = $1; RETURN true; END $$;
  CREATE FUNCTION dawdle(int) RETURNS boolean LANGUAGE plpgsql AS $$ BEGIN PERFORM pg_sleep(0.5); RETURN true; END $$;
  CREATE TABLE a_left (id int CHECK (leave(id)));
  CREATE TABLE c_slow (id int CHECK (id % 2 = 0 OR dawdle(id)), filler text);
  INSERT INTO a_left SELECT generate_series(1, 10);
  INSERT INTO b_here SELECT g, repeat(md5(g::text), 10) FROM generate_series(1, 100) g;
  INSERT INTO c_slow SELECT 2 * g - 1, repeat(md5(g::text), 1000) FROM generate_series(1, 3) g;
  INSERT INTO c_slow SELECT 2 * g, repeat(md5(g::text), 1000) FROM generate_series(1, 300) g;`;

let source: TestDatabase;
let project: Lab;
const [name, plain] = [`spoilt_${process.pid}`, `spoilt_plain_${process.pid}`];
beforeAll(async () => {
  source = await cloneDatabase('empty');
  await sql(source.url, spoiling);
  project = lab({ shop: { url: source.url } });
});
afterAll(async () => {
  project.cleanup();
  for (const one of [name, plain]) await sql(databaseUrl('postgres'), `DROP DATABASE IF EXISTS "${one}" WITH (FORCE)`);
  await source.drop();
});

it('that loses rows is noticed, done once more over one connection, and told', async () => {
  expect(ending(await project.json(['execute', '--jobs', '2']))).toEqual({ exitCode: 0 });
  const several = await project.json(['restore', 'latest', '--to', databaseUrl(name), '--create', '--jobs', '2']);
  expect(several).toMatchObject({
    exitCode: 0,
    document: { ok: true, compared: true, warnings: [expect.stringMatching(/table public.b_here has 90 rows instead of 100.*over one/)] },
  });
  expect(
    await sql(databaseUrl(name), 'SELECT (SELECT count(*) FROM a_left), (SELECT count(*) FROM b_here), (SELECT count(*) FROM c_slow)'),
  ).toBe('10|100|303');
});

it('over one connection there is nothing to tell', async () => {
  expect(await project.json(['restore', 'latest', '--to', databaseUrl(plain), '--create'])).toMatchObject({
    exitCode: 0,
    document: { ok: true, warnings: [] },
  });
});
