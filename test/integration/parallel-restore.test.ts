/**
 * test: a restore over several connections, where things come in another order than over one: it is right, or done once more over one.
 */
import { afterAll, beforeAll, expect, it } from 'vitest';
import { cloneDatabase, databaseUrl, sql, type TestDatabase } from '../fixtures/database.js';
import { ending, lab, type Lab } from '../fixtures/lab.js';

/** The first row of `c_slow` is not in before all of `b_here` is: waited for up to a minute, and without a lock, which would keep `b_here` out. */
const patient = `
  CREATE TABLE b_here (id int, filler text);
  CREATE FUNCTION dawdle(int) RETURNS boolean LANGUAGE plpgsql AS
    $$ BEGIN FOR i IN 1..3000 LOOP EXIT WHEN pg_relation_size('public.b_here') > 0; PERFORM pg_sleep(0.02); END LOOP; RETURN true; END $$;
  CREATE TABLE c_slow (id int CHECK (id > 1 OR dawdle(id)), filler text);`;

/**
 * Whoever comes into `a_left` leaves `b_here`, by a constraint's function, which runs while rows are loaded. One connection fills `a_left` while
 * `b_here` is empty still. Two begin with the larger tables: with `c_slow`, and `b_here`, which `c_slow` waits for, so that `a_left` comes after it.
 */
const spoiling = `
  ${patient}
  CREATE FUNCTION leave(int) RETURNS boolean LANGUAGE plpgsql AS $$ BEGIN DELETE FROM public.b_here WHERE id = $1; RETURN true; END $$;
  CREATE TABLE a_left (id int CHECK (leave(id)));
  INSERT INTO a_left SELECT generate_series(1, 10);
  INSERT INTO b_here SELECT g, repeat(md5(g::text), 10) FROM generate_series(1, 100) g;
  INSERT INTO c_slow SELECT g, repeat(md5(g::text), 1000) FROM generate_series(1, 30) g;`;

/** The same order: here the function wants `b_here` to be empty. */
const refusing = `
  ${patient}
  CREATE FUNCTION alone(int) RETURNS boolean LANGUAGE plpgsql AS
    $$ BEGIN IF EXISTS (SELECT FROM public.b_here) THEN RAISE 'not alone'; END IF; RETURN true; END $$;
  CREATE TABLE a_alone (id int CHECK (alone(id)));
  INSERT INTO a_alone SELECT generate_series(1, 10);
  INSERT INTO b_here SELECT g, repeat(md5(g::text), 10) FROM generate_series(1, 100) g;
  INSERT INTO c_slow SELECT g, repeat(md5(g::text), 1000) FROM generate_series(1, 30) g;`;

const [owner, handing, last] = ['owner', 'handing', 'last'].map((role) => `${role}_${process.pid}`) as [string, string, string];
const many = Array.from({ length: 300 }, (_, index) => `"many_${process.pid}_${index}"`);

/** Who was granted something hands it on, which wants the grant on the schema, and that takes long: it is to hundreds of roles. */
const handedOn = `
  ${[owner, handing, last, ...many].map((role) => `CREATE ROLE ${role};`).join(' ')}
  CREATE SCHEMA app AUTHORIZATION ${owner};
  GRANT USAGE ON SCHEMA app TO ${many.join(', ')}; GRANT USAGE ON SCHEMA app TO ${handing};
  CREATE TABLE app.t AS SELECT 1 AS x;
  GRANT ALL ON app.t TO ${handing} WITH GRANT OPTION; SET ROLE ${handing}; GRANT SELECT ON app.t TO ${last}; RESET ROLE;
  CREATE TABLE app.base AS SELECT generate_series(1, 5) AS n; ALTER TABLE app.base OWNER TO ${owner}; REVOKE ALL ON app.base FROM ${owner};
  GRANT SELECT ON app.base TO ${handing}; CREATE MATERIALIZED VIEW app.sums AS SELECT count(*) FROM app.base; ALTER TABLE app.sums OWNER TO ${handing};`;

let source: TestDatabase;
let refused: TestDatabase;
let granted: TestDatabase;
let project: Lab;
const names = ['spoilt', 'spoilt_plain', 'refused', 'granted'].map((one) => `${one}_${process.pid}`) as [string, string, string, string];
const [name, plain, again, handed] = names;
beforeAll(async () => {
  [source, refused, granted] = [await cloneDatabase('empty'), await cloneDatabase('empty'), await cloneDatabase('empty')];
  await sql(source.url, spoiling);
  await sql(refused.url, refusing);
  await sql(granted.url, handedOn);
  project = lab({ shop: { url: source.url }, refused: { url: refused.url }, granted: { url: granted.url } });
});
afterAll(async () => {
  project.cleanup();
  for (const one of names) await sql(databaseUrl('postgres'), `DROP DATABASE IF EXISTS "${one}" WITH (FORCE)`);
  for (const one of [source, refused, granted]) await one.drop();
  await sql(databaseUrl('postgres'), `DROP ROLE IF EXISTS ${[owner, handing, last, ...many].join(', ')}`);
});

it('that loses rows is noticed, done once more over one connection, and told', async () => {
  expect(ending(await project.json(['execute', '--database', 'shop', '--jobs', '2']))).toEqual({ exitCode: 0 });
  const several = await project.json(['restore', 'latest', '--database', 'shop', '--to', databaseUrl(name), '--create', '--jobs', '2']);
  expect(several).toMatchObject({
    exitCode: 0,
    document: { ok: true, compared: true, warnings: [expect.stringMatching(/table public.b_here has 90 rows instead of 100.*over one/)] },
  });
  expect(
    await sql(databaseUrl(name), 'SELECT (SELECT count(*) FROM a_left), (SELECT count(*) FROM b_here), (SELECT count(*) FROM c_slow)'),
  ).toBe('10|100|30');
});

it('over one connection there is nothing to tell', async () => {
  expect(await project.json(['restore', 'latest', '--database', 'shop', '--to', databaseUrl(plain), '--create'])).toMatchObject({
    exitCode: 0,
    document: { ok: true, warnings: [] },
  });
});

it('that fails is done once more over one connection, and told', async () => {
  expect(ending(await project.json(['execute', '--database', 'refused']))).toEqual({ exitCode: 0 });
  const several = await project.json(['restore', 'latest', '--database', 'refused', '--to', databaseUrl(again), '--create', '--jobs', '2']);
  expect(several).toMatchObject({
    exitCode: 0,
    document: { ok: true, warnings: [expect.stringMatching(/it failed .*not alone.*over one/)] },
  });
  expect(await sql(databaseUrl(again), 'SELECT (SELECT count(*) FROM a_alone), (SELECT count(*) FROM b_here)')).toBe('10|100');
});

it('gives privileges in the order in which one connection gives them', async () => {
  expect(ending(await project.json(['execute', '--database', 'granted']))).toEqual({ exitCode: 0 });
  const several = await project.json([
    'restore',
    'latest',
    '--database',
    'granted',
    '--to',
    databaseUrl(handed),
    '--create',
    '--jobs',
    '2',
  ]);
  expect(several).toMatchObject({ exitCode: 0, document: { ok: true, warnings: [] } });
  const told = `SELECT relname, relacl FROM pg_class WHERE relnamespace = 'app'::regnamespace ORDER BY 1; SELECT * FROM app.sums`;
  expect(await sql(databaseUrl(handed), told)).toBe(await sql(granted.url, told));
});
