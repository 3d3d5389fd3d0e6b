/**
 * test: files replaced in one step, and folders that only we may write to.
 */
import {
  chmodSync,
  chownSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { ensurePrivateDirectory, writeAtomic } from '../../../src/system/files/files.js';

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'backup-automation-files-'));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

describe('writeAtomic', () => {
  test('replaces the content and leaves nothing else', () => {
    const path = join(folder, 'x');
    writeAtomic(path, 'one');
    writeAtomic(path, Buffer.from('two'), 0o644);
    expect(readFileSync(path, 'utf8')).toBe('two');
    expect(statSync(path).mode & 0o777).toBe(0o644);
    expect(readdirSync(folder)).toEqual(['x']);
  });

  test('is 0600 under any umask', () => {
    const before = process.umask(0);
    writeAtomic(join(folder, 'x'), 'one');
    process.umask(before);
    expect(statSync(join(folder, 'x')).mode & 0o777).toBe(0o600);
  });

  test('what cannot be replaced stays, without a temporary file', () => {
    mkdirSync(join(folder, 'x'));
    expect(() => writeAtomic(join(folder, 'x'), 'one')).toThrow('EISDIR');
    expect(readdirSync(folder)).toEqual(['x']);
    expect(() => writeAtomic(join(folder, 'missing', 'x'), 'one')).toThrow('ENOENT');
  });
});

describe('ensurePrivateDirectory', () => {
  test('creates it 0700, with the folders above it', () => {
    ensurePrivateDirectory(join(folder, 'a', 'b'));
    ensurePrivateDirectory(join(folder, 'a', 'b'));
    for (const path of ['a', 'a/b']) expect(statSync(join(folder, path)).mode & 0o777).toBe(0o700);
  });

  test.each([0o770, 0o702, 0o777])('refuses one of mode %o', (mode) => {
    const path = join(folder, 'open');
    mkdirSync(path);
    chmodSync(path, mode);
    expect(() => ensurePrivateDirectory(path)).toThrow(`others may write to the folder ${path}`);
  });

  test('takes one that others may only read', () => {
    const path = join(folder, 'readable');
    mkdirSync(path);
    chmodSync(path, 0o755);
    expect(() => ensurePrivateDirectory(path)).not.toThrow();
  });

  test.skipIf(process.geteuid?.() !== 0)('refuses one of another user (needs root)', () => {
    chownSync(folder, 65_534, 65_534);
    expect(() => ensurePrivateDirectory(folder)).toThrow('belongs to user 65534');
  });

  test('refuses a file in its place, naming it', () => {
    writeFileSync(join(folder, 'x'), '');
    expect(() => ensurePrivateDirectory(join(folder, 'x'))).toThrow(join(folder, 'x'));
    expect(existsSync(join(folder, 'x'))).toBe(true);
  });
});
