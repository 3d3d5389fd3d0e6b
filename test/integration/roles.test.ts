/**
 * test: what a backup role may not do is said by name, and never a reason for a dump without it.
 */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { cloneDatabase, databaseUrl, sql, type TestDatabase } from '../fixtures/database.js';
import { ending, lab, type Lab } from '../fixtures/lab.js';

const role = `backup_${process.pid}`;
let database: TestDatabase;
let project: Lab;

beforeAll(async () => {
  database = await cloneDatabase('shop');
  await sql(
    database.url,
    `CREATE ROLE ${role} LOGIN; GRANT SELECT ON ALL TABLES IN SCHEMA public, "back office" TO ${role};
     GRANT USAGE ON SCHEMA "back office" TO ${role}; GRANT SELECT ON ALL SEQUENCES IN SCHEMA public TO ${role};`,
  );
  await sql(
    database.url,
    `DO $$ DECLARE o oid; BEGIN FOR o IN SELECT oid FROM pg_largeobject_metadata LOOP EXECUTE 'GRANT SELECT ON LARGE OBJECT ' || o || ' TO ${role}'; END LOOP; END $$`,
  );
  project = lab({ shop: { url: databaseUrl(database.name, role) } }, { autoRetry: false });
});
afterAll(async () => {
  project.cleanup();
  await database.drop();
  await sql(databaseUrl('postgres'), `DROP ROLE IF EXISTS ${role}, ${role}_own`);
});

describe('a backup role with few rights', () => {
  it('a reader of all tables makes a whole backup, of globals without passwords, and it says so', async () => {
    expect(ending(await project.json(['execute']))).toEqual({ exitCode: 0 });
    const { document } = await project.json(['backups', 'show', 'latest']);
    expect(document['manifest']).toMatchObject({ warnings: [expect.stringContaining('without their passwords')] });
    expect((await project.json(['verify', 'latest'])).document.results).toMatchObject([{ ok: true, level: 'restore' }]);
  });

  it('a database-wide or role-wide limit of ms does not hurt', async () => {
    const settings = ['statement_timeout', 'lock_timeout', 'idle_in_transaction_session_timeout'];
    // from another database: here the limit would hold for the next of them
    const each = (what: (name: string) => string) =>
      sql(databaseUrl('postgres'), settings.map((name) => `ALTER ROLE ${role} ${what(name)}; ALTER DATABASE "${database.name}" ${what(name)};`).join('\n')); // prettier-ignore
    await each((name) => `SET ${name} = '1ms'`);
    try {
      expect(ending(await project.json(['execute']))).toEqual({ exitCode: 0 });
      expect((await project.json(['health'])).exitCode).toBeLessThan(3);
    } finally {
      await each((name) => `RESET ${name}`);
    }
  });

  it('a table that it may not read fails the backup by name, once, and leaves nothing', async () => {
    await sql(database.url, `REVOKE SELECT ON vouchers FROM ${role}`);
    const before = project.stored();
    const { exitCode, document } = await project.json(['execute', '--set', 'autoRetry=true']);
    expect(exitCode).toBe(20);
    expect(document.error).toMatchObject({ code: 'permission', class: 'permanent', message: expect.stringContaining('vouchers') });
    expect(document.events).toHaveLength(1);
    expect((await project.json(['events', '--status', 'pending'])).document.events).toEqual([]);
    expect(project.stored()).toEqual(before);
  });

  it('row security that would hide rows fails the backup by name', async () => {
    await sql(
      database.url,
      `GRANT SELECT ON vouchers TO ${role}; ALTER TABLE customers ENABLE ROW LEVEL SECURITY; CREATE POLICY few ON customers USING (id < 10);`,
    );
    const { exitCode, document } = await project.json(['execute']);
    expect(exitCode).toBe(20);
    expect(document.error).toMatchObject({ code: 'permission', message: expect.stringContaining('customers') });
    await sql(database.url, `ALTER ROLE ${role} BYPASSRLS;`);
    expect(ending(await project.json(['execute']))).toEqual({ exitCode: 0 });
    await sql(database.url, `ALTER ROLE ${role} NOBYPASSRLS; ALTER TABLE customers DISABLE ROW LEVEL SECURITY;`);
  });

  it('a backup with an extension that this machine lacks is not called bad for it', async () => {
    await sql(
      database.url,
      "CREATE EXTENSION IF NOT EXISTS tcn; UPDATE pg_extension SET extname = 'no_such_extension' WHERE extname = 'tcn'",
    );
    const made = await project.json(['execute']);
    expect(made.exitCode).toBe(0);
    const { exitCode, document } = await project.json(['verify', 'latest']);
    expect(exitCode).not.toBe(0);
    expect(document.error.message).toContain('no_such_extension');
    expect((await project.json(['backups'])).document.backups[0]).toMatchObject({ backupId: made.document.events[0]?.id, suspect: false });
  });
});
