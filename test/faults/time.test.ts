/** faults: time itself. Clock changes, dates that are rare, clocks that are wrong, and numbers that no timer can take. */
import { randomBytes } from 'node:crypto';
import { describe, expect, test } from 'vitest';
import { execute } from '../../src/core/execute.js';
import { uuidv7 } from '../../src/model/id.js';
import { occurrencesOf, slotKey } from '../../src/model/moment/occurrences.js';
import { deadlineOf, dueSlots } from '../../src/model/moment/slots.js';
import { clockChanges, place, wallOf, wallText } from '../../src/model/moment/wall.js';
import { windowState } from '../../src/model/moment/window.js';
import { scheduleSchema } from '../../src/model/settings/settings.js';
import { systemClock } from '../../src/system/clock.js';
import { openLedger } from '../../src/system/ledger/ledger.js';
import { load, problems } from '../config/folder.js';
import { cloneDatabase } from '../fixtures/database.js';
import { byHand } from '../fixtures/lab.js';
import { openRig } from './rig.js';

const minute = 60_000;
const hour = 60 * minute;
const day = 24 * hour;

/** `HH:mm`, so many minutes after midnight; below and above too. */
const clock = (minutes: number): string => new Date((minutes + 1440) * minute).toISOString().slice(11, 16);

interface Case {
  readonly zone: string;
  readonly cron: string;
  readonly window: { readonly start: string; readonly end: string };
  /** The date of the clock change, as a wall time. */
  readonly date: number;
}

/** A schedule at a time that the change skips or repeats, at its edges or inside; the window begins or ends just there. */
function casesOf(zone: string): Case[] {
  const changes = clockChanges(zone, Date.UTC(2007, 0, 1), Date.UTC(2028, 0, 1)).slice(-3);
  const moments = changes.length > 0 ? changes : [{ from: Date.UTC(2026, 2, 29, 2), until: Date.UTC(2026, 2, 29, 3) }];
  return moments.flatMap(({ from, until }) =>
    [from, (from + until) / 2, until - minute].flatMap((wall) => {
      const at = (wall % day) / minute;
      const windows = [
        { start: clock(at - 30), end: clock(at + 60) },
        { start: clock(at), end: clock(at + 90) },
        { start: clock(at - 90), end: clock(at) },
        { start: clock(at), end: clock(at + 10) },
        { start: '00:00', end: '00:00' },
      ];
      return windows.map((window) => ({ zone, cron: `${at % 60} ${Math.floor(at / 60)} * * *`, window, date: wall - (wall % day) }));
    }),
  );
}

/** How often each slot of three nights runs when something asks every minute; slots that were given up are in `lost`. */
function simulate({ zone, cron, window, date }: Case): { runs: Map<string, number>; lost: number } {
  const schedule = scheduleSchema.parse({ cron, timezone: zone });
  const settings = { backupWindow: window, intelligentScheduling: true, timezone: zone };
  const occurrences = occurrencesOf(schedule, zone);
  const runs = new Map<string, number>();
  let lost = 0;
  let waiting: { key: string; from: Date; until: Date } | null = null;
  const begin = place(date - 12 * hour, zone).moment;
  let since = new Date(begin);
  let next = occurrences.next(since);
  const end = place(date + 2.5 * day, zone).moment;
  // the last slot may wait for the window of the night after
  for (let at = begin; at < end + day; at += minute) {
    const now = new Date(at);
    if (next && next <= now && at < end) {
      const plan = dueSlots({ scheduleId: 's', schedule, settings }, since, now);
      lost += plan.missed.length + (waiting && plan.run ? 1 : 0);
      waiting = plan.run && {
        key: plan.run.key,
        from: windowState(window, zone, now).opensAt,
        until: deadlineOf(plan.run.at, { schedule, settings }),
      };
      since = now;
      next = occurrences.next(since);
    }
    if (waiting && now >= waiting.from) {
      runs.set(waiting.key, (runs.get(waiting.key) ?? 0) + 1);
      waiting = null;
    } else if (waiting && now >= waiting.until) {
      lost += 1;
      waiting = null;
    }
  }
  return { runs, lost };
}

