/**
 * test: B5, B6, B20, B21: the disk answers EIO when bytes are to be made durable, or to get their name; it cannot make names durable;
 * it is slow.
 */
import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { count } from '../fixtures/counts.js';
import { cloneDatabase, type TestDatabase } from '../fixtures/database.js';
import { noStrace, underStrace } from './inject.js';
import { afterwards, openRig, type Rig } from './rig.js';

let database: TestDatabase;
let rig: Rig;
beforeAll(async () => {
  database = await cloneDatabase('shop');
  rig = openRig(database);
  // from the second backup on, every fsync and rename of a run is the storage's, every fdatasync the ledger's
  expect(await rig.execute()).toMatchObject({ exitCode: 0 });
});
afterAll(async () => {
  rig.cleanup();
  await database.drop();
});

const note = noStrace ? ` (${noStrace})` : '';

test.skipIf(noStrace)(
  `B5: the storage cannot make durable: the backup fails, and is not listed${note}`,
  { timeout: count(120_000, 600_000) },
  async ({ task }) => {
    const sites = [
      ['the archive', 'fsync', 1],
      ['the details', 'fsync', 3],
      ['the manifest', 'fsync', 5],
      ["the backup's folder", 'fsync', 6],
      ["the database's folder, after the rename", 'fsync', 7],
      ['its name', 'rename', 1],
    ] as const;
    const rounds = count(1, 5);
    const violations: string[] = [];
    for (let round = 0; round < rounds; round += 1)
      for (const [what, call, n] of sites) {
        const before = (await rig.catalog()).backups.length;
        const said = await rig.execute(underStrace([`${call}:error=EIO:when=${n}`]));
        expect(said, what).toMatchObject({ exitCode: 21 });
        expect(JSON.parse(said.stdout)).toMatchObject({ error: { code: 'storage', message: expect.stringContaining('EIO') as string } });
        expect((await rig.catalog()).backups, what).toHaveLength(before);
        expect(readdirSync(join(rig.store, 'shop')), what).toHaveLength(before);
      }
    violations.push(...(await afterwards(rig)));
    task.meta.score = { row: 'B5', what: 'EIO when the storage makes durable', n: rounds * sites.length, violations };
    expect(violations).toEqual([]);
  },
);

test.skipIf(noStrace)(`B5: the ledger cannot make durable: it goes on in a new segment${note}`, async ({ task }) => {
  const rounds = count(1, 5);
  const segments = () => readdirSync(join(rig.state, 'ledger')).length;
  const violations: string[] = [];
  for (let round = 0; round < rounds; round += 1)
    for (const n of [1, 2, 3]) {
      const before = segments();
      const said = await rig.execute(underStrace([`fdatasync:error=EIO:when=${n}`]));
      expect(said).toMatchObject({ exitCode: 0 });
      expect(segments()).toBe(before + 1);
      expect(said.stderr).toMatch(/could not be made durable/);
    }
  violations.push(...(await afterwards(rig)));
  task.meta.score = { row: 'B5', what: 'EIO when the ledger makes durable', n: rounds * 3, violations };
  expect(violations).toEqual([]);
});

test.skipIf(noStrace)(
  `B20: a file system that cannot make names durable: said once, and the backup is made; EIO fails it${note}`,
  async ({ task }) => {
    const shop = join(rig.store, 'shop');
    const before = (await rig.catalog()).backups.length;
    const weak = await rig.execute(underStrace(['fsync:error=EINVAL'], shop));
    expect(weak).toMatchObject({ exitCode: 0 });
    expect(weak.stderr.match(/cannot make names durable/g)).toHaveLength(1);
    expect((await rig.catalog()).backups).toHaveLength(before + 1);
    expect(await rig.execute(underStrace(['fsync:error=EIO'], shop))).toMatchObject({ exitCode: 21 });
    expect((await rig.catalog()).backups).toHaveLength(before + 1);
    const violations = await afterwards(rig);
    task.meta.score = { row: 'B20', what: 'a folder cannot be made durable: EINVAL, EIO', n: 2, violations };
    expect(violations).toEqual([]);
  },
);

test.skipIf(noStrace)(`B21: a slow disk: each sync takes 200 ms, and nobody calls it dead${note}`, async ({ task }) => {
  const rounds = count(1, 5);
  const violations: string[] = [];
  for (let round = 0; round < rounds; round += 1) {
    const said = await rig.execute(underStrace(['fsync:delay_exit=200000', 'fdatasync:delay_exit=200000']));
    expect(said).toMatchObject({ exitCode: 0 });
    const [event] = (JSON.parse(said.stdout) as { events: { status: string; warnings?: string[] }[] }).events;
    expect(event).toMatchObject({ status: 'completed' });
    expect(event?.warnings ?? []).toEqual([]);
  }
  violations.push(...(await afterwards(rig)));
  task.meta.score = { row: 'B21', what: 'every sync takes 200 ms', n: rounds, violations };
  expect(violations).toEqual([]);
});
