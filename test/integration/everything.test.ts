/**
 * test: a database with every kind of object that pg_dump knows is backed up by the command and restored into a server of its own; what two
 * witnesses tell of both is equal, to the line.
 */
import { mkdirSync, mkdtempSync, readFileSync, rmSync, chmodSync, chownSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { findBackup } from '../../src/core/catalog/catalog.js';
import { readDetails, storageOf } from '../../src/core/catalog/fetch.js';
import { compareFingerprints } from '../../src/model/backup/fingerprint.js';
import { startCluster, type Cluster } from '../../src/system/postgres/cluster.js';
import { serverPrograms, sql } from '../fixtures/database.js';
import { tellAll, type Told } from '../fixtures/equality.js';
import { ending, inProcess, lab, type Lab } from '../fixtures/lab.js';

const fixture = (name: string) => readFileSync(join(import.meta.dirname, '../fixtures', name), 'utf8');
const roles = `CREATE ROLE every_owner; CREATE ROLE every_reader; CREATE ROLE every_writer; CREATE ROLE every_super SUPERUSER; CREATE ROLE "odd ""role"" ☃";`;

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
  await sql(source.url('postgres'), `${roles} CREATE DATABASE every;`);
  await sql(source.url('every'), fixture('everything.sql'));
  if (source.major >= 17) await sql(source.url('every'), fixture('everything-17.sql'));
  project = lab({ every: { url: source.url('every') } }, { fingerprint: 'content' });
  told = await tellAll(source.url('every'));
}, 60_000);

afterAll(async () => {
  project.cleanup();
  await Promise.all([source.stop(), target.stop()]);
  for (const folder of folders) rmSync(folder, { recursive: true, force: true });
});

async function opened() {
  const context = await inProcess(project);
  const backup = await findBackup(context, 'latest');
  return { context, backup, details: await readDetails(context, backup, storageOf(context, backup)) };
}

describe('a database with every kind of object', () => {
  it('is told of at all', () => {
    expect(told.schema.length).toBeGreaterThan(1500);
    expect(told.rows.length).toBeGreaterThan(30);
    expect(told.catalogues.length).toBeGreaterThan(1000);
  });

  it('comes back equal', async () => {
    const made = await project.json(['execute']);
    expect(ending(made)).toEqual({ exitCode: 0 });
    expect(ending(await project.json(['restore', 'latest', '--to', target.url('postgres'), '--globals']))).toEqual({ exitCode: 0 });
    await sql(target.url('postgres'), 'CREATE DATABASE plain TEMPLATE template0');
    const plain = await project.json(['restore', 'latest', '--to', target.url('plain')]);
    expect({ ...ending(plain), compared: plain.document['compared'] }).toEqual({ exitCode: 0, compared: true });
    expect(await tellAll(target.url('plain'))).toEqual(told);
  }, 60_000);

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
    await sql(target.url('plain'), change);
    const load = {
      eventId: context.newId(),
      details,
      create: false,
      noOwner: false,
      createRoles: false,
      archiveMajor: source.major,
      replace: false,
    };
    const under = await context.engine.load(context.engine.target(target.url('plain')), { ...load, signal: context.signal });
    const differences = compareFingerprints(details.fingerprint, await under.fingerprint());
    await under.close();
    expect(differences).toContain(found);
  });
});
