/**
 * test: parts of a backup, and all of it over several connections, restored on a real server.
 */
import { readdirSync } from 'node:fs';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { cloneDatabase, databaseUrl, sql, type TestDatabase } from '../fixtures/database.js';
import { contentOf, ending, lab, type Lab } from '../fixtures/lab.js';

let shop: TestDatabase;
let project: Lab;
const made: string[] = [];

/** A database that is not there yet, and is removed at the end. */
function fresh(): { name: string; url: string } {
  const name = `part_${process.pid}_${made.length}`;
  made.push(name);
  return { name, url: databaseUrl(name) };
}
const restore = (url: string, ...args: string[]) => project.json(['restore', 'latest', '--to', url, ...args]);
/** What is left of a restore's private files. */
const leftBehind = () =>
  readdirSync(project.directory, { recursive: true, encoding: 'utf8' }).filter((file) => /\/(archive|contents|pgpass)$/.test(file));

beforeAll(async () => {
  shop = await cloneDatabase('shop');
  project = lab({ shop: { url: shop.url } });
  expect(ending(await project.json(['execute']))).toEqual({ exitCode: 0 });
});

afterAll(async () => {
  project.cleanup();
  for (const name of made) await sql(databaseUrl('postgres'), `DROP DATABASE IF EXISTS "${name}" WITH (FORCE)`);
  await shop.drop();
});

const indexes = `SELECT indexdef FROM pg_indexes WHERE tablename IN ('orders', 'visits_2024') ORDER BY 1`;

describe('restore of parts', () => {
  it('tables into a new database, with what they need and what belongs to them, partitions too', async () => {
    const { url } = fresh();
    const answer = await restore(url, '--create', '--table', 'orders', '--table=visits');
    expect(answer).toMatchObject({
      exitCode: 0,
      document: { ok: true, compared: true, warnings: [expect.stringContaining('large objects stay behind')] },
    });
    expect(await sql(url, 'SELECT (SELECT count(*) FROM orders), (SELECT count(*) FROM visits)')).toBe('800|1200');
    expect(await sql(url, indexes)).toBe(await sql(shop.url, indexes));
    expect(await sql(url, 'INSERT INTO orders (customer_id, placed_at) VALUES (1, now()) RETURNING id, state')).toBe('801|open');
    expect(
      await sql(
        url,
        "SELECT string_agg(relname, ',' ORDER BY relname) FROM pg_class WHERE relkind IN ('r', 'p') AND relnamespace = 'public'::regnamespace",
      ),
    ).toBe('orders,visits,visits_2024,visits_2025,visits_other');
    expect(leftBehind()).toEqual([]);
  });

  it('a schema with an odd name', async () => {
    const { url } = fresh();
    expect(await restore(url, '--create', '--schema', 'back office')).toMatchObject({ exitCode: 0, document: { compared: true } });
    expect(await sql(url, `SELECT count(*) FROM "back office"."Notes; DROP TABLE x"`)).toBe('5');
    expect(await sql(url, "SELECT count(*) FROM pg_class WHERE relnamespace = 'public'::regnamespace")).toBe('0');
  });

  it('one table of a database in use is replaced, and nothing else is touched', async () => {
    const copy = fresh();
    expect(ending(await restore(copy.url, '--create', '--jobs', '2'))).toEqual({ exitCode: 0 });
    const before = await contentOf(copy.url);
    expect(before).toBe(await contentOf(shop.url));
    await sql(copy.url, 'DELETE FROM manuals WHERE product_id = 2; TRUNCATE visits');
    expect((await restore(copy.url, '--table', 'manuals')).document.error).toMatchObject({ code: 'restore-target' });
    expect(await restore(copy.url, '--table=manuals', '--table=visits', '--force-target', copy.name)).toMatchObject({
      exitCode: 0,
      document: { compared: true },
    });
    expect(await contentOf(copy.url)).toBe(before);

    // other tables point at it: it cannot go, and what pg_restore says is told
    await sql(copy.url, 'UPDATE customers SET name = name || 1');
    const changed = await contentOf(copy.url);
    const refused = await restore(copy.url, '--table', 'customers', '--force-target', copy.name);
    expect(refused).toMatchObject({ exitCode: 23, document: { error: { message: expect.stringContaining('orders_customer_id_fkey') } } });
    expect(await contentOf(copy.url)).toBe(changed);
    expect(await restore(copy.url, '--jobs', '2', '--force-target', copy.name)).toMatchObject({ exitCode: 2 });
    expect(leftBehind()).toEqual([]);
  });

  it.each([
    ['--table=nope'],
    ['--table=-v'],
    ['--table=order%'],
    ['--table=public.orders'],
    ['--schema=pub*'],
    ['--table=Notes; DROP TABLE x', '--schema=public'],
  ])('a name that is not there is only a name: %s', async (...args) => {
    const { url, name } = fresh();
    await sql(databaseUrl('postgres'), `CREATE DATABASE "${name}"`);
    expect(await restore(url, ...args)).toMatchObject({ exitCode: 2, document: { error: { code: 'not-found' } } });
    expect(leftBehind()).toEqual([]);
  });

  it('--role owns what is made', async () => {
    const { url } = fresh();
    expect(ending(await restore(url, '--create', '--no-owner', '--table=vouchers', '--role=shop_app'))).toMatchObject({ exitCode: 23 });
    await sql(url, 'GRANT CREATE ON SCHEMA public TO shop_app');
    expect(ending(await restore(url, '--no-owner', '--table=customers', '--role=shop_app'))).toEqual({ exitCode: 0 });
    expect(await sql(url, "SELECT tableowner FROM pg_tables WHERE tablename = 'customers'")).toBe('shop_app');
  });
});
