/**
 * test: scheduled proofs: done when overdue, once, and not again every minute when they fail.
 */
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import type { Context } from '../../../src/core/context.js';
import { verifyOverdue as overdue } from '../../../src/core/due/verifications.js';
import { execute } from '../../../src/core/execute.js';
import type { VerificationRecord } from '../../../src/model/events/ledger.js';
import { fakeEngine, yields } from '../../fakes/engine.js';
import { byHand, inProcess, lab, type Lab } from '../../fixtures/lab.js';

let project: Lab;
let context: Context;
const later = (hours: number): Context => ({
  ...context,
  clock: { ...context.clock, now: () => new Date(Date.now() + hours * 3_600_000) },
});

beforeEach(async () => {
  const schedules = { nightly: { cron: '0 2 * * *', verify: { level: 'checksum', everyDays: 2 } } };
  project = lab({ shop: { host: 'nowhere.invalid' } }, { schedules, compression: 'none', verify: { afterBackup: 'none' } });
  context = { ...(await inProcess(project)), engine: fakeEngine(yields(() => [Buffer.from('rows')])) };
  expect((await execute(context, { ...byHand, type: 'scheduled', scheduleId: 'nightly' })).failure).toBeNull();
});
afterEach(() => project.cleanup());

const verifyOverdue = async (given: Context) => (await overdue(given)).failure;

const facts = async (): Promise<VerificationRecord[]> => {
  const found: VerificationRecord[] = [];
  for await (const { record } of context.ledger.read()) if (record.record === 'verification') found.push(record);
  return found;
};

test('the newest backup is proven once, and again after so many days', async () => {
  expect(await verifyOverdue(context)).toBeNull();
  expect(await verifyOverdue(context)).toBeNull();
  expect(await facts()).toMatchObject([{ level: 'checksum', ok: true }]);
  expect(await verifyOverdue(later(47))).toBeNull();
  expect(await facts()).toHaveLength(1);
  expect(await verifyOverdue(later(49))).toBeNull();
  expect(await facts()).toHaveLength(2);
});

test('a bad one is exit 22, and looked at again the next day, not the next minute', async () => {
  const { events } = await execute(context, { ...byHand, type: 'scheduled', scheduleId: 'nightly' });
  const file = join(project.backups, 'shop', events[0]?.id ?? '', 'database.dump');
  const bytes = readFileSync(file);
  writeFileSync(file, 'xows');
  expect(await verifyOverdue(context)).toMatchObject({ exit: 22, message: expect.stringContaining(events[0]?.id ?? '') as string });
  expect(await verifyOverdue(later(23))).toBeNull();
  expect(await facts()).toHaveLength(1);
  writeFileSync(file, bytes);
  expect(await verifyOverdue(later(25))).toBeNull();
  expect((await facts()).map(({ ok }) => ok)).toEqual([false, true]);
});

test('what could not be done is undone, not bad, and tried again after a while', async () => {
  const restoring = {
    ...context,
    schedules: { nightly: { ...context.schedules['nightly'], verify: { level: 'restore', everyDays: 2 } } },
  } as Context;
  const none: Context = { ...restoring, openScratch: async () => Promise.reject(new Error('no server here')) };
  const failed = await verifyOverdue(none);
  expect(failed?.message).toContain('no server here');
  expect(await verifyOverdue(none)).toBeNull();
  expect(await facts()).toMatchObject([{ ok: false, undone: true }]);
});

test('what was looked at is told, and what could not be', async () => {
  expect(await overdue(context)).toMatchObject({ done: [{ database: 'shop', level: 'checksum', ok: true }], failure: null });
  expect(await overdue(context)).toEqual({ done: [], failure: null });
  const none: Context = {
    ...later(49),
    schedules: { nightly: { ...context.schedules['nightly'], verify: { level: 'restore', everyDays: 2 } } } as Context['schedules'],
    openScratch: async () => Promise.reject(new Error('no server here')),
  };
  expect(await overdue(none)).toMatchObject({
    done: [{ level: 'restore', ok: false, undone: true, detail: expect.stringContaining('no server here') as string }],
  });
});

test('another process that verifies is left to it', async () => {
  const held = await context.locks.claimEvent('scheduled-verification');
  expect(await verifyOverdue(context)).toBeNull();
  expect(await facts()).toEqual([]);
  held?.retire();
});
