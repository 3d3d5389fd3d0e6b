/**
 * test: what a backup role may not read, or would not see, is named before the dump, all of it, with the SQL that mends it.
 */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { cloneDatabase, databaseUrl, sql, type TestDatabase } from '../fixtures/database.js';
import { ending, lab, type Lab } from '../fixtures/lab.js';

const role = `Reader ${process.pid}`;
const quoted = `"${role}"`;
let database: TestDatabase;
let project: Lab;

/** The SQL of a hint, as a person would copy it. */
const grantsIn = (hint: string): string => hint.replace(/^.*?database: /, '').replace(/ \(or, for what there is now: .*\)$/, '');

beforeAll(async () => {
  database = await cloneDatabase('shop');
  await sql(
    database.url,
    `CREATE ROLE ${quoted} LOGIN; CREATE SCHEMA "Odd One"; CREATE TABLE "Odd One"."ta ble" (n int); CREATE SEQUENCE "Odd One".counter;
     CREATE TABLE measured (day date) PARTITION BY RANGE (day); CREATE TABLE measured_1 PARTITION OF measured DEFAULT;
     CREATE VIEW looked AS SELECT * FROM customers; CREATE MATERIALIZED VIEW kept AS SELECT count(*) FROM customers;
     CREATE EXTENSION fuzzystrmatch; CREATE TABLE of_extension (n int); ALTER EXTENSION fuzzystrmatch ADD TABLE of_extension;`,
  );
  project = lab({ shop: { url: databaseUrl(database.name, role) } }, { autoRetry: false });
});
afterAll(async () => {
  project.cleanup();
  await database.drop();
  await sql(databaseUrl('postgres'), `DROP ROLE IF EXISTS ${quoted}`);
});

const names = ['customers', 'order_lines', 'vouchers', '"Odd One"."ta ble"', '"Odd One".counter', 'measured', 'measured_1', 'large object'];

describe('C19: what the role may not read', () => {
  it('C19: every table, sequence, schema and large object is named at once, before the dump, and its hint mends it', async () => {
    const refused = await project.json(['execute', '--set', 'autoRetry=true']);
    expect(refused).toMatchObject({ exitCode: 20, document: { error: { code: 'permission', class: 'permanent' } } });
    const { message, hint } = refused.document.error;
    for (const name of [...names, 'schemas "Odd One"']) expect(message).toContain(name);
    // no content of theirs is in a dump
    for (const name of ['looked', 'kept', 'of_extension']) expect(message).not.toContain(name);
    expect(refused.document.events).toHaveLength(1);
    expect((await project.json(['events', '--status', 'pending'])).document.events).toEqual([]);
    expect(project.stored().filter((name) => name.includes('/'))).toEqual([]);
    await sql(database.url, grantsIn(hint));
    expect(ending(await project.json(['execute']))).toEqual({ exitCode: 0 });
    expect((await project.json(['verify', 'latest'])).document.results).toMatchObject([{ ok: true, level: 'restore' }]);
  });

  it('C19: tables whose rows row security hides are named, all of them, even of their owner where it is forced', async () => {
    await sql(
      database.url,
      `ALTER TABLE customers ENABLE ROW LEVEL SECURITY; CREATE POLICY few ON customers USING (id < 10);
       ALTER TABLE vouchers OWNER TO ${quoted}; ALTER TABLE vouchers ENABLE ROW LEVEL SECURITY;`,
    );
    const one = (await project.json(['execute'])).document.error;
    expect(one).toMatchObject({ code: 'permission', message: expect.stringContaining('would not see all rows of public.customers,') });
    await sql(database.url, 'ALTER TABLE vouchers FORCE ROW LEVEL SECURITY');
    const both = (await project.json(['execute'])).document.error;
    expect(both.message).toContain('public.customers, public.vouchers');
    expect(grantsIn(both.hint)).toBe(`ALTER ROLE ${quoted} BYPASSRLS;`);
    const told = await project.json(['health']);
    expect(told.exitCode).toBe(2);
    expect(told.document['checks']).toContainEqual(
      expect.objectContaining({ name: 'permissions', status: 'critical', detail: both.message, hint: both.hint }),
    );
    const rehearsed = await project.json(['test']);
    expect(rehearsed).toMatchObject({ exitCode: 1, document: { ok: false } });
    expect(rehearsed.document['steps']).toContainEqual(
      expect.objectContaining({ name: 'permissions shop', ok: false, detail: `${both.message} (${both.hint})` }),
    );
    await sql(database.url, grantsIn(both.hint));
    expect(ending(await project.json(['execute']))).toEqual({ exitCode: 0 });
    expect((await project.json(['verify', 'latest'])).document.results).toMatchObject([{ ok: true, level: 'restore' }]);
    expect((await project.json(['health'])).document['checks']).toContainEqual(
      expect.objectContaining({ name: 'permissions', status: 'healthy' }),
    );
  });

  it('C19: the configuration of an extension is dumped, so it must be readable', async () => {
    await sql(
      database.url,
      `CREATE TABLE settings_of_extension (n int); ALTER EXTENSION fuzzystrmatch ADD TABLE settings_of_extension;
       UPDATE pg_extension SET extconfig = array['settings_of_extension'::regclass::oid], extcondition = array[''] WHERE extname = 'fuzzystrmatch';
       REVOKE pg_read_all_data FROM ${quoted}; GRANT USAGE ON SCHEMA "Odd One" TO ${quoted};
       GRANT SELECT ON ALL TABLES IN SCHEMA public, "Odd One", "back office" TO ${quoted}; GRANT USAGE ON SCHEMA "back office" TO ${quoted};
       GRANT SELECT ON ALL SEQUENCES IN SCHEMA public, "Odd One", "back office" TO ${quoted}; REVOKE ALL ON settings_of_extension, of_extension FROM ${quoted};`,
    );
    const { message, hint } = (await project.json(['execute'])).document.error;
    expect(message).toContain('may not read table public.settings_of_extension');
    expect(hint).toContain(`or, for what there is now: GRANT SELECT ON "public"."settings_of_extension" TO ${quoted};`);
    await sql(database.url, `GRANT SELECT ON settings_of_extension TO ${quoted}`);
    expect(ending(await project.json(['execute']))).toEqual({ exitCode: 0 });
  });
});
