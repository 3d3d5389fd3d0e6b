/** test: the threads of Node are handed something every few seconds, by a process that ends as if nothing were. */
import { spawnSync } from 'node:child_process';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { bundle, type Program } from '../fixtures/bundle.js';

const source = `
import { createHook } from 'node:async_hooks';
import { keepAwake } from './src/system/pulse.js';
let calls = 0;
createHook({ init: (_, type) => void (calls += type === 'FSREQCALLBACK' ? 1 : 0) }).enable();
keepAwake();
keepAwake();
setTimeout(() => process.stdout.write(String(calls)), Number(process.argv[2]));
`;

let program: Program;
beforeAll(async () => (program = await bundle(source)));
afterAll(() => program.remove());

const callsWithin = (ms: number): number => {
  const { status, stdout } = spawnSync(process.execPath, [program.file, String(ms)], { encoding: 'utf8', timeout: 30_000 });
  expect(status).toBe(0);
  return Number(stdout);
};

test('a call every five seconds, however often it is asked for', () => {
  expect(callsWithin(0)).toBe(0);
  expect(callsWithin(7500)).toBe(1);
});
