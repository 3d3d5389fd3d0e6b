/**
 * test: the pg_dump engine by itself: which programs it takes, what it leaves behind, and a restore that lacks what was counted.
 */
import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { catalog } from '../../../src/core/catalog/catalog.js';
import type { Context } from '../../../src/core/context.js';
import { execute } from '../../../src/core/execute.js';
import { encodeManifest } from '../../../src/core/backup/manifest.js';
import { verifyBackup } from '../../../src/core/verify.js';
import { memberName } from '../../../src/engines/pg_dump/members.js';
import { databaseNamePattern, type BackupDetails, type Manifest } from '../../../src/model/backup/backup.js';
import type { Dump } from '../../../src/model/roles/engine/dump.js';
import { findProgram } from '../../../src/system/programs/programs.js';
import { count } from '../../fixtures/counts.js';
import { cloneDatabase, databaseUrl, lockCustomers, packed, program, sql, type TestDatabase } from '../../fixtures/database.js';
import { byHand, inProcess, lab, type Lab, hurried } from '../../fixtures/lab.js';
import { shim, shimDirectory } from '../../fixtures/shims.js';

let shop: TestDatabase;
let project: Lab;
let context: Context;
beforeAll(async () => {
  shop = await cloneDatabase('shop');
  project = lab({ shop: { url: shop.url } }, { autoRetry: false, verify: { server: databaseUrl('postgres') } });
  context = await inProcess(project);
});
afterAll(async () => {
  project.cleanup();
  await shop.drop();
});

const openDump = async (given: Context, more: object = {}): Promise<Dump> => {
  const [database] = await given.engine.members('shop');
  if (!database) throw new Error('no database');
  return given.engine.dump(database, {
    eventId: given.newId(),
    compression: false,
    fingerprint: 'counts',
    globals: true,
    jobs: 1,
    expectedSize: null,
    content: 'all',
    signal: given.signal,
    warn: () => {},
    ...more,
  });
};
const sessions = () =>
  sql(shop.url, "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND application_name LIKE 'backup-automation:%'");

describe('names of members', () => {
  it('are safe in a path, tell the true names apart, and stay the same', () => {
    fc.assert(
      fc.property(fc.uniqueArray(fc.string({ unit: 'binary', minLength: 1, maxLength: 63 }), { minLength: 2, maxLength: 20 }), (names) => {
        const members = names.map((name) => memberName('x'.repeat(63), name));
        expect(members.filter((member) => !databaseNamePattern.test(member))).toEqual([]);
        expect(new Set(members).size).toBe(names.length);
      }),
    );
    expect(memberName('cluster', 'Shop & Co')).toBe('cluster--shop-co-cada4ad6');
  });
});

describe('a dump', () => {
  it('leaves no session, no lock and no passfile when it is closed, whether or not it was read', async () => {
    const dump = await openDump(context);
    expect(await sessions()).toBe('1');
    await dump.close();
    expect(await sessions()).toBe('0');
    expect(
      existsSync(join(project.directory, '.backup-automation', 'run')) && readdirSync(join(project.directory, '.backup-automation', 'run')),
    ).toEqual([]);
  });

  it('is not there before every table is locked', async () => {
    const unlock = await lockCustomers(shop.url);
    const given = await inProcess(project, ['lockWaitTimeout=1']);
    const refused = await openDump(given).catch((error: unknown) => error);
    await unlock();
    expect(refused).toMatchObject({ code: 'lock-timeout' });
    const dump = await openDump(given);
    await dump.close();
  });

  it('counts every table of its own snapshot, not what was written after it', async () => {
    const dump = await openDump(context);
    await sql(shop.url, "INSERT INTO vouchers SELECT 'later' || g, 1 FROM generate_series(1, 9) g");
    const { fingerprint } = await dump.details();
    await dump.close();
    const there = await sql(shop.url, "SELECT relname FROM pg_class WHERE relkind = 'r' AND oid >= 16384");
    expect(fingerprint.tables.map(({ name }) => name).toSorted()).toEqual(there.split('\n').toSorted());
    expect(fingerprint.tables.find(({ name }) => name === 'vouchers')?.rows).toBe(0);
    await sql(shop.url, 'DELETE FROM vouchers');
  });
});

describe('programs', () => {
  it('the lowest client that reads the archive restores it, not the newest', async () => {
    const newer = shimDirectory({ pg_dump: shim.version('99.1'), pg_restore: shim.version('99.1') });
    const PATH = process.env['PATH'];
    process.env['PATH'] = newer.path;
    try {
      const given = await inProcess(project);
      const [database] = await given.engine.members('shop');
      const major = Number(/\d+/.exec(execFileSync(program('pg_dump'), ['--version'], { encoding: 'utf8' }))?.[0]);
      const request = {
        eventId: given.newId(),
        details: {} as BackupDetails,
        create: false,
        noOwner: false,
        createRoles: false,
        replace: false,
        form: 'custom' as const,
        signal: given.signal,
      };
      for (const [archiveMajor, fits] of [
        [major, true],
        [98, false],
      ] as const) {
        const load = database && (await given.engine.load(database, { ...request, archiveMajor }));
        const [first] = load?.stages ?? [];
        const file = first?.kind === 'program' ? first.file : '';
        expect(file.startsWith(newer.directory)).toBe(!fits);
        await load?.close();
      }
    } finally {
      process.env['PATH'] = PATH;
      newer.remove();
    }
  });

  it('an archive of a version that is not known here says so, and nothing against the backup', async () => {
    const { events } = await execute(context, byHand);
    const id = events[0]?.id ?? '';
    await doctor(id, (archive) => {
      archive.writeUInt8(99, 6);
      return archive;
    });
    const [backup] = (await catalog(context)).backups;
    if (!backup) throw new Error('no backup');
    await expect(verifyBackup(context, backup, 'archive')).rejects.toMatchObject({ code: 'client-too-old' });
    expect((await catalog(context)).backups[0]?.suspect).toBe(false);
  });
});

