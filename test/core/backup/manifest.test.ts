/**
 * test: what is taken for a backup: a manifest that is of this place, whose files have its sizes, and whose signature is ours.
 */
import { afterEach, beforeEach, expect, test } from 'vitest';
import { encodeManifest, readManifest } from '../../../src/core/backup/manifest.js';
import type { Manifest } from '../../../src/model/backup/backup.js';
import type { StoredBackup } from '../../../src/model/roles/storage.js';
import { openSigner } from '../../../src/system/signer.js';
import { eventId } from '../../fixtures/ledger.js';
import { stock, type Stock } from '../../fixtures/stock.js';

let given: Stock;
let stored: StoredBackup;
beforeEach(async () => {
  given = stock();
  await given.add(0);
  for await (const one of given.storage.list()) stored = one;
});
afterEach(() => given.remove());

const read = (more: Partial<StoredBackup> = {}, signer = given.context.signer) => readManifest({ ...stored, ...more }, signer);
const text = () => new TextDecoder().decode(stored.manifest ?? new Uint8Array());
const problem = (said: string) => ({ problem: expect.stringContaining(said) as string });

test('as it was written it is a backup, signed', () => {
  expect(read()).toMatchObject({ trust: 'signed', manifest: { backupId: given.id(0), database: 'shop' } });
});

test('any value that is changed is found by the signature', () => {
  const whole = text();
  const unsigned = whole.slice(0, whole.indexOf('"signature"'));
  // each letter and digit of each value, another one in its place
  const places = [...unsigned.matchAll(/": (?:"[^"]*[0-9a-z]"|\d+)/g)].map((value) => value.index + value[0].replace(/"$/, '').length - 1);
  expect(places.length).toBeGreaterThan(15);
  for (const at of places) {
    const changed = `${whole.slice(0, at)}${whole[at] === '1' ? '2' : '1'}${whole.slice(at + 1)}`;
    expect(read({ manifest: Buffer.from(changed) }), whole.slice(at - 30, at + 1)).toHaveProperty('problem');
  }
});

test('what says that nobody signed it, or somebody else, is not called ours', () => {
  const manifest = { ...(JSON.parse(text()) as Manifest), signature: null };
  expect(read({ manifest: Buffer.from(JSON.stringify(manifest)) })).toMatchObject({ trust: 'unsigned' });
  const other = stock();
  expect(read({ manifest: encodeManifest(manifest, openSigner(other.state)) })).toMatchObject({ trust: 'other key' });
  other.remove();
});

test('of another backup, or another database, it is none', () => {
  expect(read({ place: { database: 'shop', backupId: eventId(9) } })).toEqual(problem('the manifest is of shop/'));
  expect(read({ place: { database: 'other', backupId: given.id(0) } })).toEqual(problem('the manifest is of shop/'));
});

test.each([
  ['missing', {}, 'no bytes'],
  ['cut short', { 'database.dump': 4 }, '4 bytes instead of 5'],
  ['too long', { 'database.dump': 6 }, '6 bytes instead of 5'],
])('with a file that is %s it is none', (_what, sizes, said) => {
  expect(read({ sizes })).toEqual(problem(said));
});
