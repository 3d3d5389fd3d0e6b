/**
 * test: the package as a library, as it is built: what its `exports` promise works without the command line.
 */
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { expect, it } from 'vitest';
import type * as Library from '../src/index.js';
import { alwaysOpen, temporaryProject } from './fixtures/cli.js';
import { cloneDatabase } from './fixtures/database.js';

it('backs up, lists and proves from another program', async () => {
  const library = (await import(pathToFileURL(join(import.meta.dirname, '../dist/index.js')).href)) as typeof Library;
  const database = await cloneDatabase('empty');
  const project = temporaryProject();
  const config = project.file('backup-automation.config.json', { ...alwaysOpen, databases: { shop: { url: database.url } } });
  const heard: string[] = [];
  const { context } = await library.makeContext({ config, set: [] }, (progress) => heard.push(progress.kind));
  const request = { type: 'manual', trigger: 'library', passBy: [], wait: null } as const;
  const { events, failure } = await library.execute(context, request);
  expect({ failure, statuses: events.map(({ status }) => status) }).toEqual({ failure: null, statuses: ['completed'] });
  expect(heard).toContain('event');
  const backup = await library.findBackup(context, 'latest');
  expect(await library.verifyBackup(context, backup, 'archive')).toMatchObject({ ok: true, backupId: events[0]?.id });
  await expect(library.findBackup(context, 'no-such')).rejects.toThrow(/there is no backup/);
  project.cleanup();
  await database.drop();
});
