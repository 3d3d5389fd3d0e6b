/**
 * test: execute, backups, verify and restore on a real server, as one would type them.
 */
import { execFileSync } from 'node:child_process';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { cloneDatabase, databaseUrl, packed, program, sql, type TestDatabase } from '../fixtures/database.js';
import { contentOf, lab, type Lab } from '../fixtures/lab.js';

let shop: TestDatabase;
let project: Lab;
let backupId: string;
const made: string[] = [];

const target = (name: string): string => {
  made.push(name);
  return databaseUrl(name);
};
const fresh = (what: string): string => `${what}_${process.pid}_${made.length}`;

beforeAll(async () => {
  shop = await cloneDatabase('shop');
  await sql(
    shop.url,
    `CREATE EXTENSION IF NOT EXISTS citext; CREATE EXTENSION IF NOT EXISTS pgcrypto;
     CREATE TABLE words (word citext PRIMARY KEY, hash bytea); INSERT INTO words SELECT 'Word' || i, digest(i::text, 'sha256') FROM generate_series(1, 50) i;
     CREATE UNLOGGED TABLE scratchpad (n int); INSERT INTO scratchpad SELECT generate_series(1, 7);
     CREATE TABLE parent (a int); CREATE TABLE child (b int) INHERITS (parent); INSERT INTO child VALUES (1, 2), (3, 4); INSERT INTO parent VALUES (9);
     CREATE TABLE "host=evil dbname=x" ("-Fc" text); INSERT INTO "host=evil dbname=x" VALUES ('$(id)');`,
  );
  project = lab({ shop: { url: shop.url } });
});

afterAll(async () => {
  project.cleanup();
  for (const name of made) await sql(databaseUrl('postgres'), `DROP DATABASE IF EXISTS "${name}" WITH (FORCE)`);
  await shop.drop();
});

