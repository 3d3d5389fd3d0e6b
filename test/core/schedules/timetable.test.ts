/** core/schedules: what the schedules will do when, on a clock of the test's own and a real ledger. */
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { listSchedules, upcoming, type Plans } from '../../../src/core/schedules/timetable.js';
import { configSchema, type Config } from '../../../src/config/schema.js';
import { systemClock } from '../../../src/system/clock.js';
import { openLocks } from '../../../src/system/files/lock.js';
import { live, temporaryState, type TemporaryState } from '../../fixtures/ledger.js';

let state: TemporaryState;
beforeEach(() => (state = temporaryState()));
afterEach(() => state.remove());

function plansAt(now: string, schedules: object, more: object = {}): Plans {
  const config: Config = configSchema.parse({
    databases: { shop: {}, crm: {} },
    storages: { local: { kind: 'local', path: '/backups' } },
    schedules,
    timezone: 'Europe/Berlin',
    ...more,
  });
  return {
    settings: config,
    schedules: config.schedules,
    databases: Object.keys(config.databases),
    storages: [{ name: 'local' }],
    ledger: state.ledger(),
    locks: openLocks(state.state),
    clock: { ...systemClock, now: () => new Date(now) },
    process: { host: 'here' },
  };
}

describe('schedule next', () => {
  it('merges all schedules in the order of time, across a clock change, which is marked', async () => {
    const plans = plansAt('2026-03-27T12:00Z', {
      night: { cron: '30 2 * * *' },
      weekly: { cron: '0 5 * * 0' },
      off: { cron: '* * * * *', enabled: false },
    });
    const found = await upcoming(plans, { count: 4 });
    expect(found.map(({ scheduleId, local, utc, notes }) => [scheduleId, local, utc, ...notes])).toEqual([
      ['night', '2026-03-28T02:30:00+01:00', '2026-03-28T01:30:00.000Z'],
      ['night', '2026-03-29T03:00:00+02:00', '2026-03-29T01:00:00.000Z', 'clock change: moved behind the hour that is skipped'],
      ['weekly', '2026-03-29T05:00:00+02:00', '2026-03-29T03:00:00.000Z'],
      ['night', '2026-03-30T02:30:00+02:00', '2026-03-30T00:30:00.000Z'],
    ]);
  });

  it('foretells durations by the median of the last runs of each database, and the overlaps that follow', async () => {
    const ledger = state.ledger();
    for (const [k, duration] of [1, 60, 90, 10_000].map((minutes) => minutes * 60_000).entries())
      await live(ledger, k + 1, 'completed', { scheduleId: 'long', result: { success: true, duration, size: 1, backupId: `b${k}` } });
    await live(ledger, 9, 'completed', {
      scheduleId: 'long',
      database: 'crm',
      result: { success: true, duration: 60_000, size: 1, backupId: 'c' },
    });
    await live(ledger, 10, 'completed', {
      scheduleId: 'long',
      database: 'gone',
      result: { success: true, duration: 1e9, size: 1, backupId: 'd' },
    });
    const plans = plansAt('2026-03-02T12:00Z', { long: { cron: '0 2 * * *' }, brief: { cron: '0 3 * * *' }, twin: { cron: '0 3 * * *' } });
    const found = await upcoming(plans, { count: 3 });
    expect(found.map(({ scheduleId, expectedDuration, notes }) => [scheduleId, expectedDuration, notes])).toEqual([
      ['long', 76 * 60_000, []],
      ['brief', null, ['overlaps long, which takes 1h 16m']],
      ['twin', null, ['overlaps long, which takes 1h 16m', 'same minute as brief']],
    ]);
  });

  it('says what lies outside the window: until when it waits, or that it cannot run', async () => {
    const schedules = {
      early: { cron: '30 0 * * *' },
      hasty: { cron: '45 0 * * *', maxWait: 10 },
      often: { cron: '*/20 12 * * *' },
      stubborn: { cron: '50 0 * * *', maxWait: 5, onDeadline: 'run' },
    };
    const plans = plansAt('2026-03-02T12:30Z', schedules);
    const by = async (schedule: string) => (await upcoming(plans, { count: 1, schedule }))[0];
    expect(await by('early')).toMatchObject({
      outlook: 'waits',
      startsAt: '2026-03-03T00:00:00.000Z',
      notes: ['outside the window 01:00 to 06:00, waits until it opens'],
    });
    expect(await by('hasty')).toMatchObject({
      outlook: 'never',
      startsAt: null,
      notes: [expect.stringMatching(/^cannot run: .*maxWait of 10 minutes$/)],
    });
    expect(await by('often')).toMatchObject({ outlook: 'never', notes: [expect.stringMatching(/its next time comes before/)] });
    expect(await by('stubborn')).toMatchObject({ outlook: 'waits', startsAt: '2026-03-02T23:55:00.000Z' });
    const impatient = plansAt('2026-03-02T12:30Z', schedules, { intelligentScheduling: false });
    expect((await upcoming(impatient, { count: 1, schedule: 'early' }))[0]).toMatchObject({ outlook: 'never' });
  });

  it('names the nearest of a schedule that there is not, and has nothing where all is off', async () => {
    await expect(
      upcoming(plansAt('2026-03-02T12:00Z', { daily: { cron: '@daily' } }), { count: 1, schedule: 'dayli' }),
    ).rejects.toMatchObject({
      code: 'not-found',
      hint: 'did you mean daily?',
    });
    expect(await upcoming(plansAt('2026-03-02T12:00Z', { daily: { cron: '@daily' } }, { enabled: false }), { count: 1 })).toEqual([]);
  });
});

describe('schedule list', () => {
  it('tells of each schedule what it is, does and did', async () => {
    await live(state.ledger(), 1, 'completed', { scheduleId: 'month-end' });
    await live(state.ledger(), 2, 'failed', { scheduleId: 'month-end' });
    const rule = 'FREQ=MONTHLY;BYDAY=MO,TU,WE,TH,FR;BYSETPOS=-1';
    const rows = await listSchedules(
      plansAt('2026-03-02T12:00Z', {
        'month-end': {
          calendar: { rule, at: '04:30' },
          blackout: ['12-24/12-31'],
          databases: ['shop'],
          retention: { keepMonthly: 12 },
          timezone: 'Asia/Kolkata',
        },
        off: { cron: '0 2 * * 1-5', enabled: false },
      }),
    );
    expect(rows).toMatchObject([
      {
        id: 'month-end',
        enabled: true,
        when: 'last working day of the month at 04:30; not on 12-24/12-31',
        zone: 'Asia/Kolkata',
        databases: ['shop'],
        storages: ['local'],
        retention: { keepMonthly: 12 },
        next: { local: '2026-03-31T04:30:00+05:30', utc: '2026-03-30T23:00:00.000Z' },
        lastRun: { status: 'failed', database: 'shop' },
        expectedDuration: 1001,
      },
      { id: 'off', enabled: false, when: 'Monday to Friday at 02:00', databases: ['shop', 'crm'], next: null, lastRun: null },
    ]);
  });
});
