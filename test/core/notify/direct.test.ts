/** core/notify/direct: the last resort when the ledger cannot be written. */
import { expect, it } from 'vitest';
import { withLastResort } from '../../../src/core/notify/direct.js';
import { Failure } from '../../../src/model/errors.js';
import { down, rig } from './rig.js';

const full = async (): Promise<never> => {
  throw new Failure('ledger', 'cannot append: ENOSPC');
};

it('B3: state directory full: every channel is told directly, and the person how that went', async () => {
  const one = rig({ channels: { ops: {}, mail: {} } });
  const { mail } = one.channels;
  if (mail) mail.answer = down;
  await expect(withLastResort(one.context, full)).rejects.toMatchObject({ code: 'ledger', exit: 74 });
  expect(one.subjects()).toEqual(['FAILED ledger db1 2026-01-05 12:00 UTC']);
  expect(one.said.toSorted()).toEqual([
    'the ledger cannot be written, and channel "mail" cannot be told: it does not answer',
    'the ledger cannot be written: channel "ops" was told directly, with no record of it',
  ]);
  expect(one.records).toEqual([]);
});

it('keeps out of other failures', async () => {
  const one = rig();
  await expect(withLastResort(one.context, async () => Promise.reject(new Failure('storage', 'no')))).rejects.toMatchObject({
    code: 'storage',
  });
  expect(one.subjects()).toEqual([]);
});
