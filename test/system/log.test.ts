import { mkdtempSync, readFileSync, rmSync, statSync, symlinkSync, existsSync, mkdirSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { Failure } from '../../src/model/errors.js';
import { registerSecret } from '../../src/model/redact.js';
import { openLog, type LogOptions } from '../../src/system/log.js';

let folder: string;
let stderr: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'log-'));
  stderr = '';
  vi.spyOn(process.stderr, 'write').mockImplementation((chunk) => {
    stderr += String(chunk);
    return true;
  });
});
afterEach(() => {
  vi.restoreAllMocks();
  rmSync(folder, { recursive: true });
});

const at = '2026-03-01T01:02:03.456Z';
const open = (options: Partial<LogOptions> = {}) =>
  openLog({ format: 'text', file: join(folder, 'a/b/log'), level: 'info', stderr: false, clock: { now: () => new Date(at) }, ...options });
const written = () => readFileSync(join(folder, 'a/b/log'), 'utf8');

describe('text', () => {
  test('is time, level, message and facts on a line', () => {
    open()('info', 'backup completed', { event: 'e1', size: 12, detail: 'a "b" c', none: undefined, nothing: null, list: ['x'] });
    expect(written()).toBe(`${at} info backup completed event=e1 size=12 detail="a \\"b\\" c" nothing=null list=["x"]\n`);
  });

  test('keeps one entry on one line, whatever is in it', () => {
    open()('warn', `first\n${at} info forged \u001b[2J\r\u2028`, { 'ke\ny': 'a\nb\u009b' });
    expect(written().split('\n')).toHaveLength(2);
    // oxlint-disable-next-line no-control-regex -- control characters are what is looked for
    expect(written().trimEnd()).not.toMatch(/[\u0000-\u001f\u007f-\u009f\u2028]/);
  });
});

test('JSON is one object a line, and its time, level and message cannot be overwritten', () => {
  open({ format: 'json' })('error', 'no\nway\u009b', { at: 'never', size: 1n, cause: new Failure('storage', 'full') });
  expect(written().split('\n')).toHaveLength(2);
  expect(written()).not.toContain('\u009b');
  expect(JSON.parse(written())).toEqual({
    at,
    level: 'error',
    message: 'no\nway\u009b',
    size: '1',
    cause: expect.objectContaining({ code: 'storage', message: 'full' }),
  });
});

test.each(['text', 'json'] as const)('a secret is never written as %s', (format) => {
  registerSecret('top "secret"');
  open({ format })('info', 'with top "secret"', {
    url: 'postgres://me:geheim@db/shop',
    error: new Error('top "secret"'),
    deep: { er: ['top "secret"'] },
  });
  expect(written()).not.toMatch(/secret|geheim/);
  expect(written()).toContain('postgres://me:***@db/shop');
});

test('the file is for its owner only, is appended to, and is made with the first line', () => {
  const log = open();
  expect(existsSync(join(folder, 'a'))).toBe(false);
  log('info', 'one');
  open()('info', 'two');
  expect(written()).toBe(`${at} info one\n${at} info two\n`);
  expect(statSync(join(folder, 'a/b/log')).mode & 0o777).toBe(0o600);
});

test('levels below the asked one are left out', () => {
  const log = open({ level: 'warn', stderr: true });
  log('info', 'no');
  log('debug', 'no');
  log('error', 'yes');
  expect(written()).toBe(`${at} error yes\n`);
});

test('stderr shows warnings and errors, and everything at debug', () => {
  open({ file: null, stderr: true })('info', 'one');
  open({ file: null, stderr: true })('warn', 'two');
  open({ file: null, stderr: true, level: 'debug' })('debug', 'three');
  expect(stderr).toBe(`${at} warn two\n${at} debug three\n`);
});

describe('a log that cannot be written says so once, and fails nothing', () => {
  test.each([
    ['behind a link', () => symlinkSync(join(folder, 'target'), join(folder, 'a/b/log'))],
    ['a folder', () => mkdirSync(join(folder, 'a/b/log'))],
  ])('%s', (_name, spoil) => {
    mkdirSync(join(folder, 'a/b'), { recursive: true });
    spoil();
    const log = open();
    log('info', 'one');
    log('info', 'two');
    expect(stderr).toMatch(/^warning: no log: .*log'\n$/);
    expect(existsSync(join(folder, 'target'))).toBe(false);
  });

  test('a parent that is a file', () => {
    writeFileSync(join(folder, 'a'), '');
    open()('info', 'one');
    expect(stderr).toMatch(/^warning: no log: /);
  });

  test('a full disk', (context) => {
    context.skip(!existsSync('/dev/full'), 'there is no /dev/full');
    const log = open({ file: '/dev/full' });
    log('info', 'one');
    log('info', 'two');
    expect(stderr.match(/ENOSPC/g)).toHaveLength(1);
  });
});
