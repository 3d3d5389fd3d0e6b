import { spawn, spawnSync, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { positive } from '../../src/cli/command.js';
import { bundle, type Program } from '../fixtures/bundle.js';

/** A command line of our frame with bodies of every kind of end. */
const source = `
  import { Command } from 'commander';
  import { addCommand, run } from './src/cli/command.js';
  import { listen } from './src/cli/show/progress.js';
  import { stopSignal } from './src/cli/signals.js';
  import { main } from './src/cli/main.js';
  import { capture } from './src/system/programs/exec.js';
  import { Failure } from './src/model/errors.js';
  import { registerSecret } from './src/model/redact.js';
  import { setTimeout as rest } from 'node:timers/promises';

  registerSecret('geheim');
  const bodies = {
    good: async () => ({ document: { fine: true }, text: (paint) => paint.green('fine') }),
    bad: async () => ({ document: { half: true }, text: () => 'half', failure: new Failure('storage', 'no geheim \\u001b[2J here', { hint: 'type \\u009bthis' }) }),
    thrown: async () => { throw new TypeError('a bug'); },
    number: async () => 7,
    announced: async (options) => { listen(options)({ kind: 'step', step: 'dump', database: 'shop', detail: '' }); return 0; },
    works: async () => {
      const signal = stopSignal();
      const child = capture('/bin/sleep', [process.env.SLEEP ?? '1000'], { timeoutMs: 60_000 });
      process.stdout.write('ready\\n');
      await Promise.race([child, rest(60_000, undefined, { signal }).catch(() => {})]);
      process.stdout.write('tidying\\n');
      await rest(process.env.TIDY === 'long' ? 60_000 : 10);
      throw new Error('some consequence');
    },
    rejects: async () => { void Promise.reject(new Error('left alone')); await rest(1000); return 0; },
    throws: async () => { setTimeout(() => { throw new Error('out of the blue'); }, 1); await rest(1000); return 0; },
  };
  const word = process.argv[2];
  await main(process.argv, [(program) => addCommand(program, word, 'a test', { examples: [], exits: {} }).action(run(bodies[word]))]);
`;

let program: Program;
beforeAll(async () => {
  program = await bundle(source);
});
afterAll(() => program.remove());

interface End {
  readonly code: number | null;
  readonly signal: string | null;
  readonly stdout: string;
  readonly stderr: string;
}

interface Started {
  readonly child: ChildProcess;
  readonly end: Promise<End>;
  readonly said: (word: string) => Promise<void>;
}

function start(args: readonly string[], env: Record<string, string> = {}): Started {
  const child = spawn(process.execPath, [program.file, ...args], { env: { PATH: process.env['PATH'], ...env } });
  let [stdout, stderr] = ['', ''];
  child.stdout.on('data', (text) => (stdout += String(text)));
  child.stderr.on('data', (text) => (stderr += String(text)));
  const end: Promise<End> = once(child, 'close').then(([code, signal]) => ({ code, signal, stdout, stderr }));
  const said = async (word: string) => {
    while (!stdout.includes(word) && child.exitCode === null) await once(child.stdout, 'data');
  };
  return { child, end, said };
}

const typed = (...args: string[]) => start(args).end;

describe('an outcome', () => {
  test('is text for a person, without colours in a pipe', async () => {
    expect(await typed('good')).toEqual({ code: 0, signal: null, stdout: 'fine\n', stderr: '' });
  });

  test('is one document for a program', async () => {
    expect(await typed('good', '--json')).toEqual({ code: 0, signal: null, stdout: '{\n  "fine": true\n}\n', stderr: '' });
  });

  test('that failed is told on stderr with its hint, harmless and without secrets', async () => {
    expect(await typed('bad')).toEqual({
      code: 21,
      signal: null,
      stdout: 'half\n',
      stderr: 'error: no *** \\u001b[2J here\n hint: type \\u009bthis\n',
    });
  });

  test('that failed is beside what there is in the document', async () => {
    const { code, stdout } = await typed('bad', '--json');
    expect(code).toBe(21);
    expect(JSON.parse(stdout)).toEqual({
      half: true,
      error: { code: 'storage', class: 'transient', message: 'no *** \u001b[2J here', hint: 'type \u009bthis' },
    });
  });

  test('may be a number', async () => {
    expect(await typed('number')).toEqual({ code: 7, signal: null, stdout: '', stderr: '' });
  });

  test('ends the progress', async () => {
    expect(await typed('announced')).toMatchObject({ code: 0, stdout: '', stderr: 'shop: dump\n' });
  });
});

describe('a bug', () => {
  test.each([
    ['thrown', 'a bug'],
    ['rejects', 'left alone'],
    ['throws', 'out of the blue'],
  ])('%s is an internal failure, its stack for --verbose only', async (word, message) => {
    const { code, stderr } = await typed(word);
    expect(code).toBe(1);
    expect(stderr.split('\n')).toEqual([`error: ${message}`, expect.stringContaining('hint: this is a bug'), '']);
    expect((await typed(word, '--verbose')).stderr).toMatch(/\n +at .*program\.mjs/);
    const json = await typed(word, '--json');
    expect(JSON.parse(json.stdout)).toEqual({ error: expect.objectContaining({ code: 'internal', message }) });
  });
});

describe('a signal', { skip: process.platform !== 'linux' }, () => {
  test.each([
    ['SIGINT', 130],
    ['SIGTERM', 143],
    ['SIGHUP', 129],
  ] as const)('%s stops the work, lets it tidy up, and exits %i', async (name, code) => {
    const { child, end, said } = start(['works', '--json']);
    await said('ready');
    child.kill(name);
    const found = await end;
    expect(found).toMatchObject({ code, signal: null });
    expect(found.stderr).toContain(`${name}: stopping`);
    expect(found.stderr).toContain(`error: interrupted by ${name}`);
    const document = found.stdout.slice(found.stdout.indexOf('{'));
    expect(found.stdout).toContain('tidying');
    expect(JSON.parse(document)).toEqual({ error: expect.objectContaining({ code: 'interrupted', class: 'transient' }) });
  });

  test('a second one ends at once, and no child is left', async () => {
    const seconds = `1000.${process.pid}`;
    const children = () => spawnSync('pgrep', ['-f', `sleep ${seconds}$`]).status === 0;
    const { child, end, said } = start(['works'], { TIDY: 'long', SLEEP: seconds });
    await said('ready');
    await expect.poll(children).toBe(true);
    child.kill('SIGINT');
    await said('tidying');
    child.kill('SIGTERM');
    expect(await end).toMatchObject({ code: 143 });
    await expect.poll(children).toBe(false);
  });
});

test.each(['0', '-1', '1.5', 'a', '', '9007199254740993'])('%j is no whole number from 1', (text) => {
  expect(() => positive(text)).toThrow('expected a whole number from 1.');
});
test('12 is one', () => {
  expect(positive('12')).toBe(12);
});