/** Replaces the archive of a backup, and makes manifest and signature fit: as if it had been made so. */
async function doctor(backupId: string, change: (archive: Buffer) => Buffer): Promise<void> {
  const folder = join(project.backups, 'shop', backupId);
  const file = join(folder, `database.dump${packed()}`);
  const zstd = findProgram('zstd') ?? 'zstd';
  // newer programs compress inside of the archive
  const through = (args: readonly string[], input: Buffer): Buffer =>
    packed() ? execFileSync(zstd, ['-q', '-c', ...args], { input, maxBuffer: 1e9 }) : input;
  const bytes = through([], change(through(['-d'], readFileSync(file))));
  const manifest = JSON.parse(readFileSync(join(folder, 'manifest.json'), 'utf8')) as Manifest;
  const sha256 = createHash('sha256').update(bytes).digest('hex');
  const artifacts = manifest.artifacts.map((one) => (one.kind === 'database' ? { ...one, size: bytes.length, sha256 } : one));
  writeFileSync(file, bytes);
  writeFileSync(join(folder, 'manifest.json'), encodeManifest({ ...manifest, artifacts }, context.signer));
}

describe('G13: a backup that restores without an error and lacks something', () => {
  const losses = [
    ['one row of one table', 'DELETE FROM customers WHERE id = 200', 'customers'],
    ['all rows of a partition', 'TRUNCATE visits_2024', 'visits_2024'],
    ['a table', 'DROP TABLE manuals', 'manuals'],
    ['a large object', 'SELECT lo_unlink(max(oid)) FROM pg_largeobject_metadata', 'large objects'],
    ['nothing, and has a row too many', "INSERT INTO vouchers VALUES ('one more', 1)", 'vouchers'],
    ['nothing, and has a table too many', 'CREATE TABLE surplus (n int)', 'surplus'],
  ] as const;
  it.each(losses)('%s: the proof fails, names it, and keeps it from being the latest', async (_what, loss, named) => {
    const { events } = await execute(context, byHand);
    const id = events[0]?.id ?? '';
    const other = await cloneDatabase('shop');
    await sql(
      other.url,
      `ALTER TABLE order_lines DROP CONSTRAINT order_lines_order_id_fkey; ALTER TABLE orders DROP CONSTRAINT orders_customer_id_fkey; ${loss}`,
    );
    const lacking = execFileSync(program('pg_dump'), ['-Fc', '-Z0', '-d', other.url], { maxBuffer: 1e9 });
    await other.drop();
    await doctor(id, () => lacking);
    const find = async () => (await catalog(context)).backups.find(({ backupId }) => backupId === id);
    const backup = await find();
    if (!backup) throw new Error('no backup');
    expect(await verifyBackup(context, backup, 'archive')).toMatchObject({ ok: true });
    expect(await verifyBackup(context, backup, 'restore')).toMatchObject({ ok: false, detail: expect.stringContaining(named) });
    expect((await find())?.suspect).toBe(true);
  });
});

describe('C16: a program that hangs', () => {
  it.each([
    ['without a byte', shim.silent],
    ['after all its output', shim.lingering],
    ...(count(0, 1) ? [['and is deaf to TERM', shim.deaf] as const] : []),
  ] as const)('%s is stopped after stallTimeout, and leaves nothing', async (_what, hanging) => {
    const shims = shimDirectory({ pg_dump: hanging });
    const stalled = lab({ shop: { url: shop.url } }, { autoRetry: false, stallTimeout: 8, clientDirectory: shims.directory });
    const { events, failure } = await execute(hurried(await inProcess(stalled)), byHand);
    expect(failure).toMatchObject({ code: 'stalled', class: 'transient', exit: 20, message: expect.stringContaining('8 minutes') });
    expect(events).toMatchObject([{ status: 'failed' }]);
    expect(stalled.stored().filter((name) => name.includes('/'))).toEqual([]);
    expect(await sessions()).toBe('0');
    stalled.cleanup();
    shims.remove();
  });

  it('in the check of the archive is stopped as well, while bytes are left to read', async () => {
    const shims = shimDirectory({ pg_restore: shim.silent });
    const stalled = lab(
      { shop: { url: shop.url } },
      { autoRetry: false, stallTimeout: 8, clientDirectory: shims.directory, compression: 'none' },
    );
    const { failure } = await execute(hurried(await inProcess(stalled)), byHand);
    expect(failure).toMatchObject({ code: 'stalled' });
    expect(stalled.stored().filter((name) => name.includes('/'))).toEqual([]);
    stalled.cleanup();
    shims.remove();
  });
});
