/**
 * test: an archive that is kept for a restore is private, whole, and refused where there is no room for it.
 */
import { mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { afterAll, expect, it } from 'vitest';
import { checkRoom, keepIn, mostOf } from '../../../../src/engines/pg_dump/archive/spool.js';

const folder = mkdtempSync(join(tmpdir(), 'backup-automation spool-'));
afterAll(() => rmSync(folder, { recursive: true }));

it('keeps every byte, for us alone, and yields none', async () => {
  const file = join(folder, 'archive');
  const stage = keepIn(file).create();
  let yielded = 0;
  stage.on('data', () => (yielded += 1));
  await pipeline(Readable.from([Buffer.from('one'), Buffer.alloc(300_000, 7), Buffer.from('end')]), stage);
  expect(yielded).toBe(0);
  expect(readFileSync(file)).toEqual(Buffer.concat([Buffer.from('one'), Buffer.alloc(300_000, 7), Buffer.from('end')]));
  expect(statSync(file).mode & 0o777).toBe(0o600);
});

it('never writes into what is there', async () => {
  const file = join(folder, 'there');
  writeFileSync(file, 'mine');
  const stage = keepIn(file).create().resume();
  await expect(pipeline(Readable.from([Buffer.from('x')]), stage)).rejects.toMatchObject({
    code: 'no-space',
    message: expect.stringContaining('EEXIST'),
  });
  expect(readFileSync(file, 'utf8')).toBe('mine');
});

it('refuses where there is no room, and lets pass what nobody knows', async () => {
  await expect(checkRoom(folder, Number.MAX_SAFE_INTEGER, 'a test needs room')).rejects.toMatchObject({
    code: 'no-space',
    message: expect.stringMatching(/up to .* free/),
  });
  await expect(checkRoom(folder, 1, 'a test needs room')).resolves.toBeUndefined();
  await expect(checkRoom(folder, null, 'a test needs room')).resolves.toBeUndefined();
});

it('G12: an archive that grows without end is stopped at the limit, before it fills the disk', async () => {
  const file = join(folder, 'bomb');
  const zeros = Buffer.alloc(1_000_000);
  const endless = function* () {
    for (let written = 0; written < 10_000; written += 1) yield zeros;
  };
  const stage = keepIn(file, 5_500_000).create().resume();
  await expect(pipeline(Readable.from(endless()), stage)).rejects.toMatchObject({
    code: 'archive',
    message: expect.stringContaining('5.5 MB'),
  });
  expect(statSync(file).size).toBe(5_000_000);
  expect(mostOf(null)).toBeNull();
  expect(mostOf(1e9)).toBe(21e9);
});
