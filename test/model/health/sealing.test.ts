import { expect, test } from 'vitest';
import { adviseSealing, judgeSealing, type SealingFacts } from '../../../src/model/health/sealing.js';

const now = new Date('2026-03-03T12:00:00Z');
const daysAgo = (days: number) => new Date(now.getTime() - days * 86_400_000);
const facts: SealingFacts = { problems: [], keys: [{ id: 'aaaa', provenAt: daysAgo(3) }], identity: true };

test('what cannot be sealed is critical: it is not backed up', () => {
  expect(judgeSealing(facts)).toMatchObject({ status: 'healthy', detail: expect.stringContaining('aaaa') as string });
  expect(judgeSealing({ ...facts, keys: [] }).detail).toContain('passphrase');
  expect(judgeSealing({ ...facts, problems: ['no such file'] })).toMatchObject({ status: 'critical', detail: 'no such file' });
});

test('the age of each proof is told, one that is old or missing with the command', () => {
  expect(adviseSealing(facts, now)).toEqual(['the private key of aaaa was last proven to open the backups 3d ago']);
  const keys = [
    { id: 'bbbb', provenAt: daysAgo(91) },
    { id: 'cccc', provenAt: null },
  ];
  const [old, never, ...rest] = adviseSealing({ ...facts, keys }, now);
  expect(old).toMatch(/bbbb .* ago; prove it again: `backup-automation verify --keys --identity FILE`$/);
  expect(never).toMatch(/nobody proved yet .*cccc.*verify --keys/);
  expect(rest).toEqual([]);
});

test('a private key that opens nothing is a warning: backups are made, and none is proven', () => {
  const wrong = { ...facts, identity: { problem: 'no such file' } };
  expect(judgeSealing(wrong)).toMatchObject({ status: 'warning', detail: expect.stringMatching(/aaaa; .*no such file$/) as string });
  expect(judgeSealing({ ...wrong, problems: ['no lid'] })).toMatchObject({ status: 'critical', detail: 'no lid' });
  expect(adviseSealing(wrong, now).join()).not.toContain('no private key is named');
});

test('without a private key here a restore cannot be proven here', () => {
  expect(adviseSealing({ ...facts, identity: false }, now).join()).toContain('verify.identity');
  expect(adviseSealing({ problems: [], keys: [], identity: false }, now)).toEqual([]);
});
