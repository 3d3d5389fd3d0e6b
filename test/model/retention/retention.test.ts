import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { levelRank } from '../../../src/model/backup/level.js';
import {
  planRetention,
  type RetentionCandidate,
  type RetentionFacts,
  type RetentionPolicy,
} from '../../../src/model/retention/retention.js';
import { count } from '../../fixtures/counts.js';
import { eventId } from '../../fixtures/ledger.js';

const hour = 3_600_000;
const day = 24 * hour;
const start = Date.UTC(2026, 0, 1, 2);

/** The k-th daily backup. */
const backup = (k: number, more: Partial<RetentionCandidate> = {}): RetentionCandidate => ({
  backupId: eventId(k),
  timestamp: new Date(start + k * day).toISOString(),
  standing: 'good',
  proven: 'archive',
  pinned: false,
  inUse: false,
  ...more,
});
const daily = (length: number, more: Readonly<Record<number, Partial<RetentionCandidate>>> = {}): RetentionCandidate[] =>
  Array.from({ length }, (_, k) => backup(k, more[k]));
const policyOf = (more: Partial<RetentionPolicy>): RetentionPolicy => ({ minimum: 3, zone: 'UTC', interval: day, ...more });
const nowAfter = (k: number) => new Date(start + k * day + hour);
const factsAt = (now: Date, more: Partial<RetentionFacts> = {}): RetentionFacts => ({
  lastCompleted: now,
  newestRecord: now,
  unlisted: null,
  damage: null,
  damagedSource: null,
  failedProof: null,
  force: true,
  ...more,
});
const planOf = (
  backups: readonly RetentionCandidate[],
  policy: Partial<RetentionPolicy>,
  { now = nowAfter(backups.length - 1), ...facts }: Partial<RetentionFacts> & { now?: Date } = {},
) => planRetention(backups, policyOf(policy), now, factsAt(now, facts));
/** The numbers of the backups that stay, oldest first. */
const keptOf = (...args: Parameters<typeof planOf>) =>
  planOf(...args)
    .keep.map(({ backupId }) => args[0].findIndex((one) => one.backupId === backupId))
    .toSorted((a, b) => a - b);

describe('the rules', () => {
  test('keepLast', () => {
    const plan = planOf(daily(10), { keepLast: 7 });
    expect(plan.remove.map(({ backupId }) => backupId)).toEqual([0, 1, 2].map(eventId));
    expect(plan.keep).toHaveLength(7);
    expect(plan.keep[0]).toEqual({ backupId: eventId(9), reason: 'last 1 of 7', expires: new Date(start + 16 * day).toISOString() });
    expect(plan.keep[6]).toMatchObject({ reason: 'last 7 of 7', expires: new Date(start + 10 * day).toISOString() });
  });

  test('keepDaily keeps the newest of each day that has one, by the wall clock of the zone', () => {
    // 22:30 and 23:30 UTC are two days in Berlin, one in UTC
    const times = ['2026-01-01T22:30:00Z', '2026-01-01T23:30:00Z', '2026-01-03T10:00:00Z', '2026-01-03T11:00:00Z'];
    const backups = times.map((timestamp, k) => backup(k, { timestamp }));
    const now = new Date('2026-01-03T12:00:00Z');
    expect(keptOf(backups, { keepDaily: 2, minimum: 1, zone: 'UTC' }, { now })).toEqual([1, 3]);
    expect(keptOf(backups, { keepDaily: 3, minimum: 1, zone: 'Europe/Berlin' }, { now })).toEqual([0, 1, 3]);
  });

  test('keepDaily across the change of the clock', () => {
    const times = ['2026-03-28T22:59:00Z', '2026-03-28T23:01:00Z', '2026-03-29T21:59:00Z', '2026-03-29T22:01:00Z'];
    const backups = times.map((timestamp, k) => backup(k, { timestamp }));
    const now = new Date('2026-03-30T00:00:00Z');
    expect(keptOf(backups, { keepDaily: 9, minimum: 1, zone: 'Europe/Berlin' }, { now })).toEqual([0, 2, 3]);
  });

  test('keepWeekly, keepMonthly, keepYearly', () => {
    // 2026-01-04, -11, -18, ... are Sundays
    expect(keptOf(daily(31), { keepWeekly: 3, minimum: 1 })).toEqual([17, 24, 30]);
    expect(keptOf(daily(70), { keepMonthly: 3, minimum: 1 })).toEqual([30, 58, 69]);
    expect(keptOf(daily(400), { keepYearly: 5, minimum: 1 })).toEqual([364, 399]);
  });

  test('a week belongs to the year of its Thursday', () => {
    const times = ['2026-12-31T10:00:00Z', '2027-01-03T10:00:00Z', '2027-01-04T10:00:00Z'];
    const backups = times.map((timestamp, k) => backup(k, { timestamp }));
    const plan = planOf(backups, { keepWeekly: 5, minimum: 1 }, { now: new Date('2027-01-05T00:00:00Z') });
    expect(plan.keep.map(({ reason }) => reason)).toEqual(['weekly 2027-W01', 'weekly 2026-W53']);
  });

  test('keepWithin counts from the newest good one, not from now', () => {
    expect(keptOf(daily(40), { keepWithin: '7d' })).toEqual([32, 33, 34, 35, 36, 37, 38, 39]);
    expect(keptOf(daily(40), { keepWithin: '7d' }, { now: nowAfter(90) })).toEqual([32, 33, 34, 35, 36, 37, 38, 39]);
  });

  test('the minimum wins, and says so', () => {
    const plan = planOf(daily(5), { keepLast: 1 });
    expect(plan.keep.map(({ reason }) => reason)).toEqual([
      'last 1 of 1',
      'minimum 3 wins over the rules',
      'minimum 3 wins over the rules',
    ]);
  });

  test('rules add up', () => {
    expect(keptOf(daily(60), { keepLast: 2, keepWeekly: 2, keepMonthly: 3 })).toEqual([30, 52, 57, 58, 59]);
  });

  test('no rule but the minimum removes nothing', () => {
    expect(planOf(daily(9), {})).toMatchObject({ remove: [], skipped: expect.stringContaining('no rule') });
  });

  test('taken by hand: no interval, so nothing is fresh or stale, and no expiry can be told', () => {
    const plan = planOf(daily(10), { keepLast: 7, interval: null }, { lastCompleted: null });
    expect(plan.remove).toHaveLength(3);
    expect(new Set(plan.keep.map(({ expires }) => expires))).toEqual(new Set([null]));
  });
});

