/** core/notify: who is told of what, when. The ledger, the channels and the clock are the test's own. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { atEnd, notify } from '../../../src/core/notify.js';
import { Failure } from '../../../src/model/errors.js';
import { registerSecret } from '../../../src/model/redact.js';
import { count } from '../../fixtures/counts.js';
import { eventId } from '../../fixtures/ledger.js';
import { take } from '../../../src/model/alert/fold.js';
import { emptyState } from '../../../src/model/alert/state.js';
import { down, gone, rig, type Rig } from './rig.js';

const hour = 3_600_000;
const failing = (error: string, more = {}) => ({
  result: { success: false, error, code: 'connection', class: 'transient', duration: 1, size: 0 } as const,
  ...more,
});

/** It fails, and is to be tried again as the next event. */
function retried(one: Rig, k: number, error: string, attempt = 1): void {
  const retryAt = '2026-01-05T12:31:00.000Z';
  one.event(k, 'failed', failing(error, { retryAt, attempt }));
  one.event(k + 1, 'pending', { type: 'retry', attempt: attempt + 1, retryOf: eventId(k - attempt + 1), notBefore: retryAt });
}

/** Alerts are configured, then something happens. */
async function begun(options: Parameters<typeof rig>[0] = {}) {
  const one = rig(options);
  await one.drain();
  one.advance(1000);
  return one;
}

