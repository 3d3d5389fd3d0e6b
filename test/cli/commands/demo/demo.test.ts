/** test: the demo runs the real commands to a good end anywhere, and leaves nothing, interrupted or not. */
import { chmodSync, mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { spawn } from 'node:child_process';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { findProgram } from '../../../../src/system/programs/programs.js';
import { cleanEnvironment, runCli, startCli } from '../../../fixtures/cli.js';

let folder = '';
beforeEach(() => {
  folder = mkdtempSync('/tmp/a demo ');
  chmodSync(folder, 0o755);
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

test("backs up, proves and reports, whatever the user's environment says, and leaves nothing", async () => {
  const env = {
    TMPDIR: folder,
    DATABASE_URL: 'postgresql://nobody@127.0.0.1:1/elsewhere',
    PGHOST: '127.0.0.1',
    PGPORT: '1',
    PGDATABASE: 'elsewhere',
    DB_BACKUP_AUTOMATION_ENABLED: 'false',
    DB_BACKUP_MAX_RETRIES: 'many',
    BACKUP_AUTOMATION_CONFIG: '/nowhere.json',
  };
  const { exitCode, stdout, stderr } = await runCli(['demo', '--json'], { cwd: folder, env });
  expect(stderr).not.toMatch(/error:|warning:/);
  const document = JSON.parse(stdout) as { ok: boolean; steps: { command: string; exitCode: number }[] };
  expect(document.ok).toBe(true);
  expect(document.steps.map((step) => `${step.command} ${step.exitCode}`)).toEqual(
    ['execute', 'backups', 'verify', 'events', 'statistics', 'health'].map((name) => `backup-automation ${name} 0`),
  );
  expect(stderr).toMatch(/\$ backup-automation verify\n[^$]*restore +proven[^$]*rows equal the source/);
  expect(stderr).not.toMatch(/(?<!unshare: unshare) failed(?! backup)/);
  expect(exitCode).toBe(0);
  expect(readdirSync(folder)).toEqual([]);
});

test.each([
  ['SIGINT', 130],
  ['SIGTERM', 143],
] as const)('ends by %s with %i, and leaves nothing', async (signal, code) => {
  const { child, done } = startCli(['demo'], { cwd: folder, env: { TMPDIR: folder } });
  child.stdout?.on('data', (text: string) => text.includes('$ backup-automation execute') && child.kill(signal));
  const { exitCode, stderr } = await done;
  expect(stderr).toContain(`interrupted by ${signal}`);
  expect(exitCode).toBe(code);
  expect(readdirSync(folder)).toEqual([]);
});

test('a terminal that is closed leaves nothing either', async (context) => {
  const script = findProgram('script');
  if (!script) return context.skip('script (of bsdutils) is not installed');
  const command = `'${process.execPath}' '${join(import.meta.dirname, '../../../../bin/backup-automation.js')}' demo`;
  const env = { ...cleanEnvironment(folder), TMPDIR: folder };
  const terminal = spawn(script, ['-qfc', command, '/dev/null'], { cwd: folder, env, stdio: ['pipe', 'pipe', 'inherit'] });
  await new Promise<void>((resolve) => {
    terminal.stdout.on('data', (text: Buffer) => text.includes('$ backup-automation execute') && resolve());
  });
  expect(readdirSync(folder)).not.toEqual([]);
  terminal.kill('SIGKILL');
  await expect.poll(() => readdirSync(folder), { timeout: 30_000 }).toEqual([]);
});
