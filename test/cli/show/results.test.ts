/** test: what was verified, as a person reads it. */
import { Chalk } from 'chalk';
import { expect, test } from 'vitest';
import { verifiedTable } from '../../../src/cli/show/results.js';

const plain = new Chalk({ level: 0 });
const one = { backupId: 'b', database: 'shop', level: 'restore', ok: true, detail: 'equal', duration: 10 } as const;

test('that a restore was not caged is said once below, by its reason', () => {
  const why = { uncaged: 'unshare failed' };
  const shown = verifiedTable([{ ...one, ...why }, { ...one, ...why }, one], plain);
  expect(shown.match(/the proof of a restore is not caged here: unshare failed$/gm)).toHaveLength(1);
  expect(verifiedTable([one], plain)).not.toContain('caged');
});