describe('what is told', () => {
  it('tells of a failure once, with a subject that says it at a glance', async () => {
    const one = await begun();
    one.event(1, 'failed', failing('db1:5432 refused'));
    expect(await one.drain()).toBeNull();
    expect(await one.drain()).toBeNull();
    expect(one.subjects()).toEqual(['FAILED daily shop db1 2026-01-05 12:00 UTC']);
  });

  it('leaves it to another process that tells just now', async () => {
    const one = await begun();
    one.event(1, 'failed', failing('db1:5432 refused'));
    const locks = { ...one.context.locks, claimAlerts: async () => null };
    expect(await notify({ ...one.context, locks }, atEnd)).toBeNull();
    expect(one.subjects()).toEqual([]);
    await one.drain();
    expect(one.subjects()).toHaveLength(1);
  });

  it('keeps what a channel answers without secrets', async () => {
    registerSecret('canary-of-a-channel');
    const one = await begun();
    const { ops } = one.channels;
    if (ops)
      ops.answer = () => {
        throw new Failure('alert', 'no hook at /canary-of-a-channel');
      };
    one.event(1, 'failed', failing('db1:5432 refused'));
    await one.drain();
    expect(one.records.filter(({ record }) => record === 'delivery')).toMatchObject([{ ok: false, detail: 'no hook at /***' }]);
  });

  it('tells nothing of what happened before alerts were configured', async () => {
    const one = rig();
    one.event(1, 'failed');
    one.advance(1000);
    await one.drain();
    expect(one.subjects()).toEqual([]);
  });

  it('says when it is tried again, and that this is not the last word', async () => {
    const one = await begun();
    retried(one, 1, 'refused');
    await one.drain();
    expect(one.channels['ops']?.received[0]?.body).toContain('tried again at 2026-01-05 12:31 UTC');
    expect(one.channels['ops']?.received[0]?.alert).toMatchObject({ kind: 'failure', severity: 'warning' });
    one.event(2, 'failed', failing('gone', { type: 'retry', attempt: 2, retryOf: eventId(1) }));
    await one.drain();
    expect(one.channels['ops']?.received[1]?.alert).toMatchObject({ kind: 'exhausted', severity: 'critical' });
  });

  it('tells of repeats at every doubling, and once when it is over', async () => {
    const one = await begun({ alerting: { remindAfter: 8760 } });
    for (let k = 1; k <= 20; k += 1) {
      one.event(k, 'failed', failing(`refused after ${k} ms`));
      await one.drain();
    }
    expect(one.subjects()).toHaveLength(5); // 1, 2, 4, 8, 16
    for (const k of [21, 22]) {
      one.event(k, 'completed');
      await one.drain();
    }
    expect(one.subjects().slice(5)).toEqual(['RECOVERED daily shop db1 2026-01-05 12:00 UTC']);
  });

  it('tells at once what became worse, however often the lesser was told', async () => {
    const one = await begun({ channels: { ops: {}, pager: { severity: 'critical' } } });
    for (const k of [1, 2]) retried(one, k, 'refused', k);
    one.event(3, 'failed', failing('refused', { type: 'retry', attempt: 3, retryOf: eventId(1) }));
    await one.drain();
    expect(one.channels['ops']?.received.map(({ alert }) => alert.severity)).toEqual(['warning', 'warning', 'critical']);
    expect(one.channels['pager']?.received.map(({ alert }) => alert.kind)).toEqual(['exhausted']);
  });

  it('says the last word last: a recovery waits for what was not taken before', async () => {
    const one = await begun();
    const { ops } = one.channels;
    if (!ops) throw new Error('no channel');
    one.event(1, 'failed', failing('refused'));
    await one.drain();
    ops.answer = down;
    one.event(2, 'failed', failing('refused'));
    await one.drain();
    ops.answer = () => {};
    one.event(3, 'completed');
    one.advance(hour);
    await one.drain();
    expect(one.subjects().map((subject) => subject.split(' ', 1)[0])).toEqual(['FAILED', 'FAILED', 'RECOVERED']);
  });

  it('gathers no recovery for a channel where each ends something', async () => {
    const one = await begun({ channels: { ops: {}, pager: {} } });
    Object.assign(one.context.channels[1] ?? {}, { resolves: true });
    for (let k = 1; k <= 8; k += 1) one.event(k, 'failed', failing('refused', { database: `db${k}` }));
    await one.drain();
    for (let k = 1; k <= 8; k += 1) one.event(10 + k, 'completed', { database: `db${k}` });
    await one.drain();
    const kinds = (name: string) => one.channels[name]?.received.slice(8).map(({ alert }) => alert.kind);
    expect(kinds('ops')).toEqual(['digest']);
    expect(kinds('pager')).toEqual(Array.from({ length: 8 }, () => 'recovered'));
  });

  it('tells of a new reason at once', async () => {
    const one = await begun();
    for (let k = 1; k <= 3; k += 1) one.event(k, 'failed', failing('refused'));
    one.event(4, 'failed', failing('no space'));
    await one.drain();
    expect(one.subjects()).toHaveLength(3);
  });

  it('tells only those of a recovery who heard of the problem', async () => {
    const one = await begun({ channels: { ops: {}, pager: { severity: 'critical' } } });
    retried(one, 1, 'refused');
    await one.drain();
    one.event(2, 'completed', { type: 'retry', attempt: 2 });
    await one.drain();
    expect(one.subjects()).toHaveLength(2);
    expect(one.subjects('pager')).toEqual([]);
  });

  it('honours alertOnFailure and alertOnSuccess', async () => {
    const one = await begun({ settings: { alertOnFailure: false, alertOnSuccess: true } });
    one.event(1, 'failed');
    one.event(2, 'completed');
    await one.drain();
    expect(one.subjects()).toEqual(['OK daily shop db1 2026-01-05 12:00 UTC']);
  });

  it.each([
    ['a missed slot', { slot: 's', reasons: ['missed: the machine was off'] }, 'MISSED'],
    ['a slot deferred past its deadline', { slot: 's', reasons: ['load: 93 % of 80 %'] }, 'MISSED'],
    ['a retry that came too late', { type: 'retry', reasons: ['window: closed'] } as const, 'MISSED'],
  ])('tells of %s', async (_, more, status) => {
    const one = await begun();
    one.event(1, 'cancelled', { type: 'scheduled', ...more });
    await one.drain();
    expect(one.subjects()[0]).toMatch(new RegExp(`^${status} daily shop`));
  });

  it('keeps quiet about a backup by hand that was cancelled: whoever started it was told', async () => {
    const one = await begun();
    one.event(1, 'cancelled', { reasons: ['window: closed'] });
    await one.drain();
    expect(one.subjects()).toEqual([]);
  });

  it('B15: tells of a backup that did not pass its verification, and when one does again', async () => {
    const one = await begun();
    const record = { record: 'verification', backupId: 'b1', database: 'shop', storage: 'local', level: 'checksum', duration: 1 } as const;
    one.append({ ...record, ok: false, detail: 'database.dump has another SHA-256' });
    await one.drain();
    one.append({ ...record, backupId: 'b2', ok: true, detail: '' });
    await one.drain();
    expect(one.subjects().map((subject) => subject.split(' ').slice(0, 3).join(' '))).toEqual([
      'FAILED verification shop',
      'RECOVERED verification shop',
    ]);
  });

  it('reminds of what lasts', async () => {
    const one = await begun({ schedules: { daily: { enabled: true, cron: '0 2 * * *' } as never } });
    one.event(1, 'failed', failing('refused'));
    await one.drain();
    one.advance(23 * hour);
    await one.drain();
    expect(one.subjects()).toHaveLength(1);
    one.advance(2 * hour);
    await one.drain();
    await one.drain();
    expect(one.channels['ops']?.received.map(({ alert }) => alert.kind)).toEqual(['failure', 'reminder']);
  });

  it('H10: a backup that nobody says anything about is missed, told by whichever command runs next', async () => {
    const schedule = { enabled: true, cron: '0 2 * * *' } as never;
    const one = await begun({ schedules: { daily: schedule } });
    one.event(1, 'completed');
    one.advance(14 * hour);
    await one.drain();
    expect(one.subjects()).toEqual([]); // its slot has just begun
    one.advance(24 * hour);
    await one.drain();
    await one.drain();
    expect(one.subjects()).toEqual(['MISSED daily shop db1 2026-01-07 02:00 UTC']);
    one.event(2, 'completed');
    await one.drain();
    expect(one.subjects()[1]).toMatch(/^RECOVERED daily shop/);
  });
});

