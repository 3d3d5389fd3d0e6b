/** explain: why a schedule runs or does not, on a real database and ledger; it writes nothing. */
import { execFileSync } from 'node:child_process';
import { mkdirSync, rmSync, utimesSync, writeFileSync } from 'node:fs';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Explanation } from '../../src/core/schedules/explain.js';
import { openLedger } from '../../src/system/ledger/ledger.js';
import { systemClock } from '../../src/system/clock.js';
import { cloneDatabase, type TestDatabase } from '../fixtures/database.js';
import { lab, type Lab } from '../fixtures/lab.js';

let shop: TestDatabase;
let project: Lab;
beforeAll(async () => {
  shop = await cloneDatabase('shop');
  project = lab(
    { shop: { url: 'env:SHOP' }, down: { url: 'env:DOWN' } },
    {
      timezone: 'Europe/Berlin',
      schedules: {
        daily: { cron: '30 2 * * *', databases: ['shop'], blackout: ['12-24/12-26'] },
        off: { cron: '@daily', enabled: false },
        dead: { cron: '@daily', databases: ['down'] },
        changes: { databases: ['shop'], triggers: { walGB: 2, changedRows: 1_000_000, file: './deployed' }, skipIfUnchanged: true },
      },
    },
  );
});
afterAll(async () => {
  project.cleanup();
  await shop.drop();
});

const state = () => `${project.directory}/.backup-automation`;
/** Every file with its size and time of change. */
const files = () => execFileSync('find', [project.directory, '-not', '-path', '*/home*', '-printf', '%p %s %T@\n'], { encoding: 'utf8' });

async function explain(...args: string[]): Promise<Explanation> {
  const env = { SHOP: shop.url, DOWN: 'postgresql://x@127.0.0.1:1/x' };
  const { exitCode, document } = await project.json(['explain', ...args], { env });
  expect(exitCode).toBe(0);
  // the document as src/core/schedules/explain.ts describes it
  return document as unknown as Explanation;
}
const condition = ({ conditions }: Explanation, name: string) => conditions.find((one) => one.name === name);

describe('now', () => {
  it('says what the triggers wait for, and whether a run would store anything', async () => {
    expect((await explain('changes')).notes).toEqual([
      'it has no times of its own: its triggers start it',
      'shop: a trigger starts it: there is no backup of this schedule yet',
      expect.stringMatching(/^shop: a run would store a backup: .*skipIfUnchanged/),
    ]);
    const made = await project.run(['execute', 'changes', '--force'], { env: { SHOP: shop.url } });
    expect(made.exitCode).toBe(0);
    expect((await explain('changes')).notes[1]).toMatch(
      /^shop: its triggers wait for 2 GB of WAL \([\d.]+ .?B so far\), or 1000000 changed rows \(\d+ so far\), or a touch of .*deployed \(there is no such file\)$/,
    );
  });

  it('says how many slots nobody saw since the last start of what is due', async () => {
    const ticks = `${state()}/ticks`;
    const old = new Date(Date.now() - 3 * 86_400_000);
    mkdirSync(state(), { recursive: true });
    writeFileSync(ticks, '');
    utimesSync(ticks, old, old);
    expect((await explain('daily')).notes.join()).toMatch(
      /nothing has started `execute --due` since .* UTC, and [23] slots have come meanwhile/,
    );
    rmSync(ticks);
    expect((await explain('daily')).notes).toEqual([]);
  });

  it('measures every condition of every database, and writes nothing', async () => {
    const before = files();
    const found = await explain('daily');
    expect(found).toMatchObject({ scheduleId: 'daily', verdict: 'ready', when: 'now', zone: 'Europe/Berlin', pending: [], events: [] });
    expect(found.conditions.map(({ name }) => name)).toEqual([
      'enabled',
      'window',
      'blackout',
      'concurrency',
      'load',
      'disk',
      'overlap',
      'health',
    ]);
    expect(condition(found, 'load')).toMatchObject({ database: 'shop', value: expect.any(Number) as number, limit: 80, met: true });
    expect(found.next?.utc).toMatch(/^\d{4}-\d\d-\d\dT0[01]:30:00\.000Z$/);
    expect(files()).toBe(before);
  });

  it('says that it is off, and which server does not answer', async () => {
    expect(await explain('off')).toMatchObject({ verdict: 'off', next: null });
    const dead = await explain('dead');
    expect(dead.verdict).toBe('not-now');
    expect(condition(dead, 'database')).toMatchObject({
      database: 'down',
      met: false,
      detail: expect.stringContaining('127.0.0.1:1') as string,
    });
  });

  it('names the condition that does not hold', async () => {
    const found = await explain('daily', '--set', 'conditions.maxDatabaseLoad=0');
    expect(found).toMatchObject({ verdict: 'not-now', summary: 'a backup would not start now: load' });
    expect(condition(found, 'load')).toMatchObject({ limit: 0, met: false });
  });
});

