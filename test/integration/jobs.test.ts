/**
 * test: dumps by several processes: one snapshot, one artifact, proven, sealed, and restored by us and by hand.
 */
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { generateX25519Identity, identityToRecipient } from 'age-encryption';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { onPath } from '../../src/system/files/path.js';
import { cloneDatabase, databaseUrl, packed, program, sql, type TestDatabase } from '../fixtures/database.js';
import { guideOf } from '../fixtures/guide.js';
import { contentOf, ending, lab, type Answer, type Lab } from '../fixtures/lab.js';

let shop: TestDatabase;
let project: Lab;
let content: string;
const made: string[] = [];
const schedules = { by_two: { cron: '0 3 * * *', jobs: 2 }, by_one: { cron: '0 3 * * *' } };
beforeAll(async () => {
  shop = await cloneDatabase('shop');
  content = await contentOf(shop.url);
  project = lab({ shop: { url: shop.url } }, { schedules });
});
afterAll(async () => {
  project.cleanup();
  for (const name of made) await sql(databaseUrl('postgres'), `DROP DATABASE IF EXISTS "${name}" WITH (FORCE)`);
  await shop.drop();
});

function fresh(): string {
  const name = `jobs_${process.pid}_${made.length}`;
  made.push(name);
  return name;
}
const archive = `database.dir.tar${packed()}`;
const folderOf = ({ document }: Answer): string => join(project.backups, 'shop', document.events[0]?.result?.backupId ?? '');
/** What is left of private files. */
const leftBehind = () => readdirSync(join(project.directory, '.backup-automation', 'run'));

describe.sequential('a dump by two processes', () => {
  it('is one artifact, proven before the commit, and leaves no directory behind', async () => {
    const answer = await project.json(['execute', 'by_two']);
    expect(ending(answer)).toEqual({ exitCode: 0 });
    expect(readdirSync(folderOf(answer)).toSorted()).toEqual(
      ['RESTORE.md', archive, 'details.json', 'manifest.json', `globals.sql${packed()}`].toSorted(),
    );
    const { document } = await project.json(['backups']);
    expect(document.backups).toMatchObject([{ proven: { level: 'archive' }, suspect: false }]);
    expect(answer.stderr).toContain('by 2 processes');
    expect(leftBehind()).toEqual([]);
  });

  it.each(['checksum', 'archive', 'restore'])('verify proves it to level %s', async (level) => {
    expect(await project.json(['verify', '--level', level])).toMatchObject({ exitCode: 0, document: { results: [{ ok: true }] } });
    expect(leftBehind()).toEqual([]);
  });

  it.each([[[]], [['--jobs', '2']]])('restore %j brings everything back', async (more) => {
    const name = fresh();
    expect(ending(await project.json(['restore', 'latest', '--to', databaseUrl(name), '--create', ...more]))).toEqual({ exitCode: 0 });
    expect(await contentOf(databaseUrl(name))).toBe(content);
    expect(leftBehind()).toEqual([]);
  });

  it('parts of it replace what is there', async () => {
    const name = made.at(-1) ?? '';
    await sql(databaseUrl(name), 'TRUNCATE visits');
    const replace = ['--table', 'visits', '--force-target', name];
    expect(ending(await project.json(['restore', 'latest', '--to', databaseUrl(name), ...replace]))).toEqual({ exitCode: 0 });
    expect(await contentOf(databaseUrl(name))).toBe(content);
    const output = join(project.directory, 'shop.tar');
    expect(ending(await project.json(['restore', 'latest', '--output', output]))).toEqual({ exitCode: 0 });
  });

  it('differs in nothing from a dump by one', async () => {
    const one = await project.json(['execute', 'by_one']);
    expect(readdirSync(folderOf(one))).toContain(`database.dump${packed()}`);
    const [, before] = (await project.json(['backups'])).document.backups;
    const { exitCode, document } = await project.json(['backups', 'diff', before?.backupId ?? '', 'latest']);
    expect({ exitCode, document }).toMatchObject({ exitCode: 0, document: { tables: [] } });
  });

  it('RESTORE.md restores it by hand', async () => {
    const guide = guideOf(folderOf(await project.json(['execute', '--jobs', '2'])), shop.url, program(''));
    const [sums, create, , load] = guide.blocks;
    const filledIn = { NEW_DATABASE: fresh(), UNPACKED: join(project.directory, 'by hand').replaceAll(' ', '\\ ') };
    expect(guide.run(sums).match(/: OK$/gm)).toHaveLength(3);
    guide.run(create, filledIn);
    guide.run(load, filledIn);
    expect(await contentOf(databaseUrl(filledIn.NEW_DATABASE))).toBe(content);
    expect(guide.text).toContain('`tar`');
  });

  it.skipIf(onPath('age') === null)('is sealed, proven before it is, and opened by hand', async () => {
    const identity = await generateX25519Identity();
    const key = project.file('age.key', `${identity}\n`);
    const sealed = ['--set', `encryption.recipients=["${await identityToRecipient(identity)}"]`, '--set', `verify.identity=file:${key}`];
    const answer = await project.json(['execute', 'by_two', ...sealed]);
    expect(ending(answer)).toEqual({ exitCode: 0 });
    expect(readdirSync(folderOf(answer))).toContain(`${archive}.age`);
    for (const level of ['archive', 'restore'])
      expect(await project.json(['verify', '--level', level, ...sealed])).toMatchObject({
        exitCode: 0,
        document: { results: [{ ok: true }] },
      });
    const guide = guideOf(folderOf(answer), shop.url, program(''));
    const [, , create, , load] = guide.blocks;
    const filledIn = { NEW_DATABASE: fresh(), KEY: key, UNPACKED: join(project.directory, 'sealed') };
    guide.run(create, filledIn);
    guide.run(load, filledIn);
    expect(await contentOf(databaseUrl(filledIn.NEW_DATABASE))).toBe(content);
  });

  it('gzip is shared among the processes, and none is none', async () => {
    for (const algorithm of ['gzip', 'none']) {
      const answer = await project.json(['execute', 'by_two', '--set', `compression=${algorithm}`]);
      expect(ending(answer)).toEqual({ exitCode: 0 });
      expect(readdirSync(folderOf(answer))).toContain('database.dir.tar');
      expect(await project.json(['verify', '--level', 'archive'])).toMatchObject({ exitCode: 0 });
    }
  });

  it('damage is found', async () => {
    const folder = folderOf(await project.json(['execute', 'by_two', '--set', 'verify.afterBackup=none']));
    const file = join(folder, archive);
    const bytes = readFileSync(file);
    writeFileSync(file, bytes.fill(7, 20_000, 20_100));
    expect(await project.json(['verify', '--level', 'archive'])).toMatchObject({ exitCode: 22, document: { results: [{ ok: false }] } });
    expect(leftBehind()).toEqual([]);
  });
});