describe('a scheduler that stood still', () => {
  const missed = (k: number) => ({
    type: 'scheduled' as const,
    slot: `s${k}`,
    notBefore: `2026-01-0${k}T02:00:00.000Z`,
    reasons: ['missed: nothing ran'],
  });

  it('is told of once, however many slots it missed; again when one is missed later', async () => {
    const one = await begun();
    for (const k of [1, 2, 3, 4]) one.event(k, 'cancelled', missed(k));
    await one.drain();
    expect(one.subjects()).toHaveLength(1);
    one.advance(24 * hour);
    one.event(6, 'cancelled', missed(6));
    await one.drain();
    expect(one.subjects()).toHaveLength(1);
    for (const k of [7, 8, 9]) one.event(k, 'cancelled', missed(k));
    await one.drain();
    expect(one.subjects()).toHaveLength(2);
  });
});

describe('who is told', () => {
  it('routes by severity, schedule and database', async () => {
    const one = await begun({
      channels: { pager: { severity: 'critical' }, other: { schedules: ['weekly'] }, team: { databases: ['cluster'] } },
    });
    one.event(1, 'cancelled', { slot: 's', reasons: ['load'] });
    one.event(2, 'failed', { scheduleId: 'weekly' });
    one.event(3, 'failed', { database: 'cluster--a-12345678' });
    await one.drain();
    expect(['pager', 'other', 'team'].map((name) => one.subjects(name).map((subject) => subject.split(' ').slice(0, 3).join(' ')))).toEqual(
      [['FAILED weekly shop', 'FAILED daily cluster--a-12345678'], ['FAILED weekly shop'], ['FAILED daily cluster--a-12345678']],
    );
  });

  it('falls over to the next channel at once, and tells the first one when it is back', async () => {
    const one = await begun({ channels: { ops: {}, mail: { fallback: true } } });
    one.event(1, 'failed', failing('refused'));
    await one.drain();
    expect(one.subjects('mail')).toEqual([]);
    const ops = one.channels['ops'];
    if (!ops) throw new Error('no channel');
    ops.answer = down;
    one.event(2, 'failed', failing('no space'));
    expect(await one.drain()).toMatchObject({ code: 'alert', exit: 3 });
    expect(one.subjects('mail')).toHaveLength(1);
    ops.answer = () => {};
    await one.drain();
    expect(one.subjects()).toHaveLength(1); // not before its time
    one.advance(2 * 60_000);
    expect(await one.drain()).toBeNull();
    expect(one.subjects()).toHaveLength(2);
    expect(one.subjects('mail')).toHaveLength(1);
  });

  it('gives up at once what is refused for good, and tells the others of it', async () => {
    const one = await begun({ channels: { ops: {}, mail: { severity: 'critical' } } });
    const { ops, mail } = one.channels;
    if (!ops || !mail) throw new Error('no channel');
    ops.answer = gone;
    one.event(1, 'failed', failing('refused'));
    expect(await one.drain()).toMatchObject({ code: 'alert' });
    expect(one.said[0]).toContain('ALERT LOST');
    expect(mail.received.map(({ alert }) => alert.kind)).toEqual(['failure', 'undelivered']);
    ops.answer = () => {};
    one.event(2, 'failed', failing('no space'));
    await one.drain();
    expect(mail.received.map(({ alert }) => alert.kind)).toEqual(['failure', 'undelivered', 'failure', 'recovered']);
  });
});

