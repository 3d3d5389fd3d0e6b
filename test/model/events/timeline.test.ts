/**
 * test: events out of lines read backwards.
 */
import { expect, test } from 'vitest';
import type { BackupEvent, EventStatus } from '../../../src/model/events/event.js';
import type { LedgerRecord } from '../../../src/model/events/ledger.js';
import type { LedgerLine } from '../../../src/model/roles/ledger.js';
import { isWanted, timeline } from '../../../src/model/events/timeline.js';
import { eventId, makeEvent } from '../../fixtures/ledger.js';

let minute = 0;
const frame = () => ({ v: 1, at: new Date(Date.UTC(2026, 0, 1, 0, minute++)).toISOString(), prev: '' });
const state = (k: number, status: EventStatus, step: number, more: Partial<BackupEvent> = {}): LedgerRecord => ({
  record: 'event',
  ...makeEvent(k, status, more),
  step,
  ...frame(),
});
const clear = (): LedgerRecord => ({ record: 'clear', cleared: 0, by: 'test', ...frame() });

/** The records are given oldest first. `read` counts the lines that were asked for. */
async function told(records: readonly LedgerRecord[], most = Infinity): Promise<{ events: string[]; read: number }> {
  let read = 0;
  async function* lines(): AsyncGenerator<LedgerLine> {
    for (const record of records.toReversed()) {
      read += 1;
      yield { position: { segment: 1, offset: 0 }, record };
    }
  }
  const events: string[] = [];
  for await (const event of timeline(lines())) {
    events.push(`${event.id === '' ? '' : Number.parseInt(event.id.slice(-4), 16)} ${event.newerVersion ? 'newer ' : ''}${event.status}`);
    if (events.length >= most) break;
  }
  return { events, read };
}

test('the newest created comes first, with its last state, however the lines are mixed', async () => {
  const records = [state(1, 'pending', 0), state(1, 'running', 1), state(2, 'pending', 0), state(3, 'pending', 0)];
  records.push(state(2, 'running', 1), state(1, 'completed', 2), state(2, 'failed', 2));
  expect((await told(records)).events).toEqual(['3 pending', '2 failed', '1 completed']);
});

test('no more lines are read than the events that are asked for need', async () => {
  const records = Array.from({ length: 1000 }, (_, k) => [state(k, 'pending', 0), state(k, 'running', 1), state(k, 'completed', 2)]).flat();
  expect(await told(records, 2)).toEqual({ events: ['999 completed', '998 completed'], read: 6 });
});

test('it does not look behind a clear, but tells what went on after it', async () => {
  const records = [state(1, 'pending', 0), state(1, 'completed', 1), state(2, 'pending', 0), state(2, 'running', 1), clear()];
  expect((await told(records)).events).toEqual([]);
  expect((await told([...records, state(2, 'completed', 2), state(3, 'pending', 0)])).events).toEqual(['3 pending', '2 completed']);
});

test('of two contradicting ends the first holds; a recovery holds over a failure', async () => {
  expect((await told([state(1, 'pending', 0), state(1, 'completed', 1), state(1, 'failed', 1)])).events).toEqual(['1 completed']);
  const recovered = state(1, 'completed', 2, { recovered: true });
  expect((await told([state(1, 'pending', 0), state(1, 'failed', 1), recovered])).events).toEqual(['1 completed']);
});

test('a line that was written twice is one event', async () => {
  const twice = state(1, 'pending', 0);
  expect((await told([twice, twice, state(1, 'completed', 1)])).events[0]).toBe('1 completed');
});

test('an event whose first line was lost is told all the same, and not at the end of a long ledger only', async () => {
  expect((await told([state(1, 'running', 1), state(2, 'pending', 0)])).events).toEqual(['2 pending', '1 running']);
  const old = Array.from({ length: 5000 }, (_, k): LedgerRecord => ({ ...state(k, 'pending', 0), at: '2025-01-01T00:00:00.000Z' }));
  const { events, read } = await told([...old, state(7, 'running', 1)], 1001);
  expect(events).toContain('7 running');
  expect(read).toBeLessThan(1100);
});

test('E12: lines of a newer version', async () => {
  const newer = (content: Record<string, unknown>): LedgerRecord => ({
    record: 'unknown',
    content: { record: 'event', ...content },
    ...frame(),
    v: 2,
  });
  expect((await told([state(1, 'pending', 0), newer({ id: eventId(1), status: 'verifying' })])).events).toEqual(['1 newer pending']);
  expect((await told([newer({ id: eventId(2) })])).events).toEqual(['2 newer pending']);
});

test('filters', () => {
  const event = makeEvent(100, 'failed', { scheduleId: 'daily', type: 'scheduled' });
  expect(isWanted(event, {})).toBe(true);
  expect(isWanted(event, { status: 'failed', type: 'scheduled', schedule: 'daily', since: new Date(event.timestamp) })).toBe(true);
  expect(isWanted(event, { status: 'completed' })).toBe(false);
  expect(isWanted(event, { type: 'manual' })).toBe(false);
  expect(isWanted(event, { schedule: 'weekly' })).toBe(false);
  expect(isWanted(event, { since: new Date(Date.parse(event.timestamp) + 1) })).toBe(false);
});
