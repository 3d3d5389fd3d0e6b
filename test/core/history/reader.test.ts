/** test: what is kept of a ledger tells the same as reading it from its beginning, whatever happens to it. */
import { appendFileSync, existsSync, readFileSync, rmSync, truncateSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import fc from 'fast-check';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { listAudit } from '../../../src/core/history/audit.js';
import { listEvents } from '../../../src/core/history/events.js';
import type { Sight } from '../../../src/core/history/liveness.js';
import { LedgerReader } from '../../../src/core/history/reader.js';
import { keptStatistics, statistics } from '../../../src/core/history/statistics.js';
import type { BackupEvent, EventStatus } from '../../../src/model/events/event.js';
import { groupings } from '../../../src/model/figures/grouping.js';
import type { LedgerRecord } from '../../../src/model/events/ledger.js';
import type { Ledger, LedgerLine, Position } from '../../../src/model/roles/ledger.js';
import { openLocks } from '../../../src/system/files/lock.js';
import { openMemory } from '../../../src/system/files/memory.js';
import { count } from '../../fixtures/counts.js';
import { eventId, makeEvent, temporaryState, type TemporaryState } from '../../fixtures/ledger.js';

let temporary: TemporaryState;
beforeEach(() => (temporary = temporaryState()));
afterEach(() => temporary.remove());

const sightOf = (ledger: Ledger): Sight => ({ ledger, locks: openLocks(temporary.state), process: { host: 'here' } });

async function same(sight: Sight, reader: LedgerReader): Promise<void> {
  for (const by of [undefined, ...groupings])
    for (const since of [undefined, new Date(Date.UTC(2026, 0, 1, 0, 0, 6))]) {
      const asked = { ...(by && { by }), ...(since && { since }) };
      expect(await keptStatistics(sight, reader, asked)).toEqual(await statistics(sight, asked));
    }
  expect(await listAudit(sight, 5, reader)).toEqual(await listAudit(sight, 5));
}

type Step =
  | { readonly do: 'event'; readonly k: number; readonly status: EventStatus; readonly recovered: boolean }
  | { readonly do: 'clear' | 'verified' | 'restored' | 'damage' | 'truncate' | 'another' | 'process' };

const step: fc.Arbitrary<Step> = fc.oneof(
  {
    weight: 12,
    arbitrary: fc.record({
      do: fc.constant('event' as const),
      k: fc.nat(12),
      status: fc.constantFrom<EventStatus>('pending', 'running', 'completed', 'failed', 'cancelled'),
      recovered: fc.boolean(),
    }),
  },
  {
    weight: 3,
    arbitrary: fc.record({
      do: fc.constantFrom('clear', 'verified', 'restored', 'damage', 'truncate', 'another', 'process'),
    }),
  },
);

const fact = { backupId: 'b', database: 'constructor', duration: 40, size: 5, ok: true } as const;
const actor = { by: 'somebody', address: 'here' } as const;

/** Does it to the ledger that lies there. */
async function act(ledger: Ledger, one: Step): Promise<void> {
  const file = () => join(temporary.state, 'ledger', (existsSync(temporary.segment()) && temporary.segments().at(-1)) || 'none');
  if (one.do === 'event') {
    const more: Partial<BackupEvent> = {
      database: one.k % 2 === 0 ? 'shop' : 'constructor',
      ...(one.recovered && { recovered: true }),
      pid: 2 ** 22 + 1,
    };
    await ledger.appendEvent(makeEvent(one.k, one.status, { ...more, ...(one.k % 3 === 0 && { host: 'elsewhere' }) }));
  } else if (one.do === 'clear') await ledger.appendFact({ record: 'clear', cleared: 0, ...actor });
  else if (one.do === 'verified')
    await ledger.appendFact({ record: 'verification', ...fact, storage: 'local', level: 'restore', detail: '', ...actor });
  else if (one.do === 'restored') await ledger.appendFact({ record: 'restore', ...fact, target: 'x', compared: true });
  else if (one.do === 'another') rmSync(join(temporary.state, 'ledger'), { recursive: true, force: true });
  else if (existsSync(file()) && one.do === 'damage') appendFileSync(file(), '{"v":1,garbage\n');
  else if (existsSync(file()) && one.do === 'truncate') truncateSync(file(), Math.max(0, readFileSync(file()).length - 700));
}

test('through rotation, clear, truncation, damage, another ledger and another process', async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(step, { maxLength: 25 }), async (steps) => {
      rmSync(temporary.state, { recursive: true, force: true });
      let kept = 'null';
      const memory = { recall: () => JSON.parse(kept) as unknown, keep: (content: object) => void (kept = JSON.stringify(content)) };
      const open = () => temporary.ledger({ segmentLimit: 3000 });
      let reader = new LedgerReader(open(), memory, 3);
      for (const one of steps) {
        await act(open(), one);
        if (one.do === 'process') reader = new LedgerReader(open(), memory, 3);
        await same(sightOf(open()), reader);
      }
    }),
    { numRuns: count(15, 300) },
  );
});

/** A ledger in memory: of each event `lines`, mixed by where `spread` puts the later ones. */
function inMemory(records: readonly LedgerRecord[]): Ledger {
  const lines = records.map((record, offset): LedgerLine => ({ position: { segment: 1, offset }, record }));
  async function* some(all: readonly LedgerLine[]): AsyncGenerator<LedgerLine> {
    yield* all;
  }
  const from = (place?: Position) => lines.slice(place?.offset ?? 0);
  return {
    read: (_damage, place) => some(from(place)),
    readOutcomes: (_damage, place) => some(from(place)),
    readBackwards: (_damage, place) => some(lines.slice(0, place?.offset).toReversed()),
  } as Partial<Ledger> as Ledger;
}

