/** test: programs are found where they lie, in order, and what cannot be used is passed over with its reason (C9). */
import { mkdirSync, mkdtempSync, realpathSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, inject, test } from 'vitest';
import { findClients, findProgram, findServers } from '../../../src/system/programs/programs.js';
import { shim, shimDirectory, type Shim, type ShimDirectory } from '../../fixtures/shims.js';

const made: ShimDirectory[] = [];
const shims = (replaced: Record<string, Shim>): ShimDirectory => {
  const directory = shimDirectory(replaced);
  made.push(directory);
  return directory;
};
let folder = '';
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'backup-automation-programs-'));
});
afterEach(() => {
  made.splice(0).forEach((each) => each.remove());
  rmSync(folder, { recursive: true, force: true });
});

/** Nothing but these folders. */
const only = (...directories: string[]) => ({
  env: { PATH: directories.join(':'), XDG_CACHE_HOME: folder, HOME: folder, TMPDIR: folder },
  places: [],
});

describe('findClients', () => {
  test('finds the programs of PATH before those of the known places', async () => {
    const newer = shims({ pg_dump: shim.version('44.1') });
    const older = shims({ pg_dump: shim.version('9.6.24') });
    mkdirSync(join(folder, 'lib/7'), { recursive: true });
    symlinkSync(older.directory, join(folder, 'lib/7/bin'));
    const found = await findClients({ ...only(newer.directory), places: [join(folder, 'lib/*/bin'), '/nowhere/*/bin'] });
    expect(found.map(({ version, major }) => [version, major])).toEqual([
      ['44.1', 44],
      ['9.6.24', 9],
    ]);
    expect(found[0]?.file('pg_restore')).toBe(join(newer.directory, 'pg_restore'));
  });

  test('looks nowhere else when a folder is set', async () => {
    const set = shims({ pg_dump: shim.version('12.5') });
    const found = await findClients({ env: process.env, clientDirectory: set.directory });
    expect(found.map((each) => each.directory)).toEqual([set.directory]);
    const reasons: string[] = [];
    expect(await findClients({ env: process.env, clientDirectory: folder, passOver: (reason) => reasons.push(reason) })).toEqual([]);
    expect(reasons).toEqual([`there is no pg_dump in ${folder}`]);
  });

  test('follows a link to where the whole installation is', async () => {
    symlinkSync(join(inject('postgres').binDirectory, 'pg_dump'), join(folder, 'pg_dump'));
    const [found] = await findClients(only(folder));
    expect(found?.file('pg_restore')).toBe(join(realpathSync(inject('postgres').binDirectory), 'pg_restore'));
  });

  test.each<[string, Shim, RegExp]>([
    ['is not executable', shim.notExecutable, /is not executable/],
    ['is a folder', shim.directory, /is not a file/],
    ['is of another architecture', shim.wrongArchitecture, /--version exits \d+ and says/],
    ['says nothing that is a version', () => '#!/bin/sh\necho hello', /says "hello"/],
    ['hangs', shim.hanging, /did not end within \d s/],
  ])('passes over a pg_dump that %s', async (_, make, reason) => {
    const broken = shims({ pg_dump: make });
    const good = shims({});
    const reasons: string[] = [];
    const found = await findClients({ ...only(broken.directory, good.directory), passOver: (each) => reasons.push(each) });
    expect(found.map((each) => each.directory)).toEqual([good.directory]);
    expect(reasons).toHaveLength(1);
    expect(reasons[0]).toMatch(reason);
    expect(reasons[0]).toContain(broken.directory);
  });

  test('passes over a pg_dump that comes alone', async () => {
    writeFileSync(join(folder, 'pg_dump'), '#!/bin/sh\necho "pg_dump (PostgreSQL) 15.1"', { mode: 0o755 });
    const reasons: string[] = [];
    expect(await findClients({ ...only(folder), passOver: (reason) => reasons.push(reason) })).toEqual([]);
    expect(reasons[0]).toMatch(/without pg_restore/);
  });

  test('passes over a folder of PATH that cannot be looked into', async () => {
    symlinkSync(join(folder, 'loop'), join(folder, 'loop'));
    const good = shims({ pg_dump: shim.version('44.1') });
    expect((await findClients(only(join(folder, 'loop'), good.directory))).map(({ version }) => version)).toEqual(['44.1']);
  });

  test('finds nothing where nothing is, and does not look into relative folders', async () => {
    expect(await findClients({ ...only('', '.', 'bin', folder) })).toEqual([]);
  });
});

test("Debian's wrapper leads to the folder behind it", async (context) => {
  const wrapper = '/usr/share/postgresql-common/pg_wrapper';
  const [found] = await findClients(only('/usr/bin'));
  if (!found) context.skip(`${wrapper} is not installed here`);
  expect(found?.directory).toBe(`/usr/lib/postgresql/${found?.major}/bin`);
});

test('findServers wants postgres and initdb', async () => {
  const [found] = await findServers(only(shims({}).directory));
  expect(found?.major).toBe(inject('postgres').major);
  expect(await findServers(only(shims({ initdb: shim.notExecutable }).directory))).toMatchObject([
    { directory: realpathSync(inject('postgres').binDirectory) },
  ]);
});

test('findProgram gives an absolute path, or null', () => {
  expect(findProgram('sh', process.env)).toMatch(/^\/.*\/sh$/);
  expect(findProgram('no-such-program', process.env)).toBeNull();
  expect(findProgram('sh', { PATH: folder })).toBeNull();
});
