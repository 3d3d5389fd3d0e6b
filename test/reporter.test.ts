/** test: the last line of a run counts what passed, failed and was skipped, and says why. */
import { execFileSync, spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';

const root = join(import.meta.dirname, '..');
let folder = '';
beforeEach(() => {
  mkdirSync(join(root, 'node_modules/.cache'), { recursive: true });
  folder = mkdtempSync(join(root, 'node_modules/.cache/reporter-'));
  const reporter = JSON.stringify(join(root, 'test/reporter.ts'));
  writeFileSync(
    join(folder, 'vitest.config.ts'),
    `import { LastLine } from ${reporter};\nexport default { test: { include: ['*.test.ts'], reporters: [new LastLine()] } };\n`,
  );
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

/** Runs tests written as text; returns stdout's lines and the exit code. */
function runTests(files: Record<string, string>): { lines: string[]; status: number | null } {
  for (const [name, text] of Object.entries(files)) writeFileSync(join(folder, name), `import { expect, test } from 'vitest';\n${text}`);
  const vitest = join(root, 'node_modules/vitest/vitest.mjs');
  const { stdout, status } = spawnSync(process.execPath, [vitest, 'run', '--root', folder], { encoding: 'utf8', cwd: folder });
  return { lines: stdout.trimEnd().split('\n'), status };
}

test('counts, and tells of each skipped test why', () => {
  const { lines, status } = runTests({
    'a.test.ts': `test('good', () => {});
      test('bad', () => expect(1).toBe(2));
      test.skipIf(true)('wants root: this is an ordinary user', () => {});
      test('asks', (context) => context.skip('no zsh here'));`,
  });
  expect(lines.at(-1)).toBe('1 passed, 1 failed, 2 skipped');
  expect(lines).toContain('skipped: a.test.ts > wants root: this is an ordinary user');
  expect(lines).toContain('skipped: a.test.ts > asks: no zsh here');
  expect(status).toBe(1);
});

test('a file that cannot be loaded, and an error outside of every test, count as failed', () => {
  const { lines, status } = runTests({
    'broken.test.ts': "throw new Error('broken');",
    'late.test.ts': "test('good', () => { void Promise.reject(new Error('nobody waits')); });",
  });
  expect(lines.at(-1)).toBe('1 passed, 2 failed, 0 skipped');
  expect(status).toBe(1);
});

test('the steps of a clean clone end at the first that fails', () => {
  mkdirSync(join(folder, '.ci'));
  const bin = join(folder, 'bin');
  mkdirSync(bin);
  execFileSync('cp', [join(root, '.ci/run'), join(folder, '.ci/run')]);
  writeFileSync(join(bin, 'npm'), '#!/bin/sh\necho "npm $@"\n[ "$*" != "run check" ]\n', { mode: 0o755 });
  const { stdout, status } = spawnSync('bash', [join(folder, '.ci/run')], {
    encoding: 'utf8',
    env: { PATH: `${bin}:${process.env['PATH']}` },
  });
  expect(stdout.split('\n').filter((line) => line.startsWith('$'))).toEqual(['$ npm ci', '$ npm run check']);
  expect(status).toBe(1);
});
