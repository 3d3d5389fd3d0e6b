/**
 * test: backups prune, pin and unpin, as they are typed, on backups of a real database.
 */
import { readdirSync, readFileSync, utimesSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { cloneDatabase, sql, type TestDatabase } from '../../../fixtures/database.js';
import { lab, type Lab } from '../../../fixtures/lab.js';

interface Planned {
  readonly keep: readonly { readonly backupId: string; readonly reason: string; readonly expires: string | null }[];
  readonly remove: readonly { readonly backupId: string; readonly reason: string }[];
  readonly removed: boolean;
  readonly [more: string]: unknown;
}

let database: TestDatabase;
let project: Lab;
const made: string[] = [];

const execute = async (...more: string[]) => {
  const { exitCode, document, stderr } = await project.json(['execute', ...more]);
  expect({ exitCode, stderr }).toMatchObject({ exitCode: 0 });
  made.push(document.events[0]?.result?.backupId ?? '');
};
const plan = async (...more: string[]) => {
  const { exitCode, document } = await project.json(['backups', 'prune', ...more]);
  return { exitCode, ...(document as unknown as Planned) };
};
const listed = async () => (await project.json(['backups'])).document.backups.map(({ backupId }) => backupId).toReversed();
const folders = () => readdirSync(join(project.backups, 'db')).toSorted();

beforeAll(async () => {
  database = await cloneDatabase('empty');
  project = lab({ db: { url: database.url } }, { retention: { keepLast: 3, minimum: 2 } });
  for (let k = 0; k < 3; k += 1) await execute();
});
afterAll(async () => {
  project.cleanup();
  await database.drop();
});

describe.sequential('from plan to disk', () => {
  test('a backup that is one too many sends the oldest out of the listing, and leaves it on the disk', async () => {
    expect(await listed()).toEqual(made);
    await execute();
    expect(await listed()).toEqual(made.slice(1));
    expect(folders()).toEqual([`${made[0]}.trash`, ...made.slice(1)]);
  });

  test('--undo brings it back; the plan says why it goes, and writes nothing', async () => {
    const undone = await plan('--undo');
    expect(undone).toMatchObject({ exitCode: 0, removed: false, recovered: [{ backupId: made[0], storage: 'local' }] });
    const before = readFileSync(join(project.directory, '.backup-automation/ledger/events-000001.jsonl'));
    const found = await plan();
    expect(found).toMatchObject({ exitCode: 0, removed: false, remove: [{ backupId: made[0], reason: 'kept by no rule' }] });
    expect(found.keep.map(({ backupId, reason }) => [backupId, reason])).toEqual(
      made
        .slice(1)
        .toReversed()
        .map((id, index) => [id, `last ${index + 1} of 3`]),
    );
    expect(readFileSync(join(project.directory, '.backup-automation/ledger/events-000001.jsonl'))).toEqual(before);
    expect(await listed()).toEqual(made);
  });

  test('a pinned one stays, and is listed as pinned; unpinned it goes', async () => {
    const pinned = await project.json(['backups', 'pin', made[0] ?? '', '--reason', 'the audit of May']);
    expect(pinned).toMatchObject({ exitCode: 0, document: { backupId: made[0], pinned: true, storages: ['local'] } });
    expect(readFileSync(join(project.backups, 'db', made[0] ?? '', 'PINNED'), 'utf8')).toMatch(/^the audit of May\ncli:/);
    expect((await project.run(['backups'])).stdout).toMatch(/NOTE\n(.*\n)*.*pinned\n/);
    expect((await project.run(['backups', 'show', made[0] ?? ''])).stdout).toContain('no rule removes it');
    const found = await plan('--yes');
    expect(found).toMatchObject({ exitCode: 0, removed: true, remove: [], discarded: [] });
    expect(found.keep.at(-1)).toMatchObject({ backupId: made[0], reason: 'pinned', expires: null });
    expect(await project.json(['backups', 'unpin', made[0] ?? ''])).toMatchObject({ exitCode: 0, document: { pinned: false } });
    expect(await plan('--yes')).toMatchObject({ exitCode: 0, removed: true, discarded: [made[0]], trash: [{ backupId: made[0] }] });
    expect(await listed()).toEqual(made.slice(1));
  });

  test('a day later it is off the disk, whatever the time of the files', async () => {
    const trash = join(project.backups, 'db', `${made[0]}.trash`);
    utimesSync(trash, 0, 0);
    expect(await plan('--yes')).toMatchObject({ emptied: [] });
    writeFileSync(join(trash, 'REMOVED'), `${new Date(Date.now() - 86_400_000).toISOString()}\n`);
    expect(await plan('--yes')).toMatchObject({ exitCode: 0, emptied: [made[0]], trash: [] });
    expect(folders()).toEqual(made.slice(1));
  });

  test('for a person: a table with reasons, and what to type', async () => {
    const { stdout } = await project.run(['backups', 'prune', '--set', 'retention.keepLast=1']);
    expect(stdout).toMatch(/^BACKUP +DATABASE +SCHEDULE +TAKEN \(.*\) +PLAN +EXPIRES +REASON\n/);
    expect(stdout).toMatch(/keep +last 1 of 1\n/);
    expect(stdout).toMatch(/keep +minimum 2 wins over the rules\n/);
    expect(stdout).toMatch(/remove +kept by no rule\n/);
    expect(stdout).toContain('1 would be removed: backup-automation backups prune --yes');
  });

  test('emergency backups follow the top-level retention, whatever their schedule says', async () => {
    const schedules = { often: { cron: '* * * * *', retention: { keepLast: 1, minimum: 1 } } };
    const file = project.file('other.json', {
      ...(JSON.parse(readFileSync(join(project.directory, 'backup-automation.config.json'), 'utf8')) as object),
      schedules,
    });
    await execute('often', '--config', file);
    await execute('often', '--emergency', '--config', file);
    await execute('often', '--config', file);
    const [ordinary, emergency, newest] = made.slice(-3);
    const now = await listed();
    expect(now).not.toContain(ordinary);
    expect(now).toEqual(expect.arrayContaining([emergency, newest]));
  });

  test('a table that lost most of its rows: warned of, suspect, and the one before it is held until a restore proves it', async () => {
    await sql(database.url, 'CREATE TABLE precious AS SELECT n FROM generate_series(1, 5000) n');
    await execute();
    await sql(database.url, 'DELETE FROM precious WHERE n > 100');
    const { exitCode, document } = await project.json(['execute']);
    const backupId = document.events[0]?.result?.backupId ?? '';
    expect({ exitCode, warnings: document.events[0]?.warnings }).toMatchObject({
      exitCode: 0,
      warnings: [
        expect.stringContaining('public.precious has 100 rows of 5000') as string,
        expect.stringContaining(`verify ${backupId}`) as string,
      ],
    });
    expect((await project.json(['backups'])).document.backups[0]).toMatchObject({
      backupId,
      suspect: true,
      doubts: [expect.stringContaining('1 table')],
    });
    expect(JSON.stringify(document)).toContain('precious');
    expect(readFileSync(join(project.backups, 'db', backupId, 'manifest.json'), 'utf8')).not.toContain('precious');
    expect((await project.run(['backups'])).stdout).toMatch(/suspect$/m);
    expect((await plan()).keep[1]).toMatchObject({ backupId: made.at(-1), reason: expect.stringContaining('held') as string });
    // with the next one it is the same
    const again = await project.json(['execute']);
    expect(again.document.events[0]?.warnings?.[0]).toContain('precious');
    const latest = await project.json(['restore', 'latest', '--output', 'precious.dump']);
    expect(latest.document).toMatchObject({ backupId: made.at(-1) });
    expect(latest.stderr).toContain('passed over because it is suspect');
    expect(await project.json(['verify', backupId])).toMatchObject({ exitCode: 0 });
    expect((await project.json(['backups'])).document.backups.map(({ suspect }) => suspect).slice(0, 3)).toEqual([true, false, false]);
    await project.json(['execute']);
    expect((await project.json(['backups'])).document.backups[0]).toMatchObject({ suspect: false });
  });

  test('no such backup: exit 2 with the nearest', async () => {
    expect(await project.json(['backups', 'pin', 'ffffffff'])).toMatchObject({ exitCode: 2, document: { error: { code: 'not-found' } } });
  });
});