describe('what is never removed', () => {
  test('G2: the only good one, however old', () => {
    expect(keptOf(daily(1), { keepWithin: '1d', minimum: 1 }, { now: nowAfter(6) })).toEqual([0]);
  });

  test('G3: an older one that was restored, until a newer one was', () => {
    expect(keptOf(daily(10, { 1: { proven: 'restore' } }), { keepLast: 3 })).toEqual([1, 7, 8, 9]);
    expect(keptOf(daily(10, { 1: { proven: 'restore' }, 8: { proven: 'restore' } }), { keepLast: 3 })).toEqual([7, 8, 9]);
    expect(keptOf(daily(10, { 1: { proven: 'restore' }, 8: { proven: 'restore', standing: 'failed' } }), { keepLast: 3 })).toContain(1);
  });

  test('without a restore, the newest of the highest level that any has', () => {
    const none = Object.fromEntries(Array.from({ length: 10 }, (_, k) => [k, { proven: k === 2 ? ('archive' as const) : null }]));
    expect(keptOf(daily(10, none), { keepLast: 3 })).toEqual([2, 7, 8, 9]);
  });

  test('G4: sixty days of failures, then a prune', () => {
    const now = nowAfter(69);
    const plan = planOf(daily(10), { keepLast: 3, keepWithin: '7d' }, { now, lastCompleted: nowAfter(9) });
    expect(plan).toMatchObject({ remove: [], skipped: expect.stringContaining('60d') });
  });

  test('G5: a suspect newest one counts for nothing and holds the one before it', () => {
    const plan = planOf(daily(10, { 9: { standing: 'suspect' } }), { keepLast: 3 });
    expect(plan.keep.map(({ backupId }) => backupId)).toEqual([9, 8, 7, 6].map(eventId));
    expect(plan.keep[0]).toMatchObject({ reason: expect.stringContaining('suspect'), expires: null });
    expect(plan.keep[1]).toMatchObject({ reason: `last 1 of 3; held, because ${eventId(9)} after it is suspect`, expires: null });
    // as long as it is there itself
    expect(keptOf(daily(10, { 8: { standing: 'suspect' } }), { keepLast: 1, minimum: 1 })).toEqual([7, 9]);
  });

  test('G6: forged and future-dated ones neither count nor evict', () => {
    const forged = Array.from({ length: 1000 }, (_, k) =>
      backup(100 + k, { standing: 'foreign', timestamp: new Date(start + 9 * day).toISOString() }),
    );
    const future = [backup(2000, { timestamp: new Date(start + 900 * day).toISOString() })];
    const plan = planOf([...daily(5), ...forged, ...future], { keepLast: 5 }, { now: nowAfter(10) });
    expect(plan.remove).toEqual([]);
  });

  test('pinned and in use', () => {
    expect(keptOf(daily(10, { 0: { pinned: true }, 1: { inUse: true } }), { keepLast: 3 })).toEqual([0, 1, 7, 8, 9]);
  });

  test('one that failed its verification stays until it is older than all that the rules keep', () => {
    expect(keptOf(daily(10, { 8: { standing: 'failed' } }), { keepLast: 3 })).toEqual([6, 7, 8, 9]);
    expect(keptOf(daily(10, { 2: { standing: 'failed' } }), { keepLast: 3 })).toEqual([7, 8, 9]);
    expect(keptOf(daily(4, { 0: { standing: 'failed' }, 1: { standing: 'failed' } }), { keepLast: 1 })).toEqual([0, 1, 2, 3]);
  });
});

