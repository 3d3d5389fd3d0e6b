/** test: what is said of the thing that starts us every minute. */
import { describe, expect, test } from 'vitest';
import { adviseScheduler, judgeScheduler, type SchedulerFacts } from '../../../src/model/health/scheduler.js';

const now = new Date('2026-03-03T12:00:00Z');
const minutesAgo = (minutes: number) => new Date(now.getTime() - minutes * 60_000);
const entry = { kind: 'cron', place: 'the crontab of dba', sha256: 'a', problem: null };
const good: SchedulerFacts = {
  now,
  remembered: { kind: 'cron', sha256: 'a' },
  found: [entry],
  ticks: { last: minutesAgo(1), gaps: [] },
  needed: true,
};
const statusOf = (change: Partial<SchedulerFacts>) => judgeScheduler({ ...good, ...change })[0]?.status;

describe('the scheduler', () => {
  test.each<[string, string, Partial<SchedulerFacts>]>([
    ['is as it was written and starts us', 'healthy', {}],
    ['was written a moment ago', 'healthy', { ticks: { last: null, gaps: [] } }],
    ['is something of the user', 'healthy', { remembered: null, found: [] }],
    ['is not there, and never was', 'healthy', { remembered: null, found: [], ticks: { last: null, gaps: [] } }],
    ['was edited', 'warning', { found: [{ ...entry, sha256: 'b' }] }],
    ['was something of the user, which has ended', 'warning', { remembered: null, found: [], ticks: { last: minutesAgo(60), gaps: [] } }],
    ['vanished', 'critical', { found: [] }],
    ['has a daemon that is stopped', 'critical', { found: [{ ...entry, problem: 'no cron daemon is running' }] }],
    ['starts nothing any more', 'critical', { ticks: { last: minutesAgo(6), gaps: [] } }],
  ])('that %s is %s', (_what, status, change) => {
    expect(statusOf(change)).toBe(status);
  });

  test('is not asked for where no schedule is enabled', () => {
    expect(judgeScheduler({ ...good, needed: false, found: [] })).toEqual([]);
    expect(adviseScheduler({ ...good, needed: false, found: [], ticks: { last: null, gaps: [] } })).toEqual([]);
  });

  test('is advised where nothing starts anything', () => {
    expect(adviseScheduler({ ...good, found: [], remembered: null, ticks: { last: null, gaps: [] } })).toHaveLength(1);
    expect(adviseScheduler(good)).toEqual([]);
  });
});
