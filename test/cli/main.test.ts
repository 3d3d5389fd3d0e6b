import { execFileSync, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import type { Command } from 'commander';
import { describe, expect, test } from 'vitest';
import { createProgram } from '../../src/cli/main.js';
import { runCli, temporaryProject } from '../fixtures/cli.js';

const bin = join(import.meta.dirname, '../../bin/backup-automation.js');

describe('wrong usage', () => {
  test.each([
    ['an unknown command', ['confg'], "unknown command 'confg'", 'did you mean config? see `backup-automation --help`'],
    ['an unknown option', ['config', '--jsno'], "unknown option '--jsno'", 'did you mean --json? see `backup-automation config --help`'],
    [
      'an unknown subcommand',
      ['config', 'updat'],
      "unknown command 'updat' of config",
      'did you mean update? see `backup-automation config --help`',
    ],
    ['a missing argument', ['config', 'get'], "missing required argument 'key'", 'see `backup-automation config get --help`'],
    [
      'one argument too many',
      ['config', 'get', 'a', 'b'],
      "too many arguments for 'get'. Expected 1 argument but got 2.",
      'see `backup-automation config get --help`',
    ],
    [
      'a value that is not a choice',
      ['completion', 'csh'],
      'Allowed choices are bash, zsh, fish.',
      'see `backup-automation completion --help`',
    ],
    [
      'an option without its value',
      ['config', '--set'],
      "option '--set <key=value>' argument missing",
      'see `backup-automation config --help`',
    ],
  ])('%s', async (_name, args, message, hint) => {
    const plain = await runCli(args);
    expect(plain).toMatchObject({ exitCode: 2, stdout: '' });
    expect(plain.stderr).toContain(message);
    expect(plain.stderr).toContain(` hint: ${hint}\n`);
    const json = await runCli(['--json', ...args]);
    expect(json.exitCode).toBe(2);
    expect(JSON.parse(json.stdout)).toEqual({
      error: { code: 'usage', class: 'permanent', message: expect.stringContaining(message), hint },
    });
  });

  test('no command at all shows the help, as talk', async () => {
    const { exitCode, stdout, stderr } = await runCli([]);
    expect([exitCode, stdout]).toEqual([2, '']);
    expect(stderr).toContain('Usage: backup-automation');
    expect(stderr).toContain('error: a command is missing');
  });

  test('what stands behind -- is not read as options', async () => {
    const { exitCode, stdout } = await runCli(['nothing', '--', '--json']);
    expect([exitCode, stdout]).toEqual([2, '']);
  });
});

describe('help', () => {
  const tree = (command: Command): Command[] => [command, ...command.commands.flatMap(tree)];
  const path = (command: Command): string => (command.parent ? `${path(command.parent)} ${command.name()}` : command.name());
  /** commander writes help, with what was added after it, through this. */
  const helpOf = (command: Command, width = 80): string => {
    let text = '';
    command.configureOutput({ writeOut: (part) => (text += part), getOutHelpWidth: () => width, getOutHasColors: () => false });
    command.outputHelp();
    return text;
  };
  const commands = tree(createProgram())
    .slice(1)
    .filter((command) => command.parent?.createHelp().visibleCommands(command.parent).includes(command))
    .map((command) => [path(command), command] as const);

  test.each(commands)('%s has two worked examples of itself and its exit codes', (name, command) => {
    const text = helpOf(command);
    const examples = text.match(/^ {2}\$ backup-automation .*\n {6}\S.*$/gm) ?? [];
    expect(examples.length).toBeGreaterThanOrEqual(2);
    for (const example of examples) expect(example).toContain(`$ ${name}`);
    expect(text).toMatch(/^Exit codes:\n {4}0 {2}good/m);
    for (const line of text.slice(text.indexOf('Exit codes:')).trim().split('\n').slice(1)) expect(line).toMatch(/^ {2}[ \d]{3} {2}\S/);
  });

  test.each(commands)('%s says what each option is for', (_name, command) => {
    expect(command.description()).not.toBe('');
    for (const option of command.options) expect([option.long, option.description]).not.toContain('');
  });

  test.each([60, 80, 160])('fits %i columns', (width) => {
    const text = helpOf(createProgram(), width);
    for (const line of text.split('\n')) expect(line.length).toBeLessThanOrEqual(width);
  });

  test('--help and --version are data and good', async () => {
    expect(await runCli(['--help'])).toMatchObject({ exitCode: 0, stderr: '', stdout: expect.stringContaining('Global options:') });
    expect(await runCli(['help', 'config'])).toMatchObject({
      exitCode: 0,
      stderr: '',
      stdout: expect.stringContaining('Usage: backup-automation config'),
    });
    expect((await runCli(['--version'])).stdout).toMatch(/^\d+\.\d+\.\d+\n$/);
  });
});

describe('the terminal', () => {
  const typed = (command: string, columns: number) =>
    execFileSync('script', ['-qec', `stty cols ${columns}; '${process.execPath}' '${bin}' ${command}`, '/dev/null'], { encoding: 'utf8' });

  test('help is as wide as the terminal', { skip: process.platform !== 'linux' }, () => {
    const longest = (text: string) => Math.max(...text.split(/\r?\n/).map((line) => line.length));
    expect(longest(typed('--help', 60))).toBeLessThanOrEqual(60);
    expect(longest(typed('--help', 120))).toBeGreaterThan(80);
  });

  test('I8: a reader that goes away, and a stdout that is closed, is no crash', () => {
    const { stdout, stderr, status } = spawnSync(
      'bash',
      ['-c', `set -o pipefail; '${process.execPath}' '${bin}' completion zsh | head -1; exit \${PIPESTATUS[0]}`],
      {
        encoding: 'utf8',
      },
    );
    expect({ stdout, stderr, status }).toEqual({ stdout: '#compdef backup-automation\n', stderr: '', status: 0 });
    const closed = spawnSync(
      'bash',
      ['-c', `'${process.execPath}' '${bin}' completion zsh >&-; '${process.execPath}' '${bin}' nothing 2>&-`],
      { encoding: 'utf8' },
    );
    expect(closed).toMatchObject({ status: 2, stderr: '' });
  });

  test('I8: NO_COLOR is honoured, and what is no terminal gets no colour', { skip: process.platform !== 'linux' }, () => {
    const escape = '\u001b';
    const events = `'${process.execPath}' '${bin}' config validate --set maxRetries=x`;
    const seen = (prefix: string, rest = '') =>
      spawnSync('script', ['-qec', `${prefix} ${events} ${rest}`, '/dev/null'], {
        encoding: 'utf8',
        env: { PATH: process.env['PATH'], TERM: 'xterm' },
      }).stdout;
    expect(seen('')).toContain(escape);
    expect(seen('NO_COLOR=1')).not.toContain(escape);
    expect(seen('', '2>&1 | cat')).not.toContain(escape);
  });

  test.each([
    ['restore', 'latest'],
    ['backups', 'prune'],
    ['events', 'clear'],
    ['config', 'init'],
    ['token', 'create'],
    ['demo', '--nothing'],
  ])('I8: `%s %s` asks nobody: with a stdin that never ends it ends', async (...args) => {
    const project = temporaryProject();
    const child = spawn(process.execPath, [bin, ...args], {
      cwd: project.directory,
      env: project.env,
      stdio: ['pipe', 'ignore', 'ignore'],
    });
    const [exitCode] = (await once(child, 'exit')) as [number | null];
    expect(exitCode).not.toBeNull();
    child.stdin.destroy();
    project.cleanup();
  });
});
