/**
 * test: what a target lacks, told from a real server, and mended by the SQL that was told.
 */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { cloneDatabase, databaseUrl, sql, type TestDatabase } from '../fixtures/database.js';
import { contentOf, ending, lab, type Lab } from '../fixtures/lab.js';

let shop: TestDatabase;
let project: Lab;
const made: string[] = [];
const madeRoles: string[] = [];

/** The URL of a database that is removed at the end; made anew when `empty`. */
async function target(what: string, empty = true): Promise<{ name: string; url: string }> {
  const name = `${what}_${process.pid}_${made.length}`;
  made.push(name);
  if (empty) await sql(databaseUrl('postgres'), `CREATE DATABASE "${name}" TEMPLATE template0`);
  return { name, url: databaseUrl(name) };
}
const role = (name: string): string => {
  const own = `${name} ${process.pid}`;
  madeRoles.push(own);
  return own;
};
const drop = (name: string) => sql(databaseUrl('postgres'), `DROP ROLE IF EXISTS "${name.replaceAll('"', '""')}"`);

beforeAll(async () => {
  shop = await cloneDatabase('shop');
  await sql(shop.url, 'CREATE EXTENSION IF NOT EXISTS citext; CREATE TABLE words (word citext PRIMARY KEY);');
  project = lab({ shop: { url: shop.url } });
  expect(ending(await project.json(['execute']))).toEqual({ exitCode: 0 });
});

afterAll(async () => {
  project.cleanup();
  for (const name of made) await sql(databaseUrl('postgres'), `DROP DATABASE IF EXISTS "${name}" WITH (FORCE)`);
  await shop.drop();
  for (const name of madeRoles) await drop(name);
});

describe('restore --plan', () => {
  it('says that nothing is missing, and changes nothing', async () => {
    const { url } = await target('plan');
    const before = await contentOf(url);
    const { exitCode, document } = await project.json(['restore', 'latest', '--to', url, '--plan']);
    expect({ exitCode, document }).toMatchObject({ exitCode: 0, document: { missing: [], sql: [] } });
    expect(await contentOf(url)).toBe(before);
    expect(await sql(url, "SELECT count(*) FROM pg_extension WHERE extname = 'citext'")).toBe('0');
  });

  it('a database that is not there, with and without --create', async () => {
    const { name, url } = await target('plan', false);
    const { exitCode, document } = await project.json(['restore', 'latest', '--to', url, '--plan']);
    expect({ exitCode, document }).toMatchObject({ exitCode: 23, document: { missing: [{ kind: 'database', name }] } });
    expect(document.error).toBeUndefined();
    expect((await project.json(['restore', 'latest', '--to', url, '--plan', '--create'])).exitCode).toBe(0);
    expect(await sql(databaseUrl('postgres'), `SELECT count(*) FROM pg_database WHERE datname = '${name}'`)).toBe('0');
    await sql(databaseUrl('postgres'), (document['sql'] as string[]).join('\n'));
    expect((await project.json(['restore', 'latest', '--to', url, '--plan'])).exitCode).toBe(0);
  });

  it('the source itself, and a role that may not do what it takes', async () => {
    const onto = await project.json(['restore', 'latest', '--to', shop.url, '--plan']);
    expect(onto).toMatchObject({ exitCode: 23, document: { missing: [{ kind: 'target', name: shop.name }] } });
    const weak = role('weak "role"');
    await sql(databaseUrl('postgres'), `CREATE ROLE "${weak.replaceAll('"', '""')}" LOGIN`);
    const url = databaseUrl(`never_${process.pid}`, weak);
    const { exitCode, document } = await project.json(['restore', 'latest', '--to', url, '--plan', '--create']);
    expect({ exitCode, document }).toMatchObject({ exitCode: 23, document: { missing: [{ kind: 'right', name: weak }] } });
    expect(document['warnings']).toContainEqual(expect.stringContaining('GRANT "shop_app" TO'));
    await sql(databaseUrl('postgres'), (document['sql'] as string[]).join('\n'));
    expect((await project.json(['restore', 'latest', '--to', url, '--plan', '--create'])).exitCode).toBe(0);
  });

  it('a role, a person reads it too, and its SQL mends it', async () => {
    const owner = role('gone "owner"');
    const quoted = `"${owner.replaceAll('"', '""')}"`;
    await sql(shop.url, `CREATE ROLE ${quoted}; ALTER TABLE vouchers OWNER TO ${quoted}`);
    expect(ending(await project.json(['execute']))).toEqual({ exitCode: 0 });
    await sql(shop.url, 'ALTER TABLE vouchers OWNER TO shop_app');
    await drop(owner);
    const { url } = await target('plan');
    const { exitCode, document } = await project.json(['restore', 'latest', '--to', url, '--plan']);
    expect({ exitCode, document }).toMatchObject({
      exitCode: 23,
      document: { missing: [{ kind: 'role', name: owner }], sql: [`CREATE ROLE ${quoted} NOLOGIN;`] },
    });
    const { stdout } = await project.run(['restore', 'latest', '--to', url, '--plan']);
    expect(stdout).toContain(`CREATE ROLE ${quoted} NOLOGIN;`);
    await sql(url, (document['sql'] as string[]).join('\n'));
    expect(ending(await project.json(['restore', 'latest', '--to', url, '--plan']))).toEqual({ exitCode: 0 });
    expect(ending(await project.json(['restore', 'latest', '--to', url]))).toEqual({ exitCode: 0 });
  });
});

describe('restore --globals', () => {
  it('brings missing roles with all they had, and touches no other', async () => {
    const root = databaseUrl('postgres');
    const [gone, stays] = [role('gone'), role('stays')];
    await sql(
      root,
      `CREATE ROLE "${gone}" LOGIN CONNECTION LIMIT 7 PASSWORD 'secret'; CREATE ROLE "${stays}" LOGIN PASSWORD 'old'; GRANT "${stays}" TO "${gone}";`,
    );
    const look = (name: string) => sql(root, `SELECT rolcanlogin, rolconnlimit, rolpassword FROM pg_authid WHERE rolname = '${name}'`);
    const before = await look(gone);
    expect(ending(await project.json(['execute']))).toEqual({ exitCode: 0 });
    await sql(root, `DROP ROLE "${gone}"; ALTER ROLE "${stays}" PASSWORD 'new' NOLOGIN`);
    const kept = await look(stays);
    const { exitCode, document } = await project.json(['restore', 'latest', '--to', root, '--globals']);
    expect({ exitCode, document }).toMatchObject({ exitCode: 0, document: { ok: true, created: expect.arrayContaining([gone]) } });
    expect(document['created']).not.toContain(stays);
    expect(await look(gone)).toBe(before);
    expect(await look(stays)).toBe(kept);
    expect(await sql(root, `SELECT pg_has_role('${gone}', '${stays}', 'MEMBER')`)).toBe('t');
    const { stdout } = await project.run(['restore', 'latest', '--output', '-', '--globals']);
    expect(stdout).toContain(`CREATE ROLE "${gone}";`);
    expect(stdout.trimEnd()).toMatch(/PostgreSQL database cluster dump complete\n--$/);
    expect((await project.json(['restore', 'latest', '--to', root, '--globals', '--create'])).exitCode).toBe(2);
    await sql(root, `DROP ROLE "${gone}"`);
  });
});
