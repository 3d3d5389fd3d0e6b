/**
 * test: an archive's table of contents, read from its bytes, against the catalogue of the database that it was made from.
 */
import { execFileSync } from 'node:child_process';
import { Readable } from 'node:stream';
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { readInventory } from '../../../src/engines/pg_dump/look/inventory.js';
import { readContents } from '../../../src/engines/pg_dump/archive/toc.js';
import { incompleteness, type Contents, type Inventory } from '../../../src/model/backup/objects.js';
import { resolveServer } from '../../../src/system/connection/connection.js';
import { cloneDatabase, program, sql, type TestDatabase } from '../../fixtures/database.js';
import { everyKind } from '../../fixtures/every-kind.js';
import { newerPrograms, noNewer, startNewer } from '../../fixtures/newer.js';

let database: TestDatabase;
let archive: Buffer;
let inventory: Inventory;

const dump = (...args: string[]): Buffer => execFileSync(program('pg_dump'), ['-Fc', ...args, '-d', database.url], { maxBuffer: 1e9 });
const contentsOf = async (bytes: Buffer, pieces = 700): Promise<Contents> => {
  const split = Array.from({ length: Math.ceil(bytes.length / pieces) }, (_one, at) => bytes.subarray(at * pieces, (at + 1) * pieces));
  const contents = await readContents(Readable.from(split));
  if (!contents) throw new Error('not understood');
  return contents;
};
const readDatabase = async (content: 'all' | 'schema' = 'all', url = database.url): Promise<Inventory> => {
  const session = await (
    await resolveServer({ url }, { env: {}, secret: async (text: string) => text, signal: new AbortController().signal })
  ).connect({
    applicationName: 'test',
  });
  try {
    return await readInventory(session, content);
  } finally {
    await session.close();
  }
};

beforeAll(async () => {
  database = await cloneDatabase('empty');
  await sql(database.url, everyKind);
  archive = dump();
  inventory = await readDatabase();
});
afterAll(async () => {
  await sql(database.url, 'ALTER SUBSCRIPTION sub SET (slot_name = NONE); DROP SUBSCRIPTION sub');
  await database.drop();
});

describe('a whole dump', () => {
  it('holds everything that the catalogue has, of every kind', async () => {
    expect(incompleteness('shop', inventory, await contentsOf(archive))).toBeNull();
    const found = new Set(inventory.expected.map(({ kind }) => kind));
    expect([...found].toSorted()).toMatchInlineSnapshot(`
      [
        "access method",
        "cast",
        "collation",
        "constraint",
        "conversion",
        "event trigger",
        "extension",
        "foreign data wrapper",
        "foreign server",
        "foreign table",
        "function",
        "index",
        "language",
        "materialized view",
        "operator",
        "operator class",
        "operator family",
        "policy",
        "position of sequence",
        "publication",
        "row security of",
        "rows of table",
        "rule",
        "schema",
        "sequence",
        "statistics",
        "subscription",
        "table",
        "text search configuration",
        "text search dictionary",
        "trigger",
        "type",
        "view",
      ]
    `);
    expect(inventory.largeObjects).toBe(3);
  });

  it('of the schema alone holds no rows, and none are expected', async () => {
    expect(incompleteness('shop', await readDatabase('schema'), await contentsOf(dump('--schema-only')))).toBeNull();
  });

  it('everything in it that is a thing of its own is expected: nothing that the catalogue has was forgotten', async () => {
    const { keys } = await contentsOf(archive);
    const expected = new Set(inventory.expected.map(({ key }) => key));
    const unexpected = [...keys].filter(
      (key) => !expected.has(key) && !/^(ENCODING|STDSTRINGS|SEARCHPATH|BLOBS|ACL|COMMENT|2613)/.test(key),
    );
    // a part of another entry, or no thing of its own
    expect(unexpected.map((key) => key.replace(/\/.*/, '')).toSorted()).toEqual([
      '1262', // the database
      '2604', // a default
      '6106', // what a publication publishes
      '6237',
      'INDEX ATTACH',
      'MATERIALIZED VIEW DATA',
      'SEQUENCE OWNED BY',
      'SHELL TYPE',
      'TABLE ATTACH',
      'USER MAPPING',
    ]);
  });
});

