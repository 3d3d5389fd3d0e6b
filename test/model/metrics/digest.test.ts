/** model/metrics/digest: its few lines tell the same as the whole ledger. */
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { Proofs } from '../../../src/core/catalog/proofs.js';
import { readHistory } from '../../../src/core/history/history.js';
import { levels } from '../../../src/model/backup/level.js';
import { mayFollow, type BackupEvent, type EventStatus } from '../../../src/model/events/event.js';
import type { Fact } from '../../../src/model/events/ledger.js';
import type { Ledger, LedgerLine } from '../../../src/model/roles/ledger.js';
import { digest, emptyDigest, linesOf } from '../../../src/model/metrics/digest.js';
import { eventId, makeEvent } from '../../fixtures/ledger.js';
import { memoryLocks } from '../../fakes/locks.js';

const databases = fc.constantFrom('shop', 'crm');
const schedules = fc.constantFrom(undefined, 'daily', 'weekly');
const reasons = fc.constantFrom(undefined, ['window: it is late'], ['load: 90 %', 'disk: full']);

const step = fc.record({
  k: fc.nat(30),
  status: fc.constantFrom<EventStatus>('pending', 'running', 'completed', 'failed', 'cancelled'),
  reasons,
  damaged: fc.boolean(),
});
const verification = fc.record({
  record: fc.constant('verification' as const),
  backupId: fc.nat(30).map(eventId),
  database: databases,
  storage: fc.constantFrom('local', 'far', 'local, far'),
  level: fc.constantFrom(...levels),
  ok: fc.boolean(),
  detail: fc.constant(''),
  duration: fc.nat(1000),
  size: fc.option(fc.nat(1000), { nil: undefined }),
  undone: fc.constantFrom(undefined, true as const),
});
const restore = fc.record({
  record: fc.constant('restore' as const),
  backupId: fc.nat(30).map(eventId),
  database: databases,
  target: fc.constant('there'),
  ok: fc.boolean(),
  compared: fc.boolean(),
  duration: fc.nat(1000),
  size: fc.nat(1000),
});
const others = fc.constantFrom<Fact>(
  { record: 'scheduler', installed: true, kind: 'cron', id: 'a', sha256: 'b', by: 'me' },
  { record: 'key-drill', encryption: 'encryption', keys: ['k'], opened: ['k'], ok: true, detail: '', duration: 1 },
  { record: 'clear', cleared: 1, by: 'me' },
  { record: 'pin', pinned: true, backupId: 'x', database: 'shop', storages: [], reason: '', by: 'me' },
);

/** What a real ledger would hold of these: an event that is over stays so. */
function linesFrom(given: readonly object[], about: readonly (string | undefined)[]): LedgerLine[] {
  const events = new Map<number, BackupEvent>();
  const lines: LedgerLine[] = [];
  for (const one of given) {
    const at = new Date(Date.UTC(2026, 0, 1) + lines.length * 60_000).toISOString();
    const frame = { v: 1, at, prev: '' };
    const position = { segment: 1, offset: lines.length };
    if ('record' in one) {
      lines.push({ position, record: { ...(one as Fact), ...frame } });
      continue;
    }
    const { k, status, reasons: why, damaged } = one as { k: number; status: EventStatus; reasons?: string[]; damaged: boolean };
    const scheduleId = about[k % about.length];
    const event = makeEvent(k, status, {
      database: k % 2 ? 'shop' : 'crm',
      ...(scheduleId !== undefined && { scheduleId, slot: `${scheduleId}@${k}` }),
      ...(why && (status === 'pending' || status === 'cancelled') && { reasons: why }),
      ...(status === 'failed' && damaged && { result: { success: false, code: 'damaged-source' as const, duration: 1, size: 0 } }),
    });
    if (!mayFollow(events.get(k), event)) continue;
    events.set(k, event);
    lines.push({ position, record: { record: 'event', ...event, step: 0, ...frame } });
  }
  return lines;
}

const ledgerOf = (lines: readonly LedgerLine[]) =>
  ({
    read: async function* () {
      yield* lines;
    },
  }) as unknown as Ledger;

test('how things are now follows from it as from all lines', async () => {
  const given = fc.array(fc.oneof({ weight: 5, arbitrary: step }, verification, restore, others), { maxLength: 120 });
  await fc.assert(
    fc.asyncProperty(given, fc.array(schedules, { minLength: 1, maxLength: 3 }), async (all, about) => {
      const lines = linesFrom(all, about);
      const into = emptyDigest();
      for (const line of lines) digest(into, line);
      // it can be remembered
      const few = linesOf(JSON.parse(JSON.stringify(into)) as typeof into);
      const sight = (these: readonly LedgerLine[]) => ({ ledger: ledgerOf(these), locks: memoryLocks(), process: { host: 'here' } });
      const byDatabase = (history: Awaited<ReturnType<typeof readHistory>>) => ({
        ...history,
        lastRuns: history.lastRuns.toSorted((a, b) => (a.database < b.database ? -1 : 1)),
        deadRuns: history.deadRuns.toSorted(),
      });
      expect(byDatabase(await readHistory(sight(few)))).toEqual(byDatabase(await readHistory(sight(lines))));
      const [some, every] = [new Proofs(), new Proofs()];
      for (const { record } of few.toReversed()) some.take(record);
      for (const { record } of lines.toReversed()) every.take(record);
      for (let k = 0; k <= 30; k += 1) {
        const of = { backupId: eventId(k), proven: null };
        expect(some.of(of)).toEqual(every.of(of));
        for (const storage of ['local', 'far']) expect(some.isBad(of.backupId, storage)).toBe(every.isBad(of.backupId, storage));
      }
    }),
    { numRuns: 60 },
  );
});

test('the event that a ledger begins with is over when it is over', () => {
  const into = emptyDigest();
  const states = [0, 1, 2].flatMap((k) => [makeEvent(k, 'pending'), makeEvent(k, 'completed')]);
  for (const [offset, event] of states.entries())
    digest(into, {
      position: { segment: 1, offset },
      record: { record: 'event', ...event, step: offset % 2, v: 1, at: event.timestamp, prev: '' },
    });
  const lines = linesOf(into);
  expect(lines.filter(({ record }) => record.record === 'event' && record.status === 'pending')).toEqual([]);
  expect(lines[0]?.record.at).toBe(states[0]?.timestamp);
});

test('it stays small', () => {
  const into = emptyDigest();
  for (let k = 0; k < 6000; k += 1) {
    const frame = { v: 1, at: '2026-01-01T00:00:00Z', prev: '' };
    const proof = { record: 'verification', backupId: eventId(k), database: 'shop', storage: 'local', level: 'restore', ok: true, detail: '', duration: 1, size: 1 } as const; // prettier-ignore
    digest(into, { position: { segment: 1, offset: 3 * k }, record: { ...proof, ...frame } });
    digest(into, {
      position: { segment: 1, offset: 3 * k + 1 },
      record: { record: 'event', ...makeEvent(k, 'running'), step: 0, ...frame },
    });
    digest(into, {
      position: { segment: 1, offset: 3 * k + 2 },
      record: { record: 'event', ...makeEvent(k, 'completed'), step: 1, ...frame },
    });
  }
  const lines = linesOf(into);
  expect(lines.length).toBeLessThan(4200);
  expect(lines.at(-1)?.position.offset).toBe(17_999);
});
