/**
 * test: which proofs are overdue.
 */
import { expect, test } from 'vitest';
import { overdueProofs, type ProofTry } from '../../../src/model/backup/overdue.js';

const now = new Date('2026-03-10T12:00:00.000Z');
const ago = (days: number): string => new Date(now.getTime() - days * 86_400_000).toISOString();
const routine = { scheduleId: 'nightly', database: 'shop', level: 'restore', everyDays: 7, backupIds: ['new', 'old'] } as const;
const tried = (backupId: string, days: number, outcome: ProofTry['outcome'], level: ProofTry['level'] = 'restore'): ProofTry => ({
  backupId,
  level,
  at: ago(days),
  outcome,
});

test.each([
  ['never proven', [], ['new']],
  ['proven lower only', [tried('new', 0, 'proven', 'archive')], ['new']],
  ['an older one of the same was proven not long ago', [tried('old', 6.9, 'proven')], []],
  ['that is long ago', [tried('old', 7, 'proven')], ['new']],
  ['another backup was proven', [tried('other', 1, 'proven')], ['new']],
  ['it failed today', [tried('new', 0.9, 'failed')], []],
  ['it failed yesterday', [tried('new', 1, 'failed')], ['new']],
  ['an older one failed today', [tried('old', 0.1, 'failed')], ['new']],
  ['it could not be done 20 minutes ago', [tried('new', 20 / 1440, 'undone')], []],
  ['it could not be done 30 minutes ago', [tried('new', 30 / 1440, 'undone')], ['new']],
] as const)('%s', (_what, tries, expected) => {
  expect(overdueProofs([routine], tries, { now, retryDelay: 30 }).map(({ backupId }) => backupId)).toEqual(expected);
});

test('without a backup nothing is overdue; each database by itself', () => {
  const routines = [{ ...routine, backupIds: [] }, { ...routine, database: 'blog', backupIds: ['b'] }, routine];
  expect(overdueProofs(routines, [tried('b', 1, 'proven')], { now, retryDelay: 0 })).toEqual([
    { scheduleId: 'nightly', backupId: 'new', level: 'restore' },
  ]);
});