describe.sequential('the main path', () => {
  it('--dry-run tells the plan and makes nothing', async () => {
    const { exitCode, document, stderr } = await project.json(['execute', '--dry-run']);
    expect({ exitCode, stderr }).toMatchObject({ exitCode: 0 });
    expect(document['plan']).toMatchObject({ databases: [{ database: 'shop', databaseName: shop.name, report: { met: true } }] });
    expect(project.stored()).toEqual([]);
    expect((await project.json(['events'])).document.events).toEqual([]);
  });

  it('execute makes one backup and says so', async () => {
    const { exitCode, document } = await project.json(['execute']);
    expect(exitCode).toBe(0);
    const [event, ...others] = document.events;
    expect(others).toEqual([]);
    expect(event).toMatchObject({
      type: 'manual',
      trigger: 'cli',
      status: 'completed',
      attempt: 1,
      database: 'shop',
      result: { success: true },
    });
    backupId = event?.result?.backupId ?? '';
    expect(project.stored().map((name) => name.split('/').at(-1))).toEqual(
      expect.arrayContaining([`database.dump${packed()}`, `globals.sql${packed()}`, 'details.json', 'RESTORE.md', 'manifest.json']),
    );
    expect(project.stored().filter((name) => name.endsWith('.partial'))).toEqual([]);
  });

  it('backups lists it, and show tells every row count', async () => {
    const { document } = await project.json(['backups']);
    expect(document.backups).toMatchObject([
      { backupId, database: 'shop', proven: { level: 'archive' }, suspect: false, storages: ['local'] },
    ]);
    const shown = await project.json(['backups', 'show', backupId.slice(0, 13)]);
    const { details } = shown.document as unknown as {
      details: { fingerprint: { tables: { name: string; rows: number }[]; largeObjects: number } };
    };
    const rows = Object.fromEntries(details.fingerprint.tables.map(({ name, rows }) => [name, rows]));
    expect(rows).toMatchObject({
      customers: 200,
      orders: 800,
      scratchpad: 7,
      parent: 1,
      child: 2,
      'host=evil dbname=x': 1,
      'Notes; DROP TABLE x': 5,
    });
    expect(rows).not.toHaveProperty('visits');
    expect(details.fingerprint.largeObjects).toBe(3);
  });

  it.each(['checksum', 'archive', 'restore'])('verify --level %s proves it', async (level) => {
    const { exitCode, document } = await project.json(['verify', '--level', level]);
    expect(document.results).toMatchObject([{ backupId, level, ok: true }]);
    expect(exitCode).toBe(0);
    const { document: figures } = await project.json(['statistics']);
    expect(figures['proven']).toMatchObject([{ database: 'shop', level: level === 'checksum' ? 'archive' : level, backupId }]);
    if (level === 'restore') expect((await project.json(['backups'])).document.backups).toMatchObject([{ proven: { level: 'restore' } }]);
  });

  it('restore --create makes an equal database', async () => {
    const name = fresh('copy');
    const { exitCode, document } = await project.json(['restore', 'latest', '--to', target(name), '--create']);
    expect({ exitCode, document }).toMatchObject({ exitCode: 0, document: { backupId, ok: true, compared: true, warnings: [] } });
    expect(await contentOf(databaseUrl(name))).toBe(await contentOf(shop.url));
  });

  it('restore --no-owner leaves out owners and privileges', async () => {
    const name = fresh('own');
    await project.json(['restore', 'latest', '--to', target(name), '--create', '--no-owner']);
    const foreign = `SELECT count(*) FROM pg_class WHERE relnamespace = 'public'::regnamespace AND (pg_get_userbyid(relowner) = 'shop_app' OR relacl IS NOT NULL)`;
    expect(await sql(databaseUrl(name), foreign)).toBe('0');
    expect(await sql(shop.url, foreign)).not.toBe('0');
  });

  it('restore is refused without --create, into what is there, and onto the source, which stays as it is', async () => {
    const before = await contentOf(shop.url);
    const name = fresh('full');
    const missing = await project.json(['restore', 'latest', '--to', databaseUrl(fresh('never'))]);
    expect(missing).toMatchObject({
      exitCode: 23,
      document: { error: { code: 'restore-target', hint: expect.stringContaining('--create') } },
    });
    await sql(databaseUrl('postgres'), `CREATE DATABASE "${name}"`);
    await sql(target(name), "CREATE TYPE mood AS ENUM ('good')");
    for (const url of [databaseUrl(name), shop.url]) {
      const { exitCode, document } = await project.json(['restore', 'latest', '--to', url]);
      expect({ exitCode, code: document.error.code }).toEqual({ exitCode: 23, code: 'restore-target' });
      expect(document.error.hint).toContain('--force-target');
    }
    const wrongName = await project.json(['restore', 'latest', '--to', shop.url, '--force-target', 'another']);
    expect(wrongName.exitCode).toBe(23);
    expect(await contentOf(shop.url)).toBe(before);
  });

  it('restore --force-target brings the source back to the backup, and leaves what the backup does not know', async () => {
    const before = await contentOf(shop.url);
    await sql(
      shop.url,
      'DELETE FROM visits; UPDATE customers SET name = NULL WHERE false; TRUNCATE vouchers; DELETE FROM "back office"."Notes; DROP TABLE x"; DROP VIEW open_orders;',
    );
    const { exitCode, document, stderr } = await project.json(['restore', 'latest', '--to', shop.url, '--force-target', shop.name]);
    expect({ exitCode, stderr }).toMatchObject({ exitCode: 0 });
    expect(document).toMatchObject({ ok: true, compared: true, warnings: [expect.stringContaining('--force-target')] });
    expect(await contentOf(shop.url)).toBe(before);
  });

  it('a forced restore that cannot be done leaves the target as it was', async () => {
    await sql(shop.url, "CREATE VIEW in_the_way AS SELECT word FROM words; DELETE FROM words WHERE word = 'Word1';");
    const before = await contentOf(shop.url);
    const { exitCode, document } = await project.json(['restore', 'latest', '--to', shop.url, '--force-target', shop.name]);
    expect(exitCode).toBe(23);
    expect(document.error.message).toContain('in_the_way');
    expect(await contentOf(shop.url)).toBe(before);
    await sql(shop.url, 'DROP VIEW in_the_way');
  });

  it('restore --output writes an archive that pg_restore reads, in a file and through a pipe', async () => {
    const file = join(project.directory, 'shop.dump');
    const written = await project.json(['restore', 'latest', '--output', file]);
    expect(written).toMatchObject({ exitCode: 0, document: { ok: true, target: file } });
    const listed = execFileSync(program('pg_restore'), ['--list', file], { encoding: 'utf8' });
    expect(listed).toContain('TABLE DATA public customers');
    const bin = join(import.meta.dirname, '../../bin/backup-automation.js');
    const piped = execFileSync(
      'sh',
      [
        '-c',
        `set -e; "$0" "$1" restore latest --output - | "$2" --list; echo "left by \${PIPESTATUS:-0}"`,
        process.execPath,
        bin,
        program('pg_restore'),
      ],
      {
        encoding: 'utf8',
        cwd: project.directory,
        env: project.env,
        stdio: ['ignore', 'pipe', 'pipe'],
      },
    );
    expect(piped).toContain('TABLE DATA public customers');
    expect(readFileSync(file).subarray(0, 5).toString()).toBe('PGDMP');
    expect((await project.json(['restore', 'latest', '--output', file])).document.error).toMatchObject({
      message: expect.stringContaining('exists'),
    });
  });

  it('a reader that goes away early is no bug of ours', async () => {
    const bin = join(import.meta.dirname, '../../bin/backup-automation.js');
    const script = '{ "$0" "$1" restore latest --output - 2>err; echo "exit $?" >>err; } | head -c 100 >/dev/null; cat err';
    const said = execFileSync('sh', ['-c', script, process.execPath, bin], { encoding: 'utf8', cwd: project.directory, env: project.env });
    expect(said).not.toContain('bug');
    expect(said).toMatch(/exit (0|141)/);
  });

  it('RESTORE.md restores it by hand, with nothing of ours', async () => {
    const folder = join(project.backups, 'shop', backupId);
    const name = fresh('by_hand');
    target(name);
    const blocks = [...readFileSync(join(folder, 'RESTORE.md'), 'utf8').matchAll(/```sh\n(.*?)\n```/gs)].map(([, text]) => text ?? '');
    const [sums = '', create = '', globals = '', load = ''] = blocks;
    expect(blocks).toHaveLength(4);
    const { PATH } = project.env;
    const where = new URL(shop.url).searchParams;
    const env = {
      PATH: `${program('')}:${PATH}`,
      PGHOST: where.get('host') ?? '',
      PGPORT: where.get('port') ?? '',
      PGUSER: where.get('user') ?? '',
    };
    const sh = (script: string) =>
      execFileSync('sh', ['-e', '-c', script.replaceAll('NEW_DATABASE', name)], {
        cwd: folder,
        env,
        encoding: 'utf8',
        stdio: ['ignore', 'pipe', 'pipe'],
      });
    expect(
      sh(sums)
        .split('\n')
        .filter((line) => line.endsWith(': OK')),
    ).toHaveLength(3);
    sh(create);
    expect(sh(globals.replace('less', 'cat'))).toContain('CREATE ROLE shop_app');
    sh(load);
    const counts = (url: string) =>
      sql(
        url,
        'SELECT (SELECT count(*) FROM customers), (SELECT count(*) FROM visits), (SELECT count(*) FROM words), (SELECT count(*) FROM pg_largeobject_metadata)',
      );
    expect(await counts(databaseUrl(name))).toBe('200|1200|50|3');
  });

  it('names that do not exist are answered with the nearest, exit 2', async () => {
    const cases: [string[], string][] = [
      [['execute', 'dialy'], 'schedule'],
      [['execute', '--database', 'shp'], 'shop'],
      [['restore', 'ffffffff', '--output', 'x'], backupId],
      [['verify', 'ffffffff'], backupId],
      [['backups', 'show', 'ffffffff'], backupId],
    ];
    for (const [args, near] of cases) {
      const { exitCode, document } = await project.json(args);
      expect({ args, exitCode }).toEqual({ args, exitCode: 2 });
      expect(document.error.hint).toContain(near);
    }
  });

  it('a database that was tampered with is not equal to its backup, and the backup stays suspect until it is proven', async () => {
    mkdirSync(join(project.directory, 'aside'));
    const dump = join(project.backups, 'shop', backupId, `database.dump${packed()}`);
    const good = readFileSync(dump);
    const bad = Buffer.from(good);
    bad.writeUInt8((bad.readUInt8(bad.length >> 1) ^ 1) & 255, bad.length >> 1);
    writeFileSync(dump, bad);
    for (const level of ['checksum', 'archive', 'restore']) {
      const { exitCode, document } = await project.json(['verify', backupId, '--level', level]);
      expect({ level, exitCode }).toEqual({ level, exitCode: 22 });
      expect(document.results).toMatchObject([{ ok: false, level }]);
    }
    expect((await project.json(['backups'])).document.backups).toMatchObject([{ suspect: true }]);
    expect((await project.json(['restore', 'latest', '--output', 'never'])).exitCode).toBe(22);
    writeFileSync(dump, good);
    expect((await project.json(['verify', backupId, '--level', 'checksum'])).exitCode).toBe(0);
    expect((await project.json(['backups'])).document.backups).toMatchObject([{ suspect: false }]);
  });
});
