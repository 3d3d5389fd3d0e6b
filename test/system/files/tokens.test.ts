/** test: the file of tokens is believed only where nobody else could have written or read it. */
import { chmodSync, renameSync, statSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { openTokens } from '../../../src/system/files/tokens.js';
import { temporaryState } from '../../fixtures/ledger.js';

test('I6: one that others may read or write, a link and what is none are refused with what to do', async () => {
  const temporary = temporaryState();
  const tokens = openTokens(temporary.state);
  const path = join(temporary.state, 'tokens.json');
  expect(tokens.list()).toEqual([]);
  await tokens.change(() => []);
  expect(statSync(path).mode & 0o777).toBe(0o600);
  for (const mode of [0o640, 0o604, 0o620, 0o602]) {
    chmodSync(path, mode);
    expect(() => tokens.list(), mode.toString(8)).toThrow(`its mode is ${mode.toString(8)}`);
  }
  chmodSync(path, 0o600);
  expect(tokens.list()).toEqual([]);
  writeFileSync(path, '[{"role":"admin"}]');
  expect(() => tokens.list()).toThrow('it is damaged');
  renameSync(path, `${path}.old`);
  symlinkSync(`${path}.old`, path);
  expect(() => tokens.list()).toThrow('ELOOP');
  temporary.remove();
});