describe('what pg_dump leaves out', () => {
  const without = async (...args: string[]): Promise<string> =>
    incompleteness('shop', inventory, await contentsOf(dump(...args)))?.message ?? 'whole';

  it.each([
    ['a table', ['--exclude-table=t'], /table public\.t, .*rows of table public\.t, position of sequence public\.t_id_seq$/],
    ['rows', ['--exclude-table-data=ch'], /^shop: the dump leaves out rows of table public\.ch$/],
    ['large objects', ['--no-blobs'], /3 of 3 large objects/],
    ['a schema', ['--exclude-schema=odd sch'], /schema odd sch/],
    ['publications', ['--no-publications'], /publication pub/],
    ['what is not in one schema', ['--schema=odd sch'], /; and \d+ more$/],
  ])('%s: named', async (_what, args, expected) => expect(await without(...args)).toMatch(expected));

  it('an index that is not valid is no loss', async () => {
    await sql(database.url, 'CREATE TABLE twice AS SELECT 1 AS n UNION ALL SELECT 1');
    await expect(sql(database.url, 'CREATE UNIQUE INDEX CONCURRENTLY broken ON twice (n)')).rejects.toThrow(
      'could not create unique index',
    );
    expect(incompleteness('shop', await readDatabase(), await contentsOf(dump()))).toBeNull();
    await sql(database.url, 'DROP TABLE twice');
  });

  it('what an extension brings along is no loss, but the rows of its configuration would be', async () => {
    await sql(
      database.url,
      `CREATE TABLE conf (n int); ALTER EXTENSION pg_trgm ADD TABLE conf; CREATE SCHEMA owned; ALTER EXTENSION pg_trgm ADD SCHEMA owned; CREATE TABLE owned.mine (n int);
       UPDATE pg_extension SET extconfig = array['conf'::regclass::oid], extcondition = array[''] WHERE extname = 'pg_trgm'`,
    );
    const whole = await readDatabase();
    expect(incompleteness('shop', whole, await contentsOf(dump()))).toBeNull();
    expect(incompleteness('shop', whole, await contentsOf(dump('--exclude-table-data=conf')))?.message).toContain(
      'rows of table public.conf',
    );
    expect(incompleteness('shop', whole, await contentsOf(dump('--exclude-table=owned.mine')))?.message).toContain('table owned.mine');
  });
});

describe('the bytes', () => {
  it('are the same in whatever pieces they come', async () => {
    const whole = await contentsOf(archive, archive.length);
    await fc.assert(
      fc.asyncProperty(fc.integer({ min: 1, max: 5000 }), async (size) => {
        expect(await contentsOf(archive.subarray(0, 200_000), size)).toEqual(whole);
      }),
      { numRuns: 10 },
    );
  });

  it('of the directory format are the same', async () => {
    const { mkdtempSync, readFileSync, rmSync } = await import('node:fs');
    const folder = mkdtempSync('/tmp/backup-automation-test-');
    execFileSync(program('pg_dump'), ['-Fd', '-f', `${folder}/d`, '-d', database.url]);
    const { keys } = await contentsOf(readFileSync(`${folder}/d/toc.dat`));
    expect(keys).toEqual((await contentsOf(dump())).keys);
    rmSync(folder, { recursive: true });
  });

  it('that end too early, or are something else, are no archive', async () => {
    await expect(contentsOf(archive.subarray(0, 3000))).rejects.toMatchObject({
      code: 'archive',
      message: expect.stringContaining('ends within'),
    });
    await expect(contentsOf(Buffer.from('-- PostgreSQL database dump'))).rejects.toMatchObject({ code: 'archive' });
    const tomorrow = Buffer.from(archive);
    tomorrow[6] = 17;
    expect(await readContents(Readable.from([tomorrow]))).toBeNull();
  });
});

describe.skipIf(noNewer)(`by a newer pg_dump${noNewer ? `: ${noNewer}` : ''}`, () => {
  const newer = (url: string) => execFileSync(newerPrograms?.file('pg_dump') ?? '', ['-Fc', '-d', url], { maxBuffer: 1e9 });

  it('an older server is whole, with large objects in one entry', async () => {
    expect(incompleteness('shop', await readDatabase(), await contentsOf(newer(database.url)))).toBeNull();
  });

  it('a newer server is whole', async () => {
    const server = await startNewer();
    try {
      await sql(server.url('postgres'), everyKind);
      const whole = await readDatabase('all', server.url('postgres'));
      expect(whole.largeObjects).toBe(3);
      expect(incompleteness('shop', whole, await contentsOf(newer(server.url('postgres'))))).toBeNull();
    } finally {
      await server.stop();
    }
  });
});