const zones = [
  'Europe/Berlin',
  'America/New_York',
  'Australia/Lord_Howe',
  'America/Sao_Paulo',
  'Pacific/Chatham',
  'Africa/Casablanca',
  'America/St_Johns',
  'Asia/Kolkata',
];

test('F3: clock changes of eight zones, windows at their edges: each slot runs once', ({ task }) => {
  const cases = zones.flatMap(casesOf);
  const violations = cases.flatMap((one) => {
    const { runs, lost } = simulate(one);
    const twice = [...runs.values()].filter((times) => times !== 1).length;
    return runs.size === 3 && twice === 0 && lost === 0
      ? []
      : [
          `${one.zone} ${one.cron} in ${one.window.start}-${one.window.end}, ${wallText(one.date)}: ${runs.size} slots, ${twice} doubles, ${lost} lost`,
        ];
  });
  task.meta.score = { row: 'F3', what: 'clock changes, windows at the edge', n: cases.length, violations };
  expect(violations).toEqual([]);
  expect(cases.length).toBeGreaterThanOrEqual(200);
});

/** Ends of months and years, leap days and days that would be, and one of each weekday. */
const dates = [
  ...['01-31', '02-28', '03-31', '04-30', '05-31', '06-30', '07-31', '08-31', '09-30', '10-31', '11-30', '12-31'].map(
    (date) => `2026-${date}`,
  ),
  '2028-02-28',
  '2028-02-29',
  '2028-03-01',
  '2032-02-29',
  '2027-02-28',
  '2027-12-31',
  '2100-02-28',
  '2099-12-31',
  '2026-06-01',
  '2026-06-02',
  '2026-06-03',
  '2026-06-06',
  '2026-06-07',
];

test('F4: a window across midnight, weekday filters, month ends, February 29: a slot belongs to the date it starts on', ({ task }) => {
  const zone = 'Europe/Berlin';
  const settings = { backupWindow: { start: '22:00', end: '03:59' }, intelligentScheduling: true, timezone: zone };
  const kinds = [
    (date: Date) => `30 23 ${date.getUTCDate()} ${date.getUTCMonth() + 1} *`,
    (date: Date) => `0 22 * * ${date.getUTCDay()}`,
    (date: Date) => `59 23 * ${date.getUTCMonth() + 1} ${date.getUTCDay()}`,
    // outside, so that it waits for the evening
    (date: Date) => `0 20 ${date.getUTCDate()} * *`,
  ];
  const cases = dates.flatMap((date) => kinds.map((kind) => [date, kind(new Date(date))] as const));
  const violations = cases.flatMap(([date, cron]) => {
    const schedule = scheduleSchema.parse({ cron, timezone: zone });
    const at = occurrencesOf(schedule, zone).next(new Date(place(Date.parse(date) + 12 * hour, zone).moment));
    if (!at) return [`${date} ${cron}: never`];
    const { opensAt } = windowState(settings.backupWindow, zone, at);
    const deadline = wallText(wallOf(deadlineOf(at, { schedule, settings }).getTime(), zone));
    const tomorrow = new Date(Date.parse(date) + day).toISOString().slice(0, 10);
    const good = slotKey('s', at, zone).startsWith(`s@${date}T2`) && wallText(wallOf(opensAt.getTime(), zone)).startsWith(date) && deadline === `${tomorrow}T04:00`; // prettier-ignore
    return good ? [] : [`${date} ${cron}: ${slotKey('s', at, zone)} until ${deadline}`];
  });
  task.meta.score = { row: 'F4', what: 'windows across midnight, rare dates', n: cases.length, violations };
  expect(violations).toEqual([]);
  expect(cases).toHaveLength(100);
});

