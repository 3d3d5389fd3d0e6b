/**
 * test: `execute --due`, which runs the retries that earlier processes left.
 */
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { cloneDatabase, type TestDatabase } from '../fixtures/database.js';
import { lab, type Lab } from '../fixtures/lab.js';

const away = 'postgresql://127.0.0.1:1/shop';
let shop: TestDatabase;
let other: TestDatabase;

beforeAll(async () => {
  shop = await cloneDatabase('empty');
  other = await cloneDatabase('empty');
});
afterAll(async () => {
  await shop.drop();
  await other.drop();
});

const entries = (more: object = {}) => ({ shop: { url: 'env:DATABASE_URL' }, ...more });
const withServer = (project: Lab, url = shop.url) => ({ env: { ...project.env, DATABASE_URL: url } });

describe('execute --due', () => {
  it('with nothing due writes nothing, and needs no configuration that is right', async () => {
    const project = lab({});
    const { exitCode, document } = await project.json(['execute', '--due', '--set', 'maxRetries=many']);
    expect({ exitCode, events: document.events }).toEqual({ exitCode: 0, events: [] });
    expect(existsSync(join(project.directory, '.backup-automation'))).toBe(false);
    project.cleanup();
  });

  it('runs a retry whose time has come, once', async () => {
    const project = lab(entries(), { retryDelay: 0 });
    const first = await project.json(['execute', '--force'], withServer(project, away));
    expect(first.exitCode).toBe(20);
    const due = await Promise.all([1, 2, 3].map(() => project.json(['execute', '--due'], withServer(project))));
    const done = due.flatMap(({ document }) => document.events ?? []).filter(({ status }) => status === 'completed');
    const [original] = first.document.events;
    expect(done).toMatchObject([{ type: 'retry', attempt: 2, retryOf: original?.id, passBy: original?.passBy }]);
    expect((await project.json(['backups'], withServer(project))).document.backups).toHaveLength(1);
    expect((await project.json(['execute', '--due'], withServer(project))).document.events).toEqual([]);
    project.cleanup();
  });

  it('leaves a retry alone before its time', async () => {
    const project = lab(entries(), { retryDelay: 30 });
    await project.json(['execute'], withServer(project, away));
    expect((await project.json(['execute', '--due'], withServer(project))).document.events).toEqual([]);
    project.cleanup();
  });

  it('gives up after the last retry', async () => {
    const project = lab(entries(), { retryDelay: 0, maxRetries: 2 });
    await project.json(['execute'], withServer(project, away));
    for (const attempt of [2, 3])
      expect((await project.json(['execute', '--due'], withServer(project, away))).document.events).toMatchObject([
        { attempt, status: 'failed' },
      ]);
    expect((await project.json(['execute', '--due'], withServer(project, away))).document.events).toEqual([]);
    project.cleanup();
  });

  it('a cluster whose server was away gets an event for each of its databases', async () => {
    const url = new URL(shop.url);
    const server = { host: url.searchParams.get('host'), port: Number(url.searchParams.get('port')), user: url.searchParams.get('user') };
    const cluster = { ...server, databases: [shop.name, other.name] };
    const project = lab({ cluster: { ...cluster, port: 1 } }, { retryDelay: 0 });
    expect((await project.json(['execute'])).document.events).toMatchObject([{ database: 'cluster', status: 'failed' }]);
    const { document } = await project.json(['execute', '--due', '--set', `databases=${JSON.stringify({ cluster })}`]);
    expect(document.events.map(({ status, type }) => [status, type])).toEqual([
      ['completed', 'retry'],
      ['completed', 'retry'],
    ]);
    expect((await project.json(['events', '--status', 'pending'])).document.events).toEqual([]);
    project.cleanup();
  });

  it('a retry of what is no longer configured fails for good', async () => {
    const project = lab(entries(), { retryDelay: 0 });
    await project.json(['execute'], withServer(project, away));
    const { exitCode, document } = await project.json([
      'execute',
      '--due',
      '--set',
      `databases=${JSON.stringify({ other: { url: shop.url } })}`,
    ]);
    expect({ exitCode, statuses: document.events.map(({ status }) => status) }).toEqual({ exitCode: 2, statuses: ['failed'] });
    expect((await project.json(['events', '--status', 'pending'])).document.events).toEqual([]);
    project.cleanup();
  });
});
