/**
 * test: two backups of a database that changed in between, compared without a restore.
 */
import { afterAll, beforeAll, expect, it } from 'vitest';
import { cloneDatabase, sql, type TestDatabase } from '../fixtures/database.js';
import { ending, lab, type Lab } from '../fixtures/lab.js';

let shop: TestDatabase;
let project: Lab;
const execute = async (): Promise<string> => {
  const answer = await project.json(['execute']);
  expect(ending(answer)).toEqual({ exitCode: 0 });
  return answer.document.events[0]?.result?.backupId ?? '';
};

beforeAll(async () => {
  shop = await cloneDatabase('shop');
  project = lab({ shop: { url: shop.url } });
});

afterAll(async () => {
  project.cleanup();
  await shop.drop();
});

it('backups diff tells what changed, to a program and to a person', async () => {
  const a = await execute();
  await sql(
    shop.url,
    `CREATE EXTENSION citext; CREATE TABLE extra AS SELECT 1 AS n; DROP TABLE vouchers; DELETE FROM order_lines WHERE line = 3;
     ALTER TABLE customers ADD note text, ALTER name DROP NOT NULL; CREATE INDEX by_name ON customers (name);
     CREATE FUNCTION fresh() RETURNS int LANGUAGE sql AS 'SELECT 1'; COMMENT ON FUNCTION fresh IS 'new'; GRANT SELECT ON orders TO PUBLIC;
     ALTER TABLE orders DROP CONSTRAINT orders_customer_id_fkey`,
  );
  const b = await execute();
  expect(await project.json(['backups', 'diff', a, 'latest'])).toMatchObject({
    exitCode: 0,
    document: {
      a,
      b,
      tables: [{ schema: 'public', name: 'order_lines', rowsA: 2400, rowsB: 1600 }],
      onlyInA: [{ name: 'vouchers', rows: 0 }],
      onlyInB: [{ name: 'extra', rows: 1 }],
      extensions: [{ name: 'citext', a: null }],
      objects: {
        onlyInA: expect.arrayContaining([
          { kind: 'TABLE', schema: 'public', name: 'vouchers' },
          { kind: 'FK CONSTRAINT', schema: 'public', name: 'orders orders_customer_id_fkey' },
        ]),
        onlyInB: expect.arrayContaining([
          { kind: 'FUNCTION', schema: 'public', name: 'fresh()' },
          { kind: 'INDEX', schema: 'public', name: 'by_name' },
        ]),
        changed: [
          expect.objectContaining({
            kind: 'TABLE',
            name: 'customers',
            partsB: expect.arrayContaining(['name text', 'note text']),
          }),
          expect.objectContaining({ kind: 'ACL', name: 'TABLE orders', partsB: ['GRANT SELECT ON TABLE public.orders TO PUBLIC;'] }),
        ],
      },
      equal: false,
      warnings: [],
    },
  });
  const { stdout } = await project.run(['backups', 'diff', a, b]);
  expect(stdout).toMatch(/table public\.order_lines +2400 +1600 +-800/);
  expect(stdout).toMatch(/function public\.fresh\(\) +no +yes/);
  expect(stdout).toMatch(/table public\.customers +yes +yes +changed/);
  expect(stdout).toMatch(/· note text +no +yes/);
  expect(stdout).not.toMatch(/comment|vouchers_pkey/);
  expect((await project.json(['backups', 'diff', b, b])).document).toMatchObject({ equal: true, tables: [] });
  expect(await project.json(['backups', 'diff', a, 'ffffffff'])).toMatchObject({
    exitCode: 2,
    document: { error: { hint: expect.stringContaining(a) } },
  });
});
