/**
 * test: archives that pg_dump compressed itself: proven, sealed, restored by us and by hand, and by nobody who is too old for them.
 */
import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { generateX25519Identity, identityToRecipient } from 'age-encryption';
import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest';
import type { Backup } from '../../src/model/backup/backup.js';
import type { Cluster } from '../../src/system/postgres/cluster.js';
import { onPath } from '../../src/system/files/path.js';
import { sql } from '../fixtures/database.js';
import { guideOf } from '../fixtures/guide.js';
import { contentOf, ending, lab, type Lab } from '../fixtures/lab.js';
import { newerPrograms, noNewer, startNewer } from '../fixtures/newer.js';

describe.skipIf(noNewer)(`pg_dump's own zstd${noNewer ? `: ${noNewer}` : ''}`, () => {
  const programs = newerPrograms?.directory ?? '';
  let server: Cluster;
  let project: Lab;
  let content: string;
  const newest = async (): Promise<Backup> => {
    const { document } = await project.json(['backups']);
    const [backup] = document.backups;
    if (!backup) throw new Error('no backup');
    return backup;
  };
  const folder = async () => join(project.backups, 'shop', (await newest()).backupId);
  beforeAll(async () => {
    server = await startNewer();
    content = await contentOf(server.url('shop'));
    project = lab({ shop: { url: server.url('shop') } }, { clientDirectory: programs });
  });
  afterAll(async () => {
    project.cleanup();
    await server.stop();
  });

  it('leaves no codec behind it, and the archive is proven before the commit and by a restore', async () => {
    expect(ending(await project.json(['execute']))).toEqual({ exitCode: 0 });
    expect(readdirSync(await folder()).toSorted()).toEqual(['RESTORE.md', 'database.dump', 'details.json', 'globals.sql', 'manifest.json']);
    expect((await newest()).proven).toMatchObject({ level: 'archive' });
    for (const level of ['archive', 'restore'])
      expect(await project.json(['verify', '--level', level])).toMatchObject({ exitCode: 0, document: { results: [{ ok: true }] } });
    const small = (await newest()).size;
    expect(ending(await project.json(['execute', '--set', 'compression=none']))).toEqual({ exitCode: 0 });
    expect(small).toBeLessThan((await newest()).size / 2);
    expect((await project.json(['backups', 'diff', 'latest', 'latest'])).exitCode).toBe(0);
  });

  it.each([[[]], [['--jobs', '2']], [['--table', 'orders', '--table', 'customers']]])('is restored %j', async (more) => {
    const name = `back_${more.length}`;
    expect(ending(await project.json(['execute']))).toEqual({ exitCode: 0 });
    expect(ending(await project.json(['restore', 'latest', '--to', server.url(name), '--create', ...more]))).toEqual({ exitCode: 0 });
    if (more.length < 4) expect(await contentOf(server.url(name))).toBe(content);
  });

  it('RESTORE.md restores it by hand', async () => {
    const guide = guideOf(await folder(), server.url('shop'), programs);
    const name = 'by_hand';
    const [sums, create, globals, load] = guide.blocks;
    expect(guide.run(sums).match(/: OK$/gm)).toHaveLength(3);
    guide.run(create, { NEW_DATABASE: name });
    expect(guide.run(globals?.replace('less', 'cat'))).toContain('CREATE ROLE shop_app');
    guide.run(load, { NEW_DATABASE: name });
    expect(await contentOf(server.url(name))).toBe(content);
  });

  it.skipIf((newerPrograms?.major ?? 0) <= inject('postgres').major)('an older client is not set to it', async () => {
    const before = await newest();
    const older = ['--set', `clientDirectory=${inject('postgres').binDirectory}`];
    expect(await project.json(['restore', 'latest', '--to', server.url('nowhere'), '--create', ...older])).toMatchObject({
      exitCode: 20,
      document: { error: { code: 'client-too-old', message: expect.stringContaining('the archive was written by pg_dump') } },
    });
    expect(await project.json(['verify', '--level', 'archive', ...older])).toMatchObject({
      exitCode: 20,
      document: { error: { code: 'client-too-old' } },
    });
    expect(await newest()).toEqual(before);
    expect(await sql(server.url('postgres'), "SELECT count(*) FROM pg_database WHERE datname = 'nowhere'")).toBe('0');
  });

  it.skipIf(onPath('age') === null)('is sealed, and proven before it is', async () => {
    const identity = await generateX25519Identity();
    const key = project.file('age.key', `${identity}\n`);
    const recipient = await identityToRecipient(identity);
    const sealed = ['--set', `encryption.recipients=["${recipient}"]`, '--set', `verify.identity=file:${key}`];
    expect(ending(await project.json(['execute', ...sealed]))).toEqual({ exitCode: 0 });
    expect(readdirSync(await folder())).toContain('database.dump.age');
    expect((await newest()).proven).toMatchObject({ level: 'archive' });
    expect(await project.json(['verify', '--level', 'restore', ...sealed])).toMatchObject({ exitCode: 0 });
    const guide = guideOf(await folder(), server.url('shop'), programs);
    const name = 'by_hand_sealed';
    const [, , create, , load] = guide.blocks;
    guide.run(create, { NEW_DATABASE: name });
    guide.run(load, { NEW_DATABASE: name, KEY: key });
    expect(await contentOf(server.url(name))).toBe(content);
  });
});