describe('pages of old events', () => {
  const minute = 60_000;
  /** Each event is a minute after the one before; every seventh goes on `late` lines after it began. */
  function records(events: number, late: number, cleared = -1): LedgerRecord[] {
    const lines: [number, LedgerRecord][] = [];
    const add = (at: number, content: object) => {
      const frame = { v: 1, at: new Date(Date.UTC(2026, 0, 1) + at * minute).toISOString(), prev: '' };
      lines.push([at, { ...content, ...frame } as LedgerRecord]);
    };
    for (let k = 0; k < events; k += 1) {
      const end = k % 7 === 0 ? late : 0.2;
      const of = (status: EventStatus, state: number) => ({ record: 'event', ...makeEvent(k * 60, status), step: state });
      add(k, of('pending', 0));
      add(k + 0.1, of('running', 1));
      if (k % 5 !== 0) add(k + end, of(k % 11 === 0 ? 'failed' : 'completed', 2));
      if (k % 77 === 0 && k % 5 !== 0) add(k + end + late, { ...of('completed', 3), from: 'failed', recovered: true });
      if (k === cleared) add(k + 0.3, { record: 'clear', cleared: 1, by: 'test' });
    }
    return lines.toSorted(([a], [b]) => a - b).map(([, record]) => record);
  }
  const memory = { recall: () => null, keep: () => {} };
  const alive = { isEventAlive: async () => true };

  test.each([
    ['that end soon', 0.2, -1],
    ['that end long after others', 1500, -1],
    ['of which some were cleared', 900, 2500],
  ])('%s', async (_what, late, cleared) => {
    const all = records(4000, late, cleared);
    let read = 0;
    const ledger = inMemory(all);
    const readBackwards: Ledger['readBackwards'] = async function* (...given) {
      for await (const line of ledger.readBackwards(...given)) {
        read += 1;
        yield line;
      }
    };
    const sight = { ledger: { ...ledger, readBackwards }, locks: alive, process: { host: 'here' } } as unknown as Sight;
    const reader = new LedgerReader(ledger, memory);
    await fc.assert(
      fc.asyncProperty(fc.nat(3999), fc.integer({ min: 1, max: 30 }), async (k, limit) => {
        const query = { limit, cursor: eventId(k * 60) };
        const plain = await listEvents(sight, query).catch(String);
        read = 0;
        expect(await listEvents(sight, query, reader).catch(String)).toEqual(plain);
        if (k < 1000 && cleared < 0) expect(read).toBeLessThan(6000);
      }),
      { numRuns: count(4, 200) },
    );
    read = 0;
    const odd = `${eventId(60_000).slice(0, -3)}fff`;
    await expect(listEvents(sight, { limit: 1, cursor: odd }, reader)).rejects.toThrow(`the cursor "${odd}" is no event`);
  });
});

test('a page is found behind the lines that were written once a clock that was ahead is right again', async () => {
  const years = temporary.ledger({ clock: { now: () => new Date('2038-01-01T00:00:00Z') } });
  const ids = [0, 1, 2, 3].map((k) => `01f3${eventId(k).slice(4)}`);
  for (const id of ids) await years.appendEvent({ ...makeEvent(0, 'pending'), id, pid: process.pid });
  await temporary.ledger().appendEvent(makeEvent(9, 'pending'));
  const sight = sightOf(temporary.ledger());
  const { events, next } = await listEvents(sight, { limit: 2 });
  expect(events.map(({ id }) => id)).toEqual([eventId(9), ids[3]]);
  expect((await listEvents(sight, { limit: 9, ...(next !== null && { cursor: next }) })).events.map(({ id }) => id)).toEqual(
    ids.slice(0, 3).toReversed(),
  );
});

test('E17: notes that are stale, cut, garbage or of another ledger: the same answers, and notes that are right again', async () => {
  const write = async (from: number, to: number) => {
    for (let k = from; k < to; k += 1)
      for (const status of ['pending', 'running', k % 3 === 0 ? 'failed' : 'completed'] as const)
        await temporary.ledger().appendEvent(makeEvent(k, status));
  };
  const file = join(temporary.state, 'metrics.json');
  const memory = () => openMemory(temporary.state, 'metrics.json');
  const note = async () => {
    await new LedgerReader(temporary.ledger(), memory(), 1).read();
    return readFileSync(file, 'utf8');
  };
  await write(0, 10);
  const stale = await note();
  await write(10, 14);
  const right = await note();
  rmSync(join(temporary.state, 'ledger'), { recursive: true });
  await write(20, 33);
  const foreign = await note();
  rmSync(join(temporary.state, 'ledger'), { recursive: true });
  await write(0, 14);
  const sight = sightOf(temporary.ledger());
  const ahead = right.replace(/"offset":(\d+)/, (_all, offset: string) => `"offset":${Number(offset) + 1}`);
  expect(ahead).not.toBe(right);
  for (const wrong of [stale, right.slice(0, right.length / 2), '', 'garbage', '{}', '[]', 'null', '{"version":1}', foreign, ahead]) {
    writeFileSync(file, wrong);
    const reader = new LedgerReader(temporary.ledger(), memory(), 1);
    await same(sight, reader);
    expect((await keptStatistics(sight, reader, {})).totalEvents).toBe(14);
    // what was wrong is no longer remembered
    await same(sight, new LedgerReader(temporary.ledger(), memory(), 1));
  }
});
