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
    'CREATE EXTENSION citext; CREATE TABLE extra AS SELECT 1 AS n; DROP TABLE vouchers; DELETE FROM order_lines WHERE line = 3',
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
      equal: false,
      warnings: [],
    },
  });
  const { stdout } = await project.run(['backups', 'diff', a, b]);
  expect(stdout).toMatch(/table public\.order_lines +2400 +1600 +-800/);
  expect((await project.json(['backups', 'diff', b, b])).document).toMatchObject({ equal: true, tables: [] });
  expect(await project.json(['backups', 'diff', a, 'ffffffff'])).toMatchObject({
    exitCode: 2,
    document: { error: { hint: expect.stringContaining(a) } },
  });
});
