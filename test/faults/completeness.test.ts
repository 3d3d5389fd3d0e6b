/**
 * test: a dump that leaves out what the database has is never called good, sealed or not; what was dropped since the last one is named.
 */
import { generateIdentity, identityToRecipient } from 'age-encryption';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { cloneDatabase, databaseUrl, sql, type TestDatabase } from '../fixtures/database.js';
import { ending, lab, type Lab } from '../fixtures/lab.js';
import { shimDirectory, type Shim, type ShimDirectory } from '../fixtures/shims.js';

const key = await identityToRecipient(await generateIdentity());
let shop: TestDatabase;
const open: { cleanup(): void }[] = [];
const folders: ShimDirectory[] = [];

beforeAll(async () => {
  shop = await cloneDatabase('shop');
});
afterAll(() => shop.drop());
afterEach(() => {
  for (const one of open.splice(0)) one.cleanup();
  for (const folder of folders.splice(0)) folder.remove();
});

function project(more: object = {}): Lab {
  const made = lab({ shop: { url: shop.url } }, { autoRetry: false, ...more });
  open.push(made);
  return made;
}

/** A pg_dump that leaves something out, and says nothing of it. */
function leavingOut(arg: string): { clientDirectory: string } {
  const pg_dump: Shim = (real) => `#!/bin/sh\ncase "$1" in --version|-V) exec '${real}' "$@";; esac\nexec '${real}' "$@" '${arg}'\n`;
  const folder = shimDirectory({ pg_dump });
  folders.push(folder);
  return { clientDirectory: folder.directory };
}

describe('a dump that is not whole', () => {
  it.each([
    ['a table', '--exclude-table=vouchers', {}, 'table public.vouchers'],
    [
      'its rows, compressed by gzip',
      '--exclude-table-data=vouchers',
      { compression: { algorithm: 'gzip' } },
      'rows of table public.vouchers',
    ],
    ['a table, not compressed', '--exclude-table=customers', { compression: { algorithm: 'none' } }, 'table public.customers'],
    ['large objects, sealed', '--no-blobs', { encryption: { recipients: [key] } }, '3 of 3 large objects'],
    ['a table, nothing verified', '--exclude-table=vouchers', { verify: { afterBackup: 'none' } }, 'table public.vouchers'],
    ['a table, nothing counted', '--exclude-table=vouchers', { fingerprint: 'none' }, 'table public.vouchers'],
  ])('without %s is failed, by name, and not kept', async (_what, arg, settings, missing) => {
    const made = project({ ...leavingOut(arg), ...settings });
    const answer = await made.json(['execute']);
    expect(answer).toMatchObject({
      exitCode: 20,
      document: { error: { code: 'incomplete', class: 'permanent' }, events: [{ status: 'failed' }] },
    });
    expect(answer.document.error.message).toContain(`the dump leaves out ${missing}`);
    expect(made.stored().filter((name) => name.includes('/'))).toEqual([]);
  });
});

describe('what is gone since the last backup', () => {
  it('is named in the event, counted in the manifest, and no reason to doubt the backup', async () => {
    await sql(
      shop.url,
      `CREATE TABLE doomed (id int PRIMARY KEY); CREATE FUNCTION lost(int) RETURNS int LANGUAGE sql AS 'select $1';
       CREATE TABLE day_2024_01 (n int); CREATE VIEW seen AS SELECT 1 AS one;`,
    );
    const made = project();
    expect(ending(await made.json(['execute']))).toEqual({ exitCode: 0 });
    await sql(shop.url, 'DROP TABLE doomed; DROP FUNCTION lost; DROP VIEW seen; ALTER TABLE day_2024_01 RENAME TO day_2024_02');
    const { exitCode, document } = await made.json(['execute']);
    const told = '3 objects are gone that the last good backup has: function public.lost(integer), table public.doomed, view public.seen';
    expect({ exitCode, warnings: document.events[0]?.warnings }).toEqual({ exitCode: 0, warnings: [told] });
    const { manifest, details } = (await made.json(['backups', 'show', 'latest'])).document;
    expect(manifest).toMatchObject({ warnings: ['3 objects are gone that the last good backup has'] });
    expect(manifest).not.toHaveProperty('suspect');
    expect((details as { objects: object[] }).objects).toContainEqual(
      expect.objectContaining({
        kind: 'TABLE',
        schema: 'public',
        name: 'customers',
        parts: expect.arrayContaining([expect.stringMatching(/^id integer/)]),
      }),
    );
    expect((await made.json(['execute'])).document.events[0]).not.toHaveProperty('warnings');
  });
});

describe('what a role is not told of', () => {
  it('a subscription, for who is no superuser: pg_dump warns, and the backup is whole without it', async () => {
    const role = `whole_${process.pid}`;
    await sql(
      shop.url,
      `CREATE ROLE ${role} LOGIN; GRANT pg_read_all_data TO ${role}; CREATE SUBSCRIPTION s CONNECTION 'dbname=x' PUBLICATION p WITH (connect = false);
       DO $$DECLARE o oid; BEGIN FOR o IN SELECT oid FROM pg_largeobject_metadata LOOP EXECUTE 'GRANT SELECT ON LARGE OBJECT '||o||' TO ${role}'; END LOOP; END$$;`,
    );
    const made = lab({ shop: { url: databaseUrl(shop.name, role) } });
    open.push(made);
    const { exitCode, document } = await made.json(['execute']);
    expect({ exitCode, error: document.error }).toEqual({ exitCode: 0 });
    expect(document.events[0]?.warnings?.join()).toContain('subscriptions not dumped');
    await sql(shop.url, `ALTER SUBSCRIPTION s SET (slot_name = NONE); DROP SUBSCRIPTION s; DROP OWNED BY ${role}; DROP ROLE ${role}`);
  });
});
