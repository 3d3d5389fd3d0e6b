/**
 * test: an archive that is kept for a restore is private, whole, and refused where there is no room for it.
 */
import { mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { afterAll, expect, it } from 'vitest';
import { checkRoom, keepIn } from '../../../src/engines/pg_dump/spool.js';

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
