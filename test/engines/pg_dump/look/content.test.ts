/**
 * test: what a backup counts and hashes: every table, its own rows, every column of them, and nothing beside.
 */
import { afterAll, beforeAll, expect, test } from 'vitest';
import type { Context } from '../../../../src/core/context.js';
import { compareFingerprints } from '../../../../src/model/backup/fingerprint.js';
import type { Fingerprint } from '../../../../src/model/backup/backup.js';
import { cloneDatabase, sql, type TestDatabase } from '../../../fixtures/database.js';
import { inProcess, lab, type Lab } from '../../../fixtures/lab.js';

let database: TestDatabase;
let project: Lab;
let context: Context;
beforeAll(async () => {
  database = await cloneDatabase('empty');
  project = lab({ shop: { url: database.url } });
  context = await inProcess(project);
  await sql(
    database.url,
    `CREATE SCHEMA "Odd.One"; CREATE TABLE "Odd.One"."a b" (n int, "T" text); INSERT INTO "Odd.One"."a b" VALUES (1, 'x'), (2, NULL);
     CREATE TABLE child (more boolean) INHERITS ("Odd.One"."a b"); INSERT INTO child VALUES (3, 'y', true);
     CREATE TABLE parts (at date, v numeric) PARTITION BY RANGE (at); CREATE TABLE parts_1 PARTITION OF parts FOR VALUES FROM ('2026-01-01') TO ('2027-01-01');
     INSERT INTO parts VALUES ('2026-05-05', 1.50); CREATE TABLE void ();
     CREATE UNLOGGED TABLE quick (n int); INSERT INTO quick VALUES (1);`,
  );
});
afterAll(async () => {
  project.cleanup();
  await database.drop();
});

async function taken(fingerprint: 'counts' | 'content'): Promise<Fingerprint> {
  const [one] = await context.engine.members('shop');
  if (!one) throw new Error('no database');
  const request = { eventId: context.newId(), compression: false, globals: true, jobs: 1, expectedSize: null, content: 'all' } as const;
  const dump = await context.engine.dump(one, { ...request, fingerprint, signal: context.signal, warn: () => {} });
  try {
    return (await dump.details()).fingerprint;
  } finally {
    await dump.close();
  }
}

test.each(['counts', 'content'] as const)('%s: every table with its own rows alone', async (method) => {
  const { tables } = await taken(method);
  expect(tables.map(({ schema, name, rows }) => `${schema} ${name} ${rows}`)).toEqual([
    'Odd.One a b 2',
    'public child 1',
    'public parts_1 1',
    'public quick 1',
    'public void 0',
  ]);
  expect(tables.filter(({ hash }) => (hash === undefined) === (method === 'content')).map(({ name }) => name)).toEqual(
    method === 'content' ? ['void'] : [],
  );
});

test.each([
  ['Odd.One.a b', `ONLY "Odd.One"."a b" SET n = 7 WHERE n = 1`],
  ['Odd.One.a b', `ONLY "Odd.One"."a b" SET "T" = 'z' WHERE n = 7`],
  ['Odd.One.a b', `ONLY "Odd.One"."a b" SET "T" = '' WHERE "T" IS NULL`],
  ['public.child', 'child SET n = 4'],
  ['public.child', 'child SET "T" = \'Y\''],
  ['public.child', 'child SET more = NULL'],
  ['public.parts_1', "parts SET at = '2026-05-06'"],
  ['public.parts_1', 'parts SET v = 1.5'],
  ['public.quick', 'quick SET n = 2'],
])('content: any value of %s that is changed is found, there alone (%s)', async (table, change) => {
  const before = await taken('content');
  await sql(database.url, `UPDATE ${change}`);
  expect(compareFingerprints(before, await taken('content'))).toEqual([
    expect.stringMatching(`^table ${table.replaceAll('.', '\\.')} has \\d rows?, but not the same ones$`),
  ]);
});
