/**
 * test: the client programs are newer than the server, and pg_restore begins each session with a setting that only its own generation knows.
 */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { cloneDatabase, databaseUrl, sql, type TestDatabase } from '../fixtures/database.js';
import { contentOf, ending, lab, type Lab } from '../fixtures/lab.js';
import { newerPrograms, noNewer } from '../fixtures/newer.js';
import { inject } from 'vitest';

const reason =
  noNewer ?? (inject('postgres').major >= 17 || (newerPrograms?.major ?? 0) < 17 ? 'no client 17 beside an older server' : null);

describe.skipIf(reason !== null)(`a client of 17 and an older server${reason ? ` (${reason})` : ''}`, () => {
  let source: TestDatabase;
  let project: Lab;
  const names = ['one', 'two', 'replaced', 'failing'].map((name) => `older_${name}_${process.pid}`) as [string, string, string, string];
  const [one, two, replaced, failing] = names;
  const restore = (name: string, ...more: string[]) => project.json(['restore', 'latest', '--to', databaseUrl(name), ...more]);

  beforeAll(async () => {
    source = await cloneDatabase('shop');
    project = lab({ shop: { url: source.url } }, { clientDirectory: newerPrograms?.directory, fingerprint: 'content' });
    expect(ending(await project.json(['execute']))).toEqual({ exitCode: 0 });
  });
  afterAll(async () => {
    project.cleanup();
    for (const name of names) await sql(databaseUrl('postgres'), `DROP DATABASE IF EXISTS "${name}" WITH (FORCE)`);
    await source.drop();
  });

  it('verify proves by a restore', async () => {
    const { exitCode, document } = await project.json(['verify', 'latest']);
    expect({ exitCode, results: document.results }).toMatchObject({
      exitCode: 0,
      results: [{ ok: true, detail: expect.stringContaining('equal') }],
    });
  });

  it.each([
    ['over one connection', one, []],
    ['over several', two, ['--jobs', '2']],
  ] as const)('restore %s comes back equal, without a warning', async (_how, name, more) => {
    const { exitCode, document } = await restore(name, '--create', ...more);
    expect({ exitCode, document }).toMatchObject({ exitCode: 0, document: { ok: true, compared: true, warnings: [] } });
    expect(await contentOf(databaseUrl(name))).toBe(await contentOf(source.url));
  });

  it('replaces what is there in one transaction, whole or a table', async () => {
    const url = databaseUrl(replaced);
    expect(ending(await restore(replaced, '--create'))).toEqual({ exitCode: 0 });
    await sql(url, 'DELETE FROM visits');
    expect(ending(await restore(replaced, '--table', 'visits', '--force-target', replaced))).toEqual({ exitCode: 0 });
    expect(await contentOf(url)).toBe(await contentOf(source.url));
    await sql(url, 'DELETE FROM visits; DELETE FROM order_lines');
    expect(ending(await restore(replaced, '--force-target', replaced))).toEqual({ exitCode: 0 });
    expect(await contentOf(url)).toBe(await contentOf(source.url));
  });

  it('leaves the target as it was where replacing fails', async () => {
    const url = databaseUrl(replaced);
    await sql(url, 'CREATE VIEW depends AS SELECT * FROM customers; DELETE FROM visits');
    const before = await contentOf(url);
    const { exitCode, document } = await restore(replaced, '--force-target', replaced);
    expect({ exitCode, error: document.error }).toMatchObject({ exitCode: 23, error: { message: expect.stringContaining('depends') } });
    expect(await contentOf(url)).toBe(before);
  });

  it.each([[[]], [['--jobs', '2']]])('hides no other error (%j)', async (more) => {
    await sql(databaseUrl('postgres'), `DROP DATABASE IF EXISTS "${failing}"; CREATE DATABASE "${failing}" TEMPLATE template0`);
    await sql(source.url, 'CREATE ROLE older_gone; CREATE TABLE IF NOT EXISTS mine (); ALTER TABLE mine OWNER TO older_gone');
    expect(ending(await project.json(['execute']))).toEqual({ exitCode: 0 });
    await sql(source.url, 'DROP OWNED BY older_gone; DROP ROLE older_gone');
    const { exitCode, document } = await restore(failing, ...more);
    expect({ exitCode, error: document.error }).toMatchObject({
      exitCode: 23,
      error: { message: expect.stringMatching(/reported 1 error: .*role "older_gone" does not exist/) },
    });
    expect(document.error.message).not.toContain('transaction_timeout');
  });
});
