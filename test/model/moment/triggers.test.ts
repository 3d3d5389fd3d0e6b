/**
 * test: when a trigger fires.
 */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { isUnchanged, type Mark } from '../../../src/model/backup/mark.js';
import { firing, isTooSoon, type TriggerFacts } from '../../../src/model/moment/triggers.js';

const then: Mark = { server: '7/1', started: 'noon', snapshot: '10:10:', sequences: 'x', wal: 1e9, rows: 1000, rowsSince: 'ever' };
const now = new Date('2026-11-22T12:00:00Z');
const before = new Date('2026-11-22T10:00:00Z');
const facts = (more: Partial<TriggerFacts> = {}): TriggerFacts => ({
  now,
  before: { startedAt: before, mark: then },
  completedAt: null,
  touchedAt: null,
  mark: then,
  ...more,
});
const mark = (more: Partial<Mark>): Partial<TriggerFacts> => ({ mark: { ...then, ...more } });

describe('WAL and rows', () => {
  const walGB = { walGB: 2, minimumGap: 60 };
  it.each([
    ['less than the limit', walGB, mark({ wal: 2.9e9 }), null],
    ['the limit', walGB, mark({ wal: 3e9 }), 'wal'],
    ['a position of before, by whatever', walGB, mark({ wal: 9e8 }), 'wal'],
    ['another server', walGB, mark({ server: '7/2' }), 'wal'],
    ['no backup yet', walGB, { before: null }, 'wal'],
    ['a backup of an earlier version', walGB, { before: { startedAt: before, mark: null } }, 'wal'],
    ['a server that was not asked', walGB, { mark: null, before: null }, null],
    ['rows below', { changedRows: 100, minimumGap: 60 }, mark({ rows: 1099 }), null],
    ['rows at it', { changedRows: 100, minimumGap: 60 }, mark({ rows: 1100 }), 'rows'],
    ['rows counted anew, few', { changedRows: 100, minimumGap: 60 }, mark({ rows: 50, rowsSince: 'later' }), null],
    ['rows counted anew, many', { changedRows: 100, minimumGap: 60 }, mark({ rows: 150, rowsSince: 'later' }), 'rows'],
    ['rows on a standby', { changedRows: 1, minimumGap: 60 }, mark({ rows: null }), null],
  ] as const)('%s', (_what, triggers, more, fired) => {
    expect(firing(triggers, facts(more))?.trigger ?? null).toBe(fired);
  });
});

describe('a file', () => {
  const file = { file: '/srv/deployed', minimumGap: 60 };
  const at = (text: string) => ({ touchedAt: new Date(`2026-11-22T${text}Z`) });
  it.each([
    ['touched before the backup', at('09:59:00'), null],
    ['touched since', at('10:00:01'), 'file'],
    ['touched before it was found unchanged', { ...at('10:30:00'), completedAt: new Date('2026-11-22T11:00:00Z') }, null],
    ['touched in a time to come', at('12:00:01'), null],
    ['touched, no backup yet', { ...at('01:00:00'), before: null }, 'file'],
    ['not there', { before: null }, null],
  ] as const)('%s', (_what, more, fired) => {
    expect(firing(file, facts(more))?.trigger ?? null).toBe(fired);
  });
});

it('two backups that triggers start are as far apart as minimumGap says', () => {
  expect(isTooSoon({ minimumGap: 60 }, '2026-11-22T11:00:01Z', now)).toBe(true);
  expect(isTooSoon({ minimumGap: 60 }, '2026-11-22T11:00:00Z', now)).toBe(false);
  expect(isTooSoon({ minimumGap: 60 }, undefined, now)).toBe(false);
});

it('unchanged is only what is known to be so in every part', () => {
  expect(isUnchanged(then, { ...then, wal: 2e9, rows: 7 })).toBe(true);
  const part = fc.constantFrom('server', 'started', 'snapshot', 'sequences');
  fc.assert(
    fc.property(part, fc.option(fc.string()), fc.boolean(), (name, value, both) => {
      fc.pre(value !== then[name] && !(both && value !== null));
      expect(isUnchanged(both ? { ...then, [name]: value } : then, { ...then, [name]: value })).toBe(false);
    }),
  );
});