describe('when nothing is removed', () => {
  const now = nowAfter(9);
  test.each([
    ['the listing is not whole', { unlisted: 'down' }, 'down'],
    ['the ledger is damaged', { damage: '1 damaged line', force: false }, '1 damaged line'],
    ['the source is damaged', { damagedSource: 'x' }, 'event x found it so'],
    ['verification fails', { failedProof: 'x' }, 'verification fails'],
    ['the schedule never completed', { lastCompleted: null }, 'no backup of this schedule'],
    ['the last one is stale', { lastCompleted: new Date(now.getTime() - 2 * day - 1) }, 'more than 2 intervals'],
    ['the clock was set back', { newestRecord: new Date(now.getTime() + 6 * 60_000) }, 'behind'],
    ['the clock ran ahead', { newestRecord: new Date(now.getTime() - 8 * day) }, 'not believed'],
    ['the ledger is empty', { newestRecord: null }, 'empty'],
  ])('%s', (_name, facts, reason) => {
    const plan = planOf(daily(10), { keepLast: 3 }, { now, ...facts });
    expect(plan).toMatchObject({ remove: [], skipped: expect.stringContaining(reason) });
    expect(plan.keep).toHaveLength(10);
    expect(plan.keep.at(-1)?.reason).toBe('due, but nothing is removed now');
  });

  test('a person may look past a damaged ledger', () => {
    expect(planOf(daily(10), { keepLast: 3 }, { damage: '1 damaged line', force: true }).remove).toHaveLength(7);
  });
});

test('a run removes at most three, or a quarter', () => {
  expect(planOf(daily(10), { keepLast: 3 }, { force: false }).remove.map(({ backupId }) => backupId)).toEqual([0, 1, 2].map(eventId));
  expect(planOf(daily(40), { keepLast: 3 }, { force: false }).remove).toHaveLength(10);
  expect(planOf(daily(40), { keepLast: 3 }).remove).toHaveLength(37);
});

const zones = ['UTC', 'Europe/Berlin', 'America/St_Johns', 'Pacific/Chatham', 'Pacific/Kiritimati'];
const rarely = <T>(some: fc.Arbitrary<T>) => fc.oneof({ weight: 3, arbitrary: fc.constant(undefined) }, { weight: 1, arbitrary: some });
const few = rarely(fc.integer({ min: 1, max: 12 }));
const aPolicy: fc.Arbitrary<RetentionPolicy> = fc.record({
  keepLast: few,
  keepDaily: few,
  keepWeekly: few,
  keepMonthly: few,
  keepYearly: few,
  keepWithin: rarely(fc.constantFrom('1d', '10d', '3w', '2m', '1y')),
  minimum: fc.integer({ min: 1, max: 6 }),
  zone: fc.constantFrom(...zones),
  interval: fc.constantFrom(null, hour, day, 7 * day),
});
const aBackup = fc.record({
  gap: fc.integer({ min: 0, max: 40 * day }),
  standing: fc.constantFrom('good', 'good', 'good', 'good', 'suspect', 'failed', 'foreign'),
  proven: fc.constantFrom(null, 'checksum', 'archive', 'archive', 'restore'),
  pinned: fc.integer({ min: 0, max: 9 }).map((n) => n === 0),
  inUse: fc.integer({ min: 0, max: 9 }).map((n) => n === 0),
}) satisfies fc.Arbitrary<Partial<RetentionCandidate> & { gap: number }>;
const aHistory = fc.array(aBackup, { maxLength: 30, size: 'max' }).map((list) => {
  let time = start;
  return list.map(({ gap, ...rest }, k) => backup(k, { ...rest, timestamp: new Date((time += gap)).toISOString() }));
});
const aCase = fc.record({
  history: aHistory,
  policy: aPolicy,
  force: fc.boolean(),
  /** Since the newest backup; negative: it is from the future. */
  later: fc.oneof(fc.constant(hour), fc.integer({ min: -3 * day, max: 100 * day })),
  stale: fc.integer({ min: 0, max: 9 }).map((n) => n === 0),
  seed: fc.integer(),
});

const wall = new Map(zones.map((zone) => [zone, new Intl.DateTimeFormat('en-US', { timeZone: zone })]));

