/**
 * test: B6, B9-B11: a storage whose disk reports errors, is read-only, or has no inodes left; a process without descriptors.
 */
import { execFileSync } from 'node:child_process';
import { dirname, join } from 'node:path';
import { statfsSync } from 'node:fs';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { count } from '../fixtures/counts.js';
import { cloneDatabase, type TestDatabase } from '../fixtures/database.js';
import { shimDirectory } from '../fixtures/shims.js';
import { mountSmallDisk, noMount, noPrlimit, noStrace, underStrace, watched, type SmallDisk } from './inject.js';
import { afterwards, openRig, type Rig } from './rig.js';

let database: TestDatabase;
beforeAll(async () => {
  database = await cloneDatabase('shop');
});
afterAll(() => database.drop());

/** Which of a thread's calls of this name is the first on the store: strace counts for each thread. */
function firstOn(lines: readonly string[], call: string, place: string): number | null {
  const calls = lines.filter((line) => line.includes(` ${call}(`));
  const hit = calls.find((line) => line.includes(place));
  const thread = hit?.split(' ')[0];
  return hit ? calls.filter((line) => line.split(' ')[0] === thread).indexOf(hit) + 1 : null;
}

test.skipIf(noStrace)(
  `B6: EIO on mkdir and rename: failed, with the errno, without a path${noStrace ? ` (${noStrace})` : ''}`,
  async ({ task }) => {
    const rig = openRig(database);
    try {
      expect(await rig.execute()).toMatchObject({ exitCode: 0 });
      const trace = watched(['mkdir', 'rename'], join(rig.directory, 'trace'));
      expect(await rig.execute({ under: trace.under, env: { ...trace.env } })).toMatchObject({ exitCode: 0 });
      const lines = trace.lines();
      const violations: string[] = [];
      const rounds = count(1, 5);
      let tried = 0;
      for (let round = 0; round < rounds; round += 1)
        for (const call of ['mkdir', 'rename']) {
          const n = firstOn(lines, call, rig.store);
          expect(n, call).not.toBeNull();
          const said = await rig.execute(underStrace([`${call}:error=EIO:when=${n}`]));
          const { error } = JSON.parse(said.stdout) as { error?: { code: string; message: string } };
          expect(said, call).toMatchObject({ exitCode: 21 });
          expect(error?.message, call).toContain('EIO');
          // the storage's folder is named once, and what the system says has no path
          expect(error?.message.replace(`storage "local" (${rig.store}): `, ''), call).not.toContain(rig.directory);
          tried += 1;
        }
      violations.push(...(await afterwards(rig)));
      task.meta.score = { row: 'B6', what: 'EIO on mkdir and rename', n: tried, violations };
      expect(violations).toEqual([]);
    } finally {
      rig.cleanup();
    }
  },
);

describe.skipIf(noMount)(`small disks${noMount ? ` (${noMount})` : ''}`, () => {
  async function onDisk(deed: (rig: Rig, disk: SmallDisk, mountPoint: string) => Promise<void>): Promise<void> {
    const disk = mountSmallDisk();
    const rig = openRig(database, { store: disk.path });
    try {
      expect(await rig.execute()).toMatchObject({ exitCode: 0 });
      await deed(rig, disk, dirname(disk.path));
    } finally {
      disk.umount();
      rig.cleanup();
    }
  }
  const remount = (mountPoint: string, options: string) =>
    execFileSync('mount', ['-o', `remount,${options}`, '-t', 'tmpfs', 'tmpfs', mountPoint]);

  test('B9: the storage becomes read-only in the middle of a run: failed with EROFS', async ({ task }) => {
    await onDisk(async (rig, _disk, mountPoint) => {
      // the client's version is asked for when the event has begun and nothing is open yet
      const turn = (real: string) => `#!/bin/sh\nmount -o remount,ro -t tmpfs tmpfs '${mountPoint}'\nexec '${real}' "$@"\n`;
      const shims = shimDirectory({ pg_dump: turn });
      const rounds = count(1, 5);
      const violations: string[] = [];
      try {
        for (let round = 0; round < rounds; round += 1) {
          const said = await rig.execute({}, '--set', `clientDirectory=${shims.directory}`);
          expect(said).toMatchObject({ exitCode: 21 });
          expect(JSON.parse(said.stdout)).toMatchObject({
            error: { code: 'storage-denied', message: expect.stringContaining('EROFS') as string },
          });
          remount(mountPoint, 'rw');
        }
        violations.push(...(await afterwards(rig)));
      } finally {
        shims.remove();
      }
      task.meta.score = { row: 'B9', what: 'read-only in the middle of a run', n: rounds, violations };
      expect(violations).toEqual([]);
    });
  });

  test('B10: no inodes are left, before the folder and within the files: failed, nothing is left', async ({ task }) => {
    await onDisk(async (rig, _disk, mountPoint) => {
      const violations: string[] = [];
      const rooms = [0, 1, 2, 3];
      const rounds = count(1, 5);
      for (let round = 0; round < rounds; round += 1)
        for (const room of rooms) {
          const { files, ffree } = statfsSync(mountPoint);
          remount(mountPoint, `nr_inodes=${files - ffree + room}`);
          const said = await rig.execute();
          expect(said, `${room} inodes`).toMatchObject({ exitCode: 21 });
          expect(JSON.parse(said.stdout)).toMatchObject({ error: { code: 'no-space' } });
          remount(mountPoint, 'nr_inodes=10000');
        }
      violations.push(...(await afterwards(rig)));
      task.meta.score = { row: 'B10', what: 'inodes used up', n: rounds * rooms.length, violations };
      expect(violations).toEqual([]);
    });
  });
});

test.skipIf(noPrlimit)('B11: descriptors used up: it fails, and no half state is left', async ({ task }) => {
  const rig = openRig(database);
  try {
    expect(await rig.execute()).toMatchObject({ exitCode: 0 });
    const violations: string[] = [];
    const limits = count(1, 5) === 1 ? [24] : [22, 24, 26, 28, 32];
    for (const limit of limits) {
      const said = await rig.execute({ under: ['prlimit', `--nofile=${limit}`] });
      if (said.exitCode === 0 && limit === 24) violations.push('24 descriptors were enough');
    }
    violations.push(...(await afterwards(rig)));
    task.meta.score = { row: 'B11', what: 'descriptors used up', n: limits.length, violations };
    expect(violations).toEqual([]);
  } finally {
    rig.cleanup();
  }
});
