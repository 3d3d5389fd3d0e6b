/**
 * test: B15-B18: what was stored is not as it was: bytes flipped, files cut short or swapped, manifests missing or forged.
 */
import { randomInt } from 'node:crypto';
import { readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { findBackup } from '../../src/core/catalog/catalog.js';
import type { Context } from '../../src/core/context.js';
import { verifyBackup } from '../../src/core/verify.js';
import type { Artifact, Backup } from '../../src/model/backup/backup.js';
import { manifestName } from '../../src/model/settings/names.js';
import { count } from '../fixtures/counts.js';
import { cloneDatabase, type TestDatabase } from '../fixtures/database.js';
import { afterwards, openRig, type Rig } from './rig.js';

let database: TestDatabase;
let rig: Rig;
let context: Context;
let [newest, oldest]: Backup[] = [];
beforeAll(async () => {
  database = await cloneDatabase('shop');
  rig = openRig(database);
  for (let runs = 0; runs < 2; runs += 1) expect(await rig.execute()).toMatchObject({ exitCode: 0 });
  [newest, oldest] = (await rig.catalog()).backups;
  context = await rig.context();
});
afterAll(async () => {
  rig.cleanup();
  await database.drop();
});

const known = (backup: Backup | undefined): Backup => {
  if (!backup) throw new Error('there should be two backups');
  return backup;
};
const pathOf = (backup: Backup, name: string): string => join(rig.store, 'shop', backup.backupId, name);

/** Changes a file while a deed is done. */
async function changed<T>(path: string, change: (bytes: Buffer) => Uint8Array | null, deed: () => Promise<T>): Promise<T> {
  const bytes = readFileSync(path);
  const other = change(Buffer.from(bytes));
  if (other === null) rmSync(path);
  else writeFileSync(path, other);
  try {
    return await deed();
  } finally {
    writeFileSync(path, bytes);
  }
}

const flipped = (at: number) => (bytes: Buffer) => {
  bytes[at] = (bytes[at] ?? 0) ^ (1 << (at % 8));
  return bytes;
};

/** An artifact by chance, the big ones no oftener than the small. */
const anyArtifact = ({ manifest: { artifacts } }: Backup, round: number): Artifact => {
  const artifact = artifacts[round % artifacts.length];
  if (!artifact) throw new Error('a backup without artifacts');
  return artifact;
};

test('B15: one byte flipped anywhere is found by reading', async ({ task }) => {
  const backup = known(newest);
  const rounds = count(40, 1000);
  const violations: string[] = [];
  for (let round = 0; round < rounds; round += 1) {
    const { name, size } = anyArtifact(backup, round);
    const at = randomInt(size);
    const { ok } = await changed(pathOf(backup, name), flipped(at), () => verifyBackup(context, backup, 'checksum'));
    if (ok) violations.push(`${name}: byte ${at} flipped, not found`);
  }
  task.meta.score = { row: 'B15', what: 'one byte flipped, verify --level checksum', n: rounds, violations };
  expect(violations).toEqual([]);
  expect((await verifyBackup(context, backup, 'checksum')).ok).toBe(true);
});

test('B15: a backup with a flipped byte is not the latest good one any more, exit 22', async () => {
  const backup = known(newest);
  const { name, size } = anyArtifact(backup, 0);
  await changed(pathOf(backup, name), flipped(size >> 1), async () => {
    for (const level of ['checksum', 'archive']) {
      const said = await rig.run(['verify', '--all', '--level', level, '--json']);
      expect(said).toMatchObject({ exitCode: 22 });
      const { results } = JSON.parse(said.stdout) as { results: { backupId: string; ok: boolean }[] };
      expect(results.filter(({ ok }) => !ok).map(({ backupId }) => backupId)).toEqual([backup.backupId]);
    }
    expect((await findBackup(context, 'latest', 'shop')).backupId).toBe(known(oldest).backupId);
  });
  // proven again, it is
  expect((await verifyBackup(context, backup, 'archive')).ok).toBe(true);
  expect((await findBackup(context, 'latest', 'shop')).backupId).toBe(backup.backupId);
});

test('B15: one byte flipped in the manifest: it is a problem, or tells the same', async ({ task }) => {
  const backup = known(newest);
  const path = pathOf(backup, manifestName);
  const { length } = readFileSync(path);
  const rounds = count(60, length);
  const violations: string[] = [];
  let harmless = 0;
  for (let round = 0; round < rounds; round += 1) {
    const at = rounds === length ? round : randomInt(length);
    await changed(path, flipped(at), async () => {
      const { backups, problems } = await rig.catalog();
      const found = backups.find(({ backupId }) => backupId === backup.backupId);
      const { signature: _found, ...told } = found?.manifest ?? {};
      const { signature: _given, ...given } = backup.manifest;
      harmless += found ? 1 : 0;
      if (found ? JSON.stringify(told) !== JSON.stringify(given) : problems.length === 0)
        violations.push(`byte ${at} of the manifest flipped`);
    });
  }
  task.meta.score = { row: 'B15', what: 'one byte flipped in the manifest', n: rounds, violations, figures: `${harmless} change nothing` };
  expect(violations).toEqual([]);
});

test('B16: a file cut short, or longer, is no part of a backup', async ({ task }) => {
  const backup = known(newest);
  const violations: string[] = [];
  const { artifacts } = backup.manifest;
  const lengths = (size: number) => [0, 1, size >> 1, size - 1, Math.max(0, size - 16), size + 1];
  for (const { name, size } of artifacts)
    for (const length of lengths(size))
      await changed(
        pathOf(backup, name),
        (bytes) => Buffer.concat([bytes, Buffer.alloc(1)]).subarray(0, length),
        async () => {
          const { backups, problems } = await rig.catalog();
          if (backups.some(({ backupId }) => backupId === backup.backupId)) violations.push(`${name} with ${length} bytes is listed`);
          if (!problems.some((problem) => problem.includes(backup.backupId) && problem.includes(name)))
            violations.push(`${name}: no problem said`);
          const { ok } = await verifyBackup(context, backup, 'archive').catch(() => ({ ok: false }));
          if (ok) violations.push(`${name} with ${length} bytes is read to its end`);
        },
      );
  task.meta.score = { row: 'B16', what: 'files cut short or longer', n: artifacts.length * 6, violations };
  expect(violations).toEqual([]);
});

test('B17: the files of two backups swapped are found by reading', async ({ task }) => {
  const [a, b] = [known(newest), known(oldest)];
  const names = a.manifest.artifacts.map(({ name }) => name);
  const swap = (name: string) => {
    renameSync(pathOf(a, name), `${pathOf(a, name)}.aside`);
    renameSync(pathOf(b, name), pathOf(a, name));
    renameSync(`${pathOf(a, name)}.aside`, pathOf(b, name));
  };
  const violations: string[] = [];
  for (const name of names.filter((name) => !readFileSync(pathOf(a, name)).equals(readFileSync(pathOf(b, name))))) {
    swap(name);
    for (const backup of [a, b]) {
      const listed = (await rig.catalog()).backups.some(({ backupId }) => backupId === backup.backupId);
      if (listed && (await verifyBackup(context, backup, 'checksum')).ok) violations.push(`${name} swapped, not found`);
    }
    swap(name);
  }
  swap(manifestName);
  expect((await rig.catalog()).backups).toEqual([]);
  swap(manifestName);
  expect((await rig.catalog()).backups).toHaveLength(2);
  for (const backup of [a, b]) await verifyBackup(context, backup, 'archive');
  task.meta.score = { row: 'B17', what: 'files of two backups swapped', n: names.length + 1, violations };
  expect(violations).toEqual([]);
});

test('B18: a manifest that is missing, empty, garbage or forged makes no backup, and is said', async ({ task }) => {
  const backup = known(newest);
  const text = (change: (manifest: Record<string, unknown>) => unknown) => (bytes: Buffer) =>
    Buffer.from(JSON.stringify(change(JSON.parse(bytes.toString()) as Record<string, unknown>), null, 2));
  const forgeries: Readonly<Record<string, (bytes: Buffer) => Uint8Array | null>> = {
    missing: () => null,
    empty: () => Buffer.alloc(0),
    zeros: (bytes) => Buffer.alloc(bytes.length),
    garbage: () => Buffer.from('{"format":1'),
    'half of it': (bytes) => bytes.subarray(0, bytes.length >> 1),
    'a list': () => Buffer.from('[]'),
    'deep nesting': () => Buffer.from('['.repeat(200_000)),
    'another database': text((manifest) => ({ ...manifest, database: 'other' })),
    'another time': text((manifest) => ({ ...manifest, startedAt: '2099-01-01T00:00:00.000Z' })),
    'another hash': text((manifest) => ({
      ...manifest,
      artifacts: (manifest['artifacts'] as Artifact[]).map((artifact) => ({ ...artifact, sha256: '0'.repeat(64) })),
    })),
    'a path for a name': text((manifest) => ({
      ...manifest,
      artifacts: (manifest['artifacts'] as Artifact[]).map((artifact) => ({ ...artifact, name: '../../../../etc/passwd' })),
    })),
    'no artifacts': text((manifest) => ({ ...manifest, artifacts: [] })),
    'a newer format': text((manifest) => ({ ...manifest, format: 2 })),
    'a prototype': (bytes) => Buffer.from(bytes.toString().replace('{', '{"__proto__":{"polluted":1},')),
  };
  const violations: string[] = [];
  for (const [name, forge] of Object.entries(forgeries))
    await changed(pathOf(backup, manifestName), forge, async () => {
      const { backups, problems } = await rig.catalog();
      if (backups.some(({ backupId }) => backupId === backup.backupId)) violations.push(`${name}: listed`);
      if (!problems.some((problem) => problem.includes(backup.backupId))) violations.push(`${name}: no problem said`);
      if ('polluted' in {}) violations.push(`${name}: prototype polluted`);
    });
  task.meta.score = { row: 'B18', what: 'manifests missing, damaged, forged', n: Object.keys(forgeries).length, violations };
  expect(violations).toEqual([]);
});

test('B18: a manifest that nobody here signed is said to be so', async () => {
  const backup = known(newest);
  const signed = (signature: unknown) => (bytes: Buffer) =>
    Buffer.from(JSON.stringify({ ...JSON.parse(bytes.toString()), signature }, null, 2));
  for (const signature of [null, { key: '0123456789abcdef', value: 'AAAA' }])
    await changed(pathOf(backup, manifestName), signed(signature), async () => {
      const { backups } = await rig.catalog();
      expect(backups.map(({ backupId, signed }) => [backupId, signed])).toEqual([
        [backup.backupId, false],
        [known(oldest).backupId, true],
      ]);
      expect((await rig.run(['backups'])).stderr).toMatch(/1 of 2 are not signed by this state directory/);
    });
});

test('and afterwards all is as before', async () => {
  expect(await afterwards(rig)).toEqual([]);
});