/** By the most literal reading: the newest of each day that the wall shows, as another formatter tells it. */
function dailyByHand(good: readonly RetentionCandidate[], zone: string, days: number): RetentionCandidate[] {
  const of = new Map<string, RetentionCandidate>();
  for (const one of good) {
    const name = wall.get(zone)?.format(Date.parse(one.timestamp)) ?? '';
    if (!of.has(name)) of.set(name, one);
  }
  return [...of.values()].slice(0, days);
}

/** What must hold of what is left, after every single removal. */
function violations(left: readonly RetentionCandidate[], all: readonly RetentionCandidate[], policy: RetentionPolicy, now: Date): string[] {
  const ids = new Set(left.map(({ backupId }) => backupId));
  const goodOf = (list: readonly RetentionCandidate[]) =>
    list
      .filter(({ standing, timestamp }) => standing === 'good' && Date.parse(timestamp) <= now.getTime() + 300_000)
      .toSorted((a, b) => Date.parse(b.timestamp) - Date.parse(a.timestamp) || (a.backupId < b.backupId ? 1 : -1));
  const [before, after] = [goodOf(all), goodOf(left)];
  const found: string[] = [];
  const claim = (holds: boolean, sentence: string) => void (holds || found.push(sentence));
  const stays = (list: readonly RetentionCandidate[], what: string) =>
    claim(
      list.every(({ backupId }) => ids.has(backupId)),
      what,
    );
  stays(before.slice(0, 1), 'the newest good one is gone');
  stays(before.slice(0, policy.minimum), 'fewer than the minimum are left');
  stays(before.slice(0, policy.keepLast ?? 0), 'one of the last is gone');
  stays(dailyByHand(before, policy.zone, policy.keepDaily ?? 0), 'one of the daily ones is gone');
  stays(
    all.filter(({ pinned, inUse }) => pinned || inUse),
    'a pinned one, or one in use, is gone',
  );
  stays(
    all.filter(({ standing }) => standing === 'foreign'),
    'a foreign one is gone',
  );
  stays(
    all.filter(({ timestamp }) => Date.parse(timestamp) > now.getTime() + 300_000),
    'one from the future is gone',
  );
  const best = (list: readonly RetentionCandidate[]) => Math.max(-1, ...list.map(({ proven }) => levelRank(proven)));
  claim(best(after) === best(before), 'the highest proof is gone');
  const newestBest = before.find(({ proven }) => levelRank(proven) === best(before));
  if (newestBest && best(before) >= 0) stays([newestBest], 'the newest of the highest proof is gone');
  const newest = Date.parse(before[0]?.timestamp ?? '');
  if (policy.keepWithin === '10d')
    stays(
      before.filter(({ timestamp }) => newest - Date.parse(timestamp) <= 10 * day),
      'one within 10d is gone',
    );
  return found;
}

const shuffled = <T>(list: readonly T[], seed: number): T[] =>
  list
    .map((one, index) => ({ one, key: Math.imul(index + 1, seed | 1) ^ (seed >>> 3) }))
    .toSorted((a, b) => a.key - b.key)
    .map(({ one }) => one);

test(
  'G1: on random histories under random policies, what must hold does so after every single removal',
  ({ task }) => {
    const runs = count(2000, 100_000);
    let removals = 0;
    fc.assert(
      fc.property(aCase, ({ history, policy, force, later, stale, seed }) => {
        const now = new Date(Date.parse(history.at(-1)?.timestamp ?? new Date(start).toISOString()) + later);
        const facts = factsAt(now, { force, lastCompleted: stale ? new Date(now.getTime() - 60 * day) : now });
        const plan = planRetention(history, policy, now, facts);
        expect(planRetention(shuffled(history, seed), policy, now, facts)).toEqual(plan);
        expect([...plan.keep, ...plan.remove]).toHaveLength(history.length);
        if (plan.skipped !== null || (stale && policy.interval !== null)) expect(plan.remove).toEqual([]);
        if (!force) expect(plan.remove.length).toBeLessThanOrEqual(Math.max(3, Math.floor(history.length / 4)));
        let left: readonly RetentionCandidate[] = history;
        for (const { backupId } of plan.remove) {
          // what is asked before each removal: the plan of that moment still takes it
          const fresh = planRetention(left, policy, now, { ...facts, force: true });
          expect(fresh.remove.map((one) => one.backupId)).toContain(backupId);
          left = left.filter((one) => one.backupId !== backupId);
          expect(violations(left, history, policy, now)).toEqual([]);
          removals += 1;
        }
      }),
      { numRuns: runs },
    );
    const what = 'random histories under random policies, safe after every removal';
    task.meta.score = { row: 'G1', what, n: runs, violations: [], figures: `${removals} removals` };
    expect(removals).toBeGreaterThan(runs);
  },
  count(180_000, 1_800_000),
);