describe('in the past', () => {
  it('tells what was measured then and why, also when the listings were cleared', async () => {
    const env = { SHOP: shop.url };
    const failed = await project.json(['execute', 'daily', '--set', 'conditions.maxDatabaseLoad=0'], { env });
    expect(failed.exitCode).toBe(75);
    const at = failed.document.events[0]?.timestamp ?? '';
    await project.json(['events', 'clear'], { env });
    const found = await explain('daily', '--at', at);
    expect(found).toMatchObject({ verdict: 'cancelled', when: 'past', events: [{ id: failed.document.events[0]?.id }] });
    expect(found.summary).toMatch(/^it was cancelled: load: \d+ of \d+ connections/);
    expect(found.notes.join()).toMatch(/cleared from the listings at .* by cli:/);
    expect(condition(found, 'load')).toMatchObject({ database: 'shop', met: false, value: expect.any(Number) as number });
    expect(condition(found, 'disk')).toMatchObject({ met: true });
  });

  it('knows slots that were missed, and moments without any', async () => {
    const ledger = openLedger(state(), { clock: systemClock });
    const missed = { record: 'missed', scheduleId: 'daily', database: 'shop', count: 12, firstSlot: 'a', lastSlot: 'b' } as const;
    await ledger.appendFact({ ...missed, from: '2026-02-01T01:30:00.000Z', until: '2026-02-12T01:30:00.000Z' });
    const found = await explain('daily', '--at', '2026-02-05 02:30');
    expect(found).toMatchObject({
      verdict: 'missed',
      slot: { utc: '2026-02-05T01:30:00.000Z', key: 'daily@2026-02-05T02:30[Europe/Berlin]' },
    });
    expect(found.summary).toContain('12 slots');
    expect(await explain('daily', '--at', '2026-01-05')).toMatchObject({ verdict: 'nothing', events: [] });
  });
});

describe('in the future', () => {
  it('looks at the clock alone: slots, blackout, clock changes', async () => {
    expect(await explain('daily', '--at', '2099-01-05 02:30')).toMatchObject({
      verdict: 'runs',
      slot: { utc: '2099-01-05T01:30:00.000Z' },
    });
    expect(await explain('daily', '--at', '2099-01-05 02:31')).toMatchObject({
      verdict: 'nothing',
      slot: null,
      next: { utc: '2099-01-06T01:30:00.000Z' },
    });
    const christmas = await explain('daily', '--at', '2098-12-24 02:30');
    expect(christmas).toMatchObject({ verdict: 'nothing', next: { utc: '2098-12-27T01:30:00.000Z' } });
    expect(condition(christmas, 'blackout')).toMatchObject({ value: '2098-12-24', limit: '12-24/12-26', met: false });
    // the last Sunday of March
    expect((await explain('daily', '--at', '2098-03-30 03:00')).notes.join()).toContain('the clock changes about then');
  });
});

it('refuses a schedule that there is not with the nearest, and a time that is none', async () => {
  const unknown = await project.json(['explain', 'dayli']);
  expect([unknown.exitCode, unknown.document.error]).toMatchObject([
    2,
    { code: 'not-found', hint: expect.stringContaining('daily') as string },
  ]);
  const noTime = await project.json(['explain', 'daily', '--at', 'soon']);
  expect([noTime.exitCode, noTime.document.error.code]).toEqual([2, 'usage']);
});