describe('when it cannot be told', () => {
  it('H7: all channels down for 72 h: given up, said aloud once, and known to health', async () => {
    const one = await begun({ channels: { ops: {}, mail: {} } });
    for (const channel of Object.values(one.channels)) channel.answer = down;
    one.event(1, 'failed', failing('refused'));
    let lost = 0;
    for (let hours = 0; hours <= 80; hours += 1) {
      one.said.length = 0;
      const failure = await one.drain();
      if (one.said.some((line) => line.startsWith('ALERT LOST'))) {
        lost += 1;
        expect(hours).toBeGreaterThanOrEqual(72);
        expect(failure).toMatchObject({ code: 'alert', exit: 3 });
      }
      one.advance(hour);
    }
    expect(lost).toBe(1);
    expect(one.records.filter((record) => record.record === 'delivery' && record.dead && record.kind === 'failure')).toHaveLength(2);
  });

  it('waits longer each time, and as long as the other side asks for', async () => {
    const one = await begun();
    const { ops } = one.channels;
    if (!ops) throw new Error('no channel');
    const tries: number[] = [];
    ops.answer = () => {
      tries.push(one.now().getTime());
      throw new Failure('alert', 'busy', { retryAfter: tries.length === 1 ? 300_000 : 0 });
    };
    one.event(1, 'failed');
    for (let minute = 0; minute < 60; minute += 1) {
      await one.drain();
      one.advance(60_000);
    }
    expect(tries.map((at) => (at - (tries[0] ?? 0)) / 60_000)).toEqual([0, 5, 7, 11, 19, 35]);
  });

  it.each([
    [1, count(250, 1000)],
    [10, 1000],
  ])('H8: failures in an hour, %d at a time, %d in all: at most 20 messages, no new reason lost', async (atOnce, failures) => {
    const one = await begun();
    const reasons = ['refused', 'no space', 'wrong password', 'no such table'];
    for (let k = 0; k < failures; k += 1) {
      one.event(k, 'failed', failing(reasons[Math.floor((k / failures) * 4)] ?? '', { database: `db${k}` }));
      if (k % atOnce === 0) await one.drain();
      one.advance(hour / failures);
    }
    const inTheHour = one.subjects().length;
    one.advance(hour);
    await one.drain();
    const text = one.channels['ops']?.received.map(({ body }) => body).join('\n') ?? '';
    expect(inTheHour).toBeLessThanOrEqual(20);
    for (const reason of reasons) expect(text).toContain(reason);
    const covered = one.channels['ops']?.received.reduce(
      (sum, { alert }) => sum + (alert.kind === 'digest' ? Number.parseInt(alert.title, 10) : 1),
      0,
    );
    expect(covered).toBe(failures);
  });
});

describe('what is due by the clock', () => {
  it('proves a channel that took nothing for a month, by --due alone', async () => {
    const one = await begun();
    one.advance(31 * 24 * hour);
    await one.drain();
    expect(one.subjects()).toEqual([]);
    await one.drain({ due: true });
    await one.drain({ due: true });
    expect(one.subjects()).toEqual(['OK test db1 2026-02-05 12:00 UTC']);
  });

  it('sends a summary of the week when its time has come, once', async () => {
    const storages = [{ name: 'local', probe: async () => ({ marker: 'm', freeBytes: 8e9, detail: '' }) }];
    const one = await begun({ alerting: { weeklySummary: 'MON 08:00' } });
    Object.assign(one.context, { storages });
    const timestamp = (days: number) => ({ timestamp: new Date(Date.UTC(2026, 0, 5 + days, 12)).toISOString() });
    for (let day = 1; day <= 5; day += 1) one.event(day, 'completed', timestamp(day));
    await one.drain({ due: true });
    expect(one.subjects()).toEqual([]);
    one.advance(6.9 * 24 * hour);
    for (let turn = 0; turn < 2; turn += 1) await one.drain({ due: true });
    expect(one.subjects()).toEqual(['OK summary db1 2026-01-12 09:36 UTC']);
    expect(one.channels['ops']?.received[0]?.body).toContain('5 of 5 good (100 %)');
  });

  it('tells of health when it changed, each time it is worse, and when it is good again', async () => {
    const one = await begun();
    const check = { name: 'disk-space', subject: 'local', value: 1, limit: 10, detail: '1 GB is free', hint: '' } as const;
    for (const status of ['healthy', 'warning', 'warning', 'critical', 'critical', 'healthy', 'healthy'] as const) {
      await one.drain({ report: { checks: [{ ...check, status }] } });
      one.advance(hour);
    }
    expect(one.subjects().map((subject) => subject.split(' ', 2).join(' '))).toEqual([
      'WARNING health',
      'FAILED health',
      'RECOVERED health',
    ]);
  });
});

/** The failures that are to be told by themselves, found from the events alone: the 1st, 2nd, 4th, ... of each reason since the last good one. */
function owedAlone({ records }: Rig): string[] {
  const times = new Map<string, number>();
  return records.flatMap((record) => {
    if (record.record !== 'event') return [];
    if (record.status === 'completed') times.clear();
    if (record.status !== 'failed') return [];
    const count = (times.get(record.result?.error ?? '') ?? 0) + 1;
    times.set(record.result?.error ?? '', count);
    return Number.isInteger(Math.log2(count)) ? [`${record.id}:failure`] : [];
  });
}