describe('F2', () => {
  test.each([
    ['1970-01-01T00:00:00Z', '1970-01-01T01:00:00.000Z'],
    ['2038-01-19T03:14:07Z', '2038-01-20T01:00:00.000Z'],
    ['2099-12-31T23:59:59Z', '2100-01-01T01:00:00.000Z'],
  ])('F2: at %s the next slot is the right one', (now, expected) => {
    const occurrences = occurrencesOf({ cron: '0 2 * * *' }, 'Europe/Berlin');
    const next = occurrences.next(new Date(now));
    expect(next?.toISOString()).toBe(expected);
    expect(occurrences.previous(1, next ?? new Date(0))).toEqual([next]);
  });

  test('F2: the clock says 1970, 2038, 2099: backups are made, their ids differ, retention removes none', async ({ task }) => {
    const database = await cloneDatabase('empty');
    const rig = openRig(database, { settings: { retention: { keepWithin: '30d', minimum: 1 } } });
    try {
      const context = await rig.context();
      const violations: string[] = [];
      for (const now of ['1970-01-01T00:10:00Z', '2038-01-19T03:14:08Z', '2099-12-31T23:59:00Z']) {
        const wrong = { ...systemClock, now: () => new Date(now) };
        const ledger = openLedger(rig.state, { clock: wrong });
        const { events } = await execute({ ...context, clock: wrong, ledger, newId: () => uuidv7(new Date(now), randomBytes(10)) }, byHand);
        if (events[0]?.status !== 'completed') violations.push(`${now}: ${events[0]?.status}: ${events[0]?.result?.error}`);
      }
      const { backups } = await rig.catalog();
      if (new Set(backups.map(({ backupId }) => backupId)).size !== 3) violations.push(`${backups.length} backups are left of 3`);
      task.meta.score = { row: 'F2', what: 'the clock says 1970, 2038, 2099', n: 3, violations };
      expect(violations).toEqual([]);
    } finally {
      rig.cleanup();
      await database.drop();
    }
  });
});

test.each([{ timezone: 'Mars/Olympus' }, { schedules: { s: { cron: '@daily', timezone: 'Europe/Berlín' } } }, { timezone: '' }])(
  'F7: the unknown zone of %j is a configuration error that names it',
  async (file) => {
    const [problem, more] = await problems({ file });
    expect([problem?.key.split('.').at(-1), problem?.expected, more]).toEqual(['timezone', expect.stringContaining('IANA'), undefined]);
  },
);

const beyond = 2 ** 31;
test.each([
  ['retryDelay', beyond],
  ['retryDelay', -1],
  ['retryDelay', 1e308],
  ['retryDelay', 'NaN'],
  ['lockWaitTimeout', beyond],
  ['stallTimeout', beyond],
  ['stallTimeout', 0.5],
  ['maxBlocking', 1e308],
  ['maxBlocking', -5],
  ['schedules.daily-backup.maxWait', beyond],
  ['schedules.daily-backup.maxWait', 0],
  ['schedules.daily-backup.triggers.minimumGap', 1e308],
  ['health.maxAverageQueryTime', 'Infinity'],
  ['alerting.every', -1],
])('F8: %s=%s is refused at load', async (key, value) => {
  const found = await problems({ set: [`${key}=${value}`] });
  expect(found.map((problem) => problem.key)).toEqual([key]);
});

test('F8: what YAML calls no number and infinity is refused too', async () => {
  const { retryDelay } = (await load({ set: ['retryDelay=10080'] })).config;
  // the longest that is taken, in ms, doubled for the last retry, is cut before it reaches a timer
  expect(retryDelay).toBe(10_080);
  for (const value of [Number.NaN, Number.POSITIVE_INFINITY, -Infinity])
    expect((await problems({ file: JSON.stringify({ retryDelay: String(value) }) })).map(({ key }) => key)).toEqual(['retryDelay']);
});
