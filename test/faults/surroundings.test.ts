/**
 * test: F10: surroundings as cron gives them, and worse: nothing in the environment, no terminal, closed streams, no working directory.
 */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { cloneDatabase, type TestDatabase } from '../fixtures/database.js';
import { afterwards, openRig, type Rig } from './rig.js';

let database: TestDatabase;
let rig: Rig;
beforeAll(async () => {
  database = await cloneDatabase('shop');
  rig = openRig(database);
});
afterAll(async () => {
  rig.cleanup();
  await database.drop();
});

const shell = (text: string): readonly string[] => ['sh', '-c', text];
/** The exit code of a command whose reader is gone stands in a file. */
const surroundings: Readonly<Record<string, () => readonly string[]>> = {
  'no environment': () => ['env', '-i', 'PATH=/usr/bin:/bin', `DATABASE_URL=${rig.env['DATABASE_URL']}`],
  'not even a PATH': () => ['env', '-i', `DATABASE_URL=${rig.env['DATABASE_URL']}`],
  'stdin closed': () => shell('"$0" "$@" <&-; echo $? >code'),
  'stdout closed': () => shell('"$0" "$@" >&-; echo $? >code'),
  'stderr closed': () => shell('"$0" "$@" 2>&-; echo $? >code'),
  'all three closed': () => shell('"$0" "$@" <&- >&- 2>&-; echo $? >code'),
  'nobody reads stdout': () => shell('{ "$0" "$@"; echo $? >code; } | true'),
  'nobody reads stderr': () => shell('{ "$0" "$@" 2>&1 >/dev/null; echo $? >code; } | true'),
  'stderr on a full disk': () => shell('"$0" "$@" 2>/dev/full; echo $? >code'),
  'the working directory is gone': () => shell('here=$PWD; mkdir gone; cd gone; rmdir ../gone; "$0" "$@"; echo $? >"$here/code"'),
};

test.each(Object.entries(surroundings))('%s', async (_name, under) => {
  const before = (await rig.catalog()).backups.length;
  const { exitCode, stderr } = await rig.execute({ under: under() }, '--config', join(rig.directory, 'backup-automation.config.json'));
  const code = under()[0] === 'sh' ? Number(readFileSync(join(rig.directory, 'code'), 'utf8')) : exitCode;
  expect({ code, stderr }).toMatchObject({ code: 0 });
  expect((await rig.catalog()).backups).toHaveLength(before + 1);
});

test('stdout on a full disk: what it was to say is missed, the backup is made', async () => {
  const before = (await rig.catalog()).backups.length;
  const { exitCode, stderr } = await rig.execute({ under: shell('exec "$0" "$@" >/dev/full') });
  expect({ exitCode, stderr }).toEqual({ exitCode: 1, stderr: expect.stringMatching(/stdout cannot be written: ENOSPC/) as string });
  expect((await rig.catalog()).backups).toHaveLength(before + 1);
});

test('and afterwards all is as before', async ({ task }) => {
  const violations = await afterwards(rig);
  task.meta.score = { row: 'F10', what: "cron's surroundings, closed streams", n: Object.keys(surroundings).length, violations };
  expect(violations).toEqual([]);
});