/** The digests that stand for each alert, by `<alert id>:<channel>`: their ordinals are those of the alerts, in the ledger's order. */
function coveredBy(one: Rig): [string, string[]][] {
  const covered = new Map<string, string[]>();
  const state = emptyState();
  for (const record of one.records) {
    take(state, record, 'db1');
    for (const { alert, covered: by } of state.entries)
      for (const [channel, digest] of Object.entries(by)) covered.set(`${alert.id}:${channel}`, [`${digest}:${channel}`]);
  }
  return [...covered];
}

describe('properties', () => {
  const kind = fc.constantFrom('failed', 'completed', 'advance', 'down', 'gone', 'up', 'forget');
  const history = fc.array(fc.tuple(kind, fc.integer({ min: 0, max: 30 })), { minLength: 1, maxLength: 40 });

  it('whatever happens and whenever it is killed: each alert is delivered or given up, a double has the same key', async () => {
    await fc.assert(
      fc.asyncProperty(history, fc.boolean(), fc.constantFrom(1, 3, 10), async (steps, hasFallback, digestAbove) => {
        const one = await begun({
          channels: { ops: {}, mail: { fallback: hasFallback } },
          alerting: { remindAfter: 8760, digestAbove },
        });
        const { ops } = one.channels;
        if (!ops) return;
        let k = 0;
        for (const [what, kill] of steps) {
          k += 1;
          if (what === 'failed') one.event(k, 'failed', failing(`reason ${'abc'[k % 3]}`));
          if (what === 'completed') one.event(k, 'completed');
          if (what === 'advance') one.advance(kill * hour);
          if (what === 'down') ops.answer = down;
          if (what === 'gone') ops.answer = gone;
          if (what === 'up') ops.answer = () => {};
          if (what === 'forget') one.forget();
          await one.drain({ steps: kill });
          one.advance(1000);
        }
        ops.answer = () => {};
        for (let end = 0; end < 5; end += 1) {
          one.advance(hour);
          await one.drain();
        }
        const told = new Set<string>();
        for (const { name, received } of Object.values(one.channels))
          for (const { key, alert } of received) {
            expect(key).toBe(`${alert.id}:${name}`);
            told.add(key);
          }
        const settled = one.records.flatMap((record) => (record.record === 'delivery' && (record.ok || record.dead) ? [record] : []));
        const dead = new Set(settled.flatMap(({ alertId, channel, dead: isDead }) => (isDead ? [`${alertId}:${channel}`] : [])));
        // every alert that is owed was taken, or given up aloud, by each channel it is routed to; by a digest that names it where there was one
        const within = new Map(coveredBy(one));
        for (const id of owedAlone(one))
          for (const name of hasFallback ? ['ops'] : ['ops', 'mail']) {
            const keys = [`${id}:${name}`, ...(within.get(`${id}:${name}`) ?? [])];
            expect(keys.some((key) => told.has(key) || dead.has(key))).toBe(true);
          }
        // nothing settled twice
        const ends = settled.map(({ alertId, channel }) => `${alertId} ${channel}`);
        expect(new Set(ends).size).toBe(ends.length);
        const again = ops.received.length;
        await one.drain();
        expect(ops.received).toHaveLength(again);
      }),
      { numRuns: 200 },
    );
  });

  it('a recovery is told exactly once to whoever heard, never without a problem before', async () => {
    await fc.assert(
      fc.asyncProperty(history, async (steps) => {
        const one = await begun({ alerting: { remindAfter: 8760, digestAbove: 1000 } });
        const { ops } = one.channels;
        if (!ops) return;
        let k = 0;
        for (const [what, turn] of steps) {
          k += 1;
          if (what === 'failed') one.event(k, 'failed', failing(`reason ${'abc'[turn % 3]}`));
          if (what === 'completed') one.event(k, 'completed');
          ops.answer = what === 'down' ? down : () => {};
          await one.drain();
          one.advance(hour);
        }
        ops.answer = () => {};
        await one.drain();
        one.event(1000, 'completed');
        await one.drain();
        const open = new Set<string>();
        for (const { alert } of ops.received) {
          if (alert.kind === 'recovered') expect(open.delete(alert.reason)).toBe(true);
          else open.add(alert.reason);
        }
        expect([...open]).toEqual([]);
      }),
      { numRuns: 200 },
    );
  });
});
