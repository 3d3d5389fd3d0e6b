import { chmodSync, mkdtempSync, realpathSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { redact } from '../../src/model/redact.js';
import { resolveSecret, resolveSecretText, splitCommand } from '../../src/system/secrets.js';

let folder: string;
beforeEach(() => {
  folder = realpathSync(mkdtempSync(join(tmpdir(), 'backup-automation-secrets-')));
});
afterEach(() => {
  rmSync(folder, { recursive: true, force: true });
  delete process.env['BACKUP_AUTOMATION_TEST_SECRET'];
});

function file(name: string, content: string, mode = 0o600): string {
  const path = join(folder, name);
  writeFileSync(path, content, { mode });
  chmodSync(path, mode);
  return path;
}

describe('env:', () => {
  test('is the variable, hidden from then on, the password of a URL by itself too', async () => {
    process.env['BACKUP_AUTOMATION_TEST_SECRET'] = 'postgresql://u:p%40ssw0rd-1@h/d';
    expect(await resolveSecret('env:BACKUP_AUTOMATION_TEST_SECRET', folder)).toBe('postgresql://u:p%40ssw0rd-1@h/d');
    expect(redact('the server said p@ssw0rd-1')).toBe('the server said ***');
  });

  test('names a variable that is not set', async () => {
    await expect(resolveSecret('env:BACKUP_AUTOMATION_TEST_SECRET', folder)).rejects.toMatchObject({
      code: 'configuration',
      message: expect.stringContaining('BACKUP_AUTOMATION_TEST_SECRET is not set') as string,
    });
  });
});

describe('file:', () => {
  test.each(['first-line-secret', 'first-line-secret\n', 'first-line-secret\r\nsecond\n'])('is the first line of %j', async (content) => {
    file('pw', content);
    expect(await resolveSecret('file:pw', folder)).toBe('first-line-secret');
    expect(redact('x first-line-secret y')).toBe('x *** y');
  });

  test.each([0o644, 0o640, 0o604, 0o620])('I6: is refused with mode %o, through a link too', async (mode) => {
    const path = file('pw', 'secret\n', mode);
    symlinkSync(path, join(folder, 'link'));
    for (const name of ['pw', 'link'])
      await expect(resolveSecret(`file:${name}`, folder)).rejects.toMatchObject({ hint: expect.stringContaining('chmod 600') as string });
  });

  test("a folder of systemd's credentials has its own guard", async () => {
    file('pw', 'credential-secret', 0o644);
    process.env['CREDENTIALS_DIRECTORY'] = folder;
    expect(await resolveSecret('file:pw', folder)).toBe('credential-secret');
    delete process.env['CREDENTIALS_DIRECTORY'];
  });

  test('is refused when it is missing, empty or a folder', async () => {
    file('empty', '\nsecond');
    await expect(resolveSecret('file:none', folder)).rejects.toThrow('there is no such file (ENOENT)');
    await expect(resolveSecret('file:empty', folder)).rejects.toThrow('first line is empty');
    await expect(resolveSecret(`file:${folder}`, folder)).rejects.toThrow('no regular file');
  });
});

describe('command:', () => {
  test('is the first line that a program prints', async () => {
    expect(await resolveSecret(`command:printf '%s\\n' "two words" second`, folder)).toBe('two words');
  });

  test('no shell reads it', async () => {
    expect(await resolveSecret('command:echo $HOME;`id` $(id) | cat > x && y', folder)).toBe('$HOME;`id` $(id) | cat > x && y');
  });

  test('fails with the exit code, and without what was printed', async () => {
    const failing = resolveSecret(`command:sh -c "echo leaked-secret; echo reason >&2; exit 3"`, folder);
    await expect(failing).rejects.toThrow('command:sh: exit code 3: reason');
    await expect(failing).rejects.not.toThrow('leaked-secret');
    await expect(resolveSecret('command:no-such-program-anywhere', folder)).rejects.toMatchObject({ code: 'configuration' });
    await expect(resolveSecret('command:true', folder)).rejects.toThrow('printed nothing');
  });

  test.each([
    ['a b  c', ['a', 'b', 'c']],
    [`a 'b c' "d e"f`, ['a', 'b c', 'd ef']],
    [`a\\ b "c\\"d" 'e\\f'`, ['a b', 'c"d', 'e\\f']],
    [`a '' ""`, ['a', '', '']],
  ])('splits %s', (line, words) => {
    expect(splitCommand(line)).toEqual(words);
  });
});

test('a literal is refused without being said', async () => {
  await expect(resolveSecret('hunter2', folder)).rejects.not.toThrow('hunter2');
  await expect(resolveSecret('hunter2', folder)).rejects.toMatchObject({
    code: 'configuration',
    hint: expect.stringContaining('env:NAME') as string,
  });
});

test('a secret of several lines is all of them, each hidden, its comments not', async () => {
  file('keys', '# made today\r\nsecret-line-one\r\nsecret-line-two\n');
  const text = '# made today\r\nsecret-line-one\r\nsecret-line-two\n';
  expect(await resolveSecretText('file:keys', folder)).toBe(text);
  expect(await resolveSecretText(`command:cat '${folder}/keys'`, folder)).toBe(text.trimEnd());
  expect(redact('a secret-line-two, # made today')).toBe('a ***, # made today');
  file('open', 'x', 0o644);
  await expect(resolveSecretText('file:open', folder)).rejects.toMatchObject({ hint: expect.stringContaining('chmod 600') as string });
});
