/**
 * test: a database with every kind of object that pg_dump knows is backed up by the command and restored into a server of its own; what two
 * witnesses tell of both is equal, to the line.
 */
import { mkdirSync, mkdtempSync, readFileSync, rmSync, chmodSync, chownSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { generateX25519Identity, identityToRecipient } from 'age-encryption';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { findBackup } from '../../src/core/catalog/catalog.js';
import { readDetails } from '../../src/core/catalog/fetch.js';
import { compareFingerprints } from '../../src/model/backup/fingerprint.js';
import { startCluster, type Cluster } from '../../src/system/postgres/cluster.js';
import { serverPrograms, sql } from '../fixtures/database.js';
import { tellAll, type Told } from '../fixtures/equality.js';
import { ending, inProcess, lab, type Lab } from '../fixtures/lab.js';

const fixture = (name: string) => readFileSync(join(import.meta.dirname, '../fixtures', name), 'utf8');
const roles = `CREATE ROLE every_owner; CREATE ROLE every_reader; CREATE ROLE every_writer; CREATE ROLE every_super SUPERUSER; CREATE ROLE "odd ""role"" ☃";`;

const ownProperties = `ALTER DATABASE allofit OWNER TO every_owner; COMMENT ON DATABASE allofit IS 'it''s \\ all'; GRANT CREATE ON DATABASE allofit TO every_writer WITH GRANT OPTION;
  REVOKE TEMPORARY ON DATABASE allofit FROM PUBLIC; ALTER DATABASE allofit SET search_path = "$user", app, "Odd ""schema"" ☃"; ALTER DATABASE allofit SET work_mem = '7MB';
  ALTER DATABASE allofit SET "own.setting" = 'with = and ''quotes'''; ALTER ROLE every_reader IN DATABASE allofit SET statement_timeout = 5000;
  SET ROLE every_writer; GRANT CREATE ON DATABASE allofit TO every_reader; RESET ROLE;`;

let source: Cluster;
let target: Cluster;
let project: Lab;
let told: Told;
const folders: string[] = [];

/** A server of its own with the tablespace that the database uses. */
async function server(): Promise<Cluster> {
  const cluster = await startCluster({ programs: await serverPrograms(), encoding: 'UTF8', locale: 'C.UTF-8' });
  const folder = mkdtempSync(join(tmpdir(), 'backup-automation-tablespace-'));
  folders.push(folder);
  chmodSync(folder, 0o711);
  const data = join(folder, 'data');
  mkdirSync(data, { mode: 0o700 });
  const { uid, gid } = statSync(cluster.dataDirectory);
  if (process.getuid?.() === 0) chownSync(data, uid, gid);
  await sql(cluster.url('postgres'), `CREATE TABLESPACE "fast disk" LOCATION '${data}'`);
  return cluster;
}

beforeAll(async () => {
  [source, target] = await Promise.all([server(), server()]);
  await sql(
    source.url('postgres'),
    `${roles} CREATE DATABASE allofit TEMPLATE template0 LOCALE_PROVIDER icu ICU_LOCALE 'de-u-kn-true' CONNECTION LIMIT 17;`,
  );
  await sql(source.url('allofit'), fixture('everything.sql'));
  for (const major of [17, 18]) if (source.major >= major) await sql(source.url('allofit'), fixture(`everything-${major}.sql`));
  await sql(source.url('postgres'), ownProperties);
  const identity = await generateX25519Identity();
  const sealed = { recipients: [await identityToRecipient(identity)] };
  project = lab(
    { every: { url: source.url('allofit') } },
    { fingerprint: 'content', verify: { identity: 'file:./key' }, schedules: { sealed: { cron: '0 0 1 1 *', encryption: sealed } } },
  );
  project.file('key', `${identity}\n`);
  told = await tellAll(source.url('allofit'));
});

afterAll(async () => {
  project.cleanup();
  await Promise.all([source.stop(), target.stop()]);
  for (const folder of folders) rmSync(folder, { recursive: true, force: true });
});

async function opened() {
  const context = await inProcess(project);
  const backup = await findBackup(context, 'latest');
  return { context, backup, details: await readDetails(context, backup) };
}

describe('a database with every kind of object', () => {
  it('is told of at all', () => {
    expect(told.schema.length).toBeGreaterThan(1500);
    expect(told.rows.length).toBeGreaterThan(30);
    expect(told.catalogues.length).toBeGreaterThan(1000);
  });

  it('comes back equal into a database that was there, its own properties by the SQL of --plan', async () => {
    expect(ending(await project.json(['execute']))).toEqual({ exitCode: 0 });
    expect(ending(await project.json(['restore', 'latest', '--to', target.url('postgres'), '--globals']))).toEqual({ exitCode: 0 });
    await sql(target.url('postgres'), "CREATE DATABASE byhand TEMPLATE template0 LOCALE_PROVIDER icu ICU_LOCALE 'de-u-kn-true'");
    const plan = await project.json(['restore', 'latest', '--to', target.url('byhand'), '--plan']);
    expect(plan).toMatchObject({ exitCode: 0, document: { missing: [], sql: [] } });
    const plain = await project.json(['restore', 'latest', '--to', target.url('byhand')]);
    expect({ ...ending(plain), compared: plain.document['compared'] }).toEqual({ exitCode: 0, compared: true });
    expect(plain.document['warnings']).toContainEqual(expect.stringContaining('--plan'));
    await sql(target.url('byhand'), (plan.document['afterwards'] as string[]).join('\n'));
    expect(await tellAll(target.url('byhand'))).toEqual(told);
  });

  it('comes back equal from a sealed backup into a new database, over several connections', async () => {
    expect(ending(await project.json(['execute', 'sealed']))).toEqual({ exitCode: 0 });
    const made = await project.json(['restore', 'latest', '--to', target.url('freshmade'), '--create', '--jobs', '2']);
    expect(ending(made)).toEqual({ exitCode: 0 });
    // pg_restore does not know that a partition's trigger, disabled there, comes with the trigger of its parent: the two may meet
    const met = /over several connections it failed .*trigger "everywhere" .*does not exist.* restored again over one$/;
    for (const warning of made.document['warnings'] as string[]) expect(warning).toMatch(met);
    expect(await tellAll(target.url('freshmade'))).toEqual(told);
  });

  it('is proven by a restore into a throwaway server', async () => {
    const { document } = await project.json(['verify', 'latest']);
    expect(document.results).toMatchObject([{ ok: true, detail: expect.stringMatching(/equal the source by content/) }]);
  });

  it.each([
    ['a byte', "UPDATE app.types SET bytes = '\\x00' WHERE i2 = 7", 'table app.types has 51 rows, but not the same ones'],
    [
      'two rows that exchange a value',
      'UPDATE app.hens SET mother = CASE id WHEN 8 THEN 9 ELSE 7 END WHERE id IN (8, 10)',
      'table app.hens has 30 rows, but not the same ones',
    ],
    ['a large object', "SELECT lo_put(4242003, 200000, 'X')", 'the large objects do not hold what they held'],
    ['a sequence that is behind', "SELECT setval('app.untouched', 7)", 'sequence app.untouched stands at 7 instead of 42'],
    ['one that counts down', 'ALTER SEQUENCE app.down RESTART WITH 50', 'sequence app.down stands at 50 (not given out) instead of 40'],
  ])('%s that differs is found by the content', async (_what, change, found) => {
    const { context, details } = await opened();
    await sql(target.url('byhand'), change);
    const load = {
      eventId: context.newId(),
      details,
      create: false,
      noOwner: false,
      createRoles: false,
      archiveMajor: source.major,
      replace: false,
      form: 'custom' as const,
    };
    const under = await context.engine.load(context.engine.target(target.url('byhand')), { ...load, signal: context.signal });
    const differences = compareFingerprints(details.fingerprint, await under.fingerprint());
    await under.close();
    expect(differences).toContain(found);
  });
});
