/** test: a state directory on a file system whose locks cannot be trusted (E18): tried, and refused where they keep nobody out. */
import { execFileSync, spawnSync } from 'node:child_process';
import { chmodSync, mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { doubtfulKind } from '../../../src/system/files/fitness.js';
import { openLocks } from '../../../src/system/files/lock.js';
import { temporaryProject } from '../../fixtures/cli.js';

let folder: string;
beforeEach(() => (folder = mkdtempSync(join(tmpdir(), 'backup-automation-fitness-'))));
afterEach(() => rmSync(folder, { recursive: true, force: true }));

const nfs = () => 'NFS';
const id = '01a2042e-847a-7a1c-8192-fe99c0e22235';

/** A flock that locks nothing, as on a network that has no locks. */
async function withLyingLocks(deed: () => Promise<void>): Promise<void> {
  const bin = join(folder, 'bin');
  mkdirSync(bin);
  writeFileSync(join(bin, 'flock'), '#!/bin/sh\nexit 0\n');
  chmodSync(join(bin, 'flock'), 0o755);
  const { PATH } = process.env;
  process.env['PATH'] = `${bin}:${PATH}`;
  try {
    await deed();
  } finally {
    process.env['PATH'] = PATH;
  }
}

test('E18: a disk of this host is none of the doubtful kinds, and its locks hold', async () => {
  expect(doubtfulKind(folder)).toBeNull();
  expect(await openLocks(join(folder, 'state')).probe()).toBe('a file system of this host');
});

test('E18: on NFS whose locks hold work goes on', async () => {
  const locks = openLocks(join(folder, 'state'), nfs);
  expect(await locks.claimEvent(id)).not.toBeNull();
  expect(await locks.probe()).toBe('NFS');
});

test('E18: on NFS whose locks keep nobody out nothing is claimed', async () => {
  await withLyingLocks(async () => {
    const locks = openLocks(join(folder, 'state'), nfs);
    await expect(locks.claimEvent(id)).rejects.toMatchObject({
      code: 'ledger',
      class: 'permanent',
      message: expect.stringContaining('NFS'),
    });
    await expect(locks.claimPlace(2)).rejects.toMatchObject({ code: 'ledger' });
  });
  expect(readdirSync(join(folder, 'state/run'))).toEqual([]);
});

const overlays = process.getuid?.() === 0 && spawnSync('unshare', ['-m', 'true']).status === 0;

test.skipIf(!overlays)('E18: an overlay is tried, and fit', async () => {
  const project = temporaryProject();
  const at = (name: string) => join(project.directory, name);
  // an overlay cannot lie on an overlay: its layers are in memory
  const script =
    'mount -t tmpfs none "$1" && mkdir "$1/lower" "$1/upper" "$1/work" && mount -t overlay -o "lowerdir=$1/lower,upperdir=$1/upper,workdir=$1/work" none "$2" && shift 2 && exec "$@"';
  for (const name of ['memory', 'state']) mkdirSync(at(name), { mode: 0o700 });
  try {
    const under = ['unshare', '-m', 'sh', '-c', script, 'sh', at('memory'), at('state')];
    execFileSync(under[0] ?? '', [...under.slice(1), 'true']);
    project.file('backup-automation.config.json', { stateDirectory: './state', databases: { shop: { host: '/nowhere' } } });
    const { stdout } = await project.run(['test', '--json'], { under });
    const { steps } = JSON.parse(stdout) as { steps: readonly { name: string; ok: boolean }[] };
    expect(steps).toContainEqual(expect.objectContaining({ name: 'state directory', ok: true }));
  } finally {
    project.cleanup();
  }
});
