/** test: what is made of the looks at a database, and when it is spared. */
import { describe, expect, test } from 'vitest';
import { decideGentle, loadOf, type GentleFacts, type Observation } from '../../../src/model/moment/observation.js';

const look = (at: number, change: Partial<Observation> = {}): Observation => ({
  at,
  latency: 1,
  transactions: 0,
  blocksHit: 0,
  blocksRead: 0,
  wal: 0,
  connections: 2,
  busy: 0,
  waiting: 0,
  blocked: null,
  waits: null,
  backends: [],
  ...change,
});

describe('the load', () => {
  test('is what happened between the first and the last look, a second', () => {
    const looks = [
      look(0),
      look(1000, { latency: 4, waiting: 2 }),
      look(4000, { transactions: 400, blocksHit: 90, blocksRead: 10, wal: 8000, connections: 5 }),
    ];
    expect(loadOf(looks)).toEqual({
      transactionsPerSecond: 100,
      latency: 2,
      connections: 3,
      cacheHitRatio: 90,
      walBytesPerSecond: 2000,
      waiting: 2,
    });
  });

  test('is unknown over too short a time, and where nothing may be seen', () => {
    expect(loadOf([])).toBeNull();
    expect(loadOf([look(0)])).toBeNull();
    expect(loadOf([look(0), look(1900)])).toBeNull();
    expect(loadOf([look(0, { wal: null }), look(3000, { wal: null })])).toMatchObject({ walBytesPerSecond: null, cacheHitRatio: null });
  });

  test('is never negative: counters that were reset tell nothing', () => {
    expect(loadOf([look(0, { transactions: 1000 }), look(3000, { transactions: 3 })])?.transactionsPerSecond).toBe(0);
  });
});

describe('gentle', () => {
  const facts: GentleFacts = { asked: 'auto', local: true, core: 3, busy: 4 };
  test.each<[string, Partial<GentleFacts>, number | null]>([
    ['a busy database on this host', {}, 3],
    ['one of which it may not be seen whether it is busy', { busy: null }, 3],
    ['a quiet one', { busy: 0 }, null],
    ['a quiet one, when asked to', { asked: 'on', busy: 0 }, 3],
    ['one on another host', { local: false }, null],
    ['one on another host, when asked to', { asked: 'on', local: false }, 3],
    ['a machine of one core', { core: 'there is one core only' }, null],
    ['when asked not to', { asked: 'off' }, null],
  ])('%s', (_what, change, core) => {
    const decision = decideGentle({ ...facts, ...change });
    expect(decision.core).toBe(core);
    expect(decision.reason).toMatch(core === null ? /^not confined: / : /^confined to core 3: /);
  });
});
