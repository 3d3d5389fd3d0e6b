/** test: the file whose time is the last tick. */
import { chmodSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { readTicks, tick } from '../../../src/system/files/ticks.js';

let folder: string;
beforeEach(() => (folder = mkdtempSync(join(tmpdir(), 'backup-automation-ticks-'))));
afterEach(() => rmSync(folder, { recursive: true, force: true }));

const at = (minute: number) => new Date(Date.UTC(2026, 2, 3, 12, minute));

test('none yet', () => {
  expect(readTicks(folder)).toEqual({ last: null, gaps: [] });
});

test('a tick a minute leaves no gap, silence does', () => {
  const state = join(folder, 'state');
  for (const minute of [0, 1, 3, 4]) tick(state, at(minute));
  expect(readTicks(state)).toEqual({ last: at(4), gaps: [] });
  tick(state, at(30));
  tick(state, at(31));
  expect(readTicks(state)).toEqual({ last: at(31), gaps: [{ from: at(4), until: at(30) }] });
});

test('where it cannot be written nothing fails', () => {
  chmodSync(folder, 0o500);
  expect(() => tick(join(folder, 'file', 'state'), at(0))).not.toThrow();
});
