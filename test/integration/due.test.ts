/**
 * test: `execute --due`, which runs the retries that earlier processes left.
 */
import { existsSync, mkdirSync, readFileSync, rmSync, statSync, utimesSync, writeFileSync } from 'node:fs';
import { cp } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { cloneDatabase, type TestDatabase } from '../fixtures/database.js';
import { count } from '../fixtures/counts.js';
import { inProcess, lab, type Lab } from '../fixtures/lab.js';
import { executeDue } from '../../src/core/due.js';
import { timingOf } from '../../src/model/moment/slots.js';
import type { Schedule } from '../../src/model/settings/settings.js';

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
  it('with nothing due and no schedule writes no record; a configuration that is wrong is told at once', async () => {
    const project = lab(entries());
    const due = () => project.json(['execute', '--due'], withServer(project));
    const { exitCode, document } = await due();
    expect({ exitCode, events: document.events }).toEqual({ exitCode: 0, events: [] });
    expect(existsSync(join(project.directory, '.backup-automation/ledger'))).toBe(false);
    expect((await project.json(['execute', '--due', '--set', 'maxRetries=many'])).exitCode).toBe(10);
    project.cleanup();
  });

  it('C1: the server is back in time: runs a retry whose time has come, once', async () => {
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

  it('C1: the server stays away: gives up after the last retry', async () => {
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

const every = { cron: '0 0 * * *' };
/** As if `execute --due` had last accounted for a schedule's slots so many ms ago. */
async function seen(project: Lab, scheduleId: string, ago: number): Promise<void> {
  const context = await inProcess(project);
  const schedule = context.schedules[scheduleId];
  if (!schedule) throw new Error(`no schedule ${scheduleId}`);
  const until = new Date(Date.now() - ago).toISOString();
  const timing = timingOf({ schedule, settings: context.settings });
  await context.ledger.appendFact({ record: 'schedule', scheduleId, timing, until });
}

describe('slots', () => {
  const day = 86_400_000;

  it('of a schedule are due from when it was first seen', async () => {
    const project = lab(entries(), { schedules: { daily: every }, timezone: 'UTC' });
    expect((await project.json(['execute', '--due'], withServer(project))).document.events).toEqual([]);
    expect(readFileSync(join(project.directory, '.backup-automation/ledger/events-000001.jsonl'), 'utf8')).toContain('"record":"schedule"');
    project.cleanup();
  });

  it('E2: processes that fire at the same second run one slot once', { timeout: 600_000 }, async ({ task }) => {
    const processes = count(6, 50);
    const violations: string[] = [];
    const rounds = count(2, 20);
    for (let round = 0; round < rounds; round += 1) {
      const project = lab(entries(), { schedules: { daily: every }, timezone: 'UTC', fingerprint: 'none' });
      await seen(project, 'daily', day);
      const answers = await Promise.all(
        Array.from({ length: processes }, () => project.json(['execute', '--due', '--quiet'], withServer(project))),
      );
      const ran = answers.flatMap(({ document }) => document.events ?? []).filter(({ status }) => status === 'completed');
      const listed = (await project.json(['events'])).document.events;
      const stored = (await project.json(['backups'])).document.backups;
      if (ran.length !== 1 || listed.length !== 1 || stored.length !== 1)
        violations.push(`round ${round}: ${ran.length} ran, ${listed.length} events, ${stored.length} backups`);
      project.cleanup();
    }
    task.meta.score = { row: 'E2', what: `${processes} processes of one slot at the same second`, n: rounds, violations };
    expect(violations).toEqual([]);
  });

  it('F5: after three days down the newest is caught up, and the others are missed, each once', async () => {
    const heard = { ops: { kind: 'command', command: ['sh', '-c', 'cat >>heard; echo >>heard'] } };
    const project = lab(entries(), { schedules: { daily: every }, timezone: 'UTC', alerts: heard });
    await seen(project, 'daily', 3 * day);
    const { document } = await project.json(['execute', '--due'], withServer(project));
    expect(document.events.map(({ status }) => status)).toEqual(['cancelled', 'cancelled', 'completed']);
    expect(document.events[0]?.reasons).toEqual([expect.stringMatching(/^missed: /)]);
    expect((await project.json(['execute', '--due'], withServer(project))).document.events).toEqual([]);
    expect(new Set(document.events.map(({ slot }) => slot)).size).toBe(3);
    const alerts = readFileSync(join(project.directory, 'heard'), 'utf8').split('\n').filter(Boolean);
    // one for both, and one that it is over
    expect(alerts.map((alert) => /"subject":"(\w+)/.exec(alert)?.[1])).toEqual(['MISSED', 'RECOVERED']);
    project.cleanup();
  });

  it('of two hosts with one storage are backed up by one of them', async () => {
    const project = lab(entries(), { schedules: { daily: every }, timezone: 'UTC' });
    await seen(project, 'daily', day);
    await project.json(['execute', '--due'], withServer(project));
    const state = `stateDirectory=${join(project.directory, 'second')}`;
    const second = ['--set', state];
    await project.json(['execute', '--due', ...second], withServer(project));
    const other = await inProcess(project, [state]);
    const timing = timingOf({ schedule: other.schedules['daily'] as Schedule, settings: other.settings });
    await other.ledger.appendFact({ record: 'schedule', scheduleId: 'daily', timing, until: new Date(Date.now() - day).toISOString() });
    await cp(join(project.directory, '.backup-automation/storages'), join(project.directory, 'second/storages'), { recursive: true });
    const { document } = await project.json(['execute', '--due', ...second], withServer(project));
    expect(document.events).toMatchObject([{ status: 'cancelled', reasons: [expect.stringMatching(/^duplicate: /)] }]);
    expect((await project.json(['backups'])).document.backups).toHaveLength(1);
    project.cleanup();
  });

  it('whose conditions do not hold wait, say once why, and run when they do', async () => {
    const project = lab(entries(), { schedules: { daily: every }, timezone: 'UTC' });
    await seen(project, 'daily', day);
    const impossible = ['--set', 'conditions.minDiskSpace=100000000'];
    for (let look = 0; look < 3; look += 1) {
      const { exitCode, document } = await project.json(['execute', '--due', ...impossible], withServer(project));
      expect({ exitCode, events: document.events }).toMatchObject({ exitCode: 0, events: [{ status: 'pending' }] });
    }
    const silent = await project.run(['execute', '--due', '--quiet', ...impossible], withServer(project));
    expect(silent).toMatchObject({ exitCode: 0, stdout: '', stderr: '' });
    const other = ['--set', 'conditions.maxDatabaseLoad=0', '--set', 'conditions.minDiskSpace=0'];
    const news = await project.run(['execute', '--due', '--quiet', ...other], withServer(project));
    expect(news).toMatchObject({ exitCode: 0, stdout: expect.stringMatching(/shop +pending .*load: /) as string, stderr: '' });
    const [waiting] = (await project.json(['events'])).document.events;
    const shown = await project.json(['events', 'show', waiting?.id ?? '']);
    expect(shown.document['records']).toHaveLength(3);
    expect(waiting?.reasons).toEqual([expect.stringContaining('maxDatabaseLoad')]);
    expect((await project.json(['execute', '--due'], withServer(project))).document.events).toMatchObject([{ status: 'completed' }]);
    project.cleanup();
  });
});

describe('nothing due', () => {
  const quiet = { schedules: { yearly: { cron: '0 2 1 1 *' } }, timezone: 'UTC' };
  const note = (project: Lab) => join(project.directory, '.backup-automation/due.json');
  /** Whether the run looked for itself: then it wrote the note anew. */
  async function looked(project: Lab, args: readonly string[] = [], options: { env?: Record<string, string> } = {}): Promise<boolean> {
    const before = statSync(note(project), { throwIfNoEntry: false })?.ino;
    expect(await project.run(['execute', '--due', ...args], options)).toMatchObject({ exitCode: 0 });
    return statSync(note(project)).ino !== before;
  }

  it('is remembered until anything changes that it follows from', async () => {
    const project = lab(entries(), quiet);
    expect(await looked(project)).toBe(true);
    expect(await looked(project)).toBe(false);
    expect(await looked(project, ['--set', 'maxRetries=2'])).toBe(true);
    expect(await looked(project)).toBe(true);
    expect(await looked(project)).toBe(false);
    // the configuration, the environment, the ledger, an event that somebody works on
    utimesSync(join(project.directory, 'backup-automation.config.json'), 1, 1);
    expect(await looked(project)).toBe(true);
    expect(await looked(project, [], { env: { DB_BACKUP_MAX_RETRIES: '5' } })).toBe(true);
    expect(await looked(project)).toBe(true);
    await project.json(['events', 'clear']);
    expect(await looked(project)).toBe(true);
    expect(await looked(project)).toBe(false);
    mkdirSync(join(project.directory, '.backup-automation/run'), { recursive: true, mode: 0o700 });
    expect(await looked(project)).toBe(true);
    writeFileSync(note(project), 'garbage');
    expect(await looked(project)).toBe(true);
    rmSync(note(project));
    expect(await looked(project)).toBe(true);
    project.cleanup();
  });

  it('is not remembered past the next slot, nor from before the clock was set back', async () => {
    const project = lab(entries(), quiet);
    const context = await inProcess(project);
    const { dueMemory } = context;
    await executeDue(context);
    expect(dueMemory.isQuiet(new Date())).toBe(true);
    expect(dueMemory.isQuiet(new Date(Date.now() - 3_600_000))).toBe(false);
    expect(dueMemory.isQuiet(new Date(Date.now() + 3_600_000))).toBe(false);
    project.cleanup();
  });
});
