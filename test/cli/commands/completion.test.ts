import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { completionScript } from '../../../src/cli/commands/completion.js';
import { createProgram } from '../../../src/cli/main.js';

const has = (shell: string) => spawnSync(shell, ['--version']).status === 0;
const program = createProgram();
let folder: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'completion-'));
  for (const shell of ['bash', 'zsh', 'fish'] as const) writeFileSync(join(folder, shell), completionScript(program, shell));
});
afterAll(() => rmSync(folder, { recursive: true }));

function inShell(shell: string, args: readonly string[]): string[] {
  const { stdout, stderr, status } = spawnSync(shell, args, {
    encoding: 'utf8',
    env: { PATH: process.env['PATH'], HOME: folder, LANG: 'C.UTF-8' },
  });
  expect({ stderr, status }).toEqual({ stderr: '', status: 0 });
  return stdout.split('\n').map((line) => line.split('\t')[0]?.trim() ?? '').filter(Boolean); // prettier-ignore
}

/** What each shell offers for the words typed so far; the last one is being typed. */
const offers: Record<string, (words: readonly string[]) => string[]> = {
  bash: (words) =>
    inShell('bash', [
      '--norc',
      '-c',
      `source "$1"; shift; COMP_WORDS=("$@"); COMP_CWORD=$(($# - 1)); _backup_automation; printf '%s\\n' "\${COMPREPLY[@]}"`,
      'bash',
      join(folder, 'bash'),
      'backup-automation',
      ...words,
    ]),
  zsh: (words) =>
    inShell('zsh', [
      '-f',
      '-c',
      `compdef() { :; }; source "$1"; shift
       _describe() { print -rl -- "\${(@)\${(@P)2}%%:*}"; [[ -n "\${(P)2}" ]]; }; compadd() { print -rl -- "$@"; }; _files() { :; }
       words=("$@"); CURRENT=$#; _backup_automation | grep -e "^\${words[CURRENT]}" || :`,
      'zsh',
      join(folder, 'zsh'),
      'backup-automation',
      ...words,
    ]),
  fish: (words) =>
    inShell('fish', ['--no-config', '-c', `source ${join(folder, 'fish')}; complete -C "backup-automation ${words.join(' ')}"`]),
};

describe.each(Object.keys(offers))('%s', (shell) => {
  const installed = has(shell);
  const reason = `${shell} is not installed`;

  test('completes commands, subcommands, options and fixed choices', (context) => {
    context.skip(!installed, reason);
    const offer = (...words: string[]) => offers[shell]?.(words);
    expect(offer('conf')).toEqual(['config']);
    expect(offer('config', 'up')).toEqual(['update']);
    expect(offer('config', 'update', '--ver')).toEqual(['--verbose']);
    expect(offer('--json', 'config', 'g')).toEqual(['get']);
    expect(offer('completion', 'f')).toEqual(['fish']);
    expect(offer('completion', '')).toEqual(expect.arrayContaining(['bash', 'zsh', 'fish']));
    expect(offer('nothing-such-as-this')).toEqual([]);
  });

  test('knows every command', (context) => {
    context.skip(!installed, reason);
    const visible = program
      .createHelp()
      .visibleCommands(program)
      .map((command) => command.name());
    expect(offers[shell]?.([''])).toEqual(expect.arrayContaining(visible.filter((name) => name !== 'help')));
  });
});

test('a value of a fixed set is completed behind its option', () => {
  const choices = program.commands.flatMap((command) =>
    command.options.flatMap((option) => (option.argChoices ?? []).map((choice) => [command.name(), option.long ?? '', choice] as const)),
  );
  for (const [command, option, choice] of choices) expect(offers['bash']?.([command, option, choice.slice(0, -1)])).toContain(choice);
});

test('bash asks the configuration for the names of schedules and databases', () => {
  const configuration = { schedules: { nightly: { cron: '@daily' } }, databases: { shop: { host: 'nowhere.invalid' } } };
  const file = join(folder, 'backup-automation.config.json');
  writeFileSync(file, JSON.stringify(configuration));
  const command = join(folder, 'backup-automation');
  const cli = join(import.meta.dirname, '../../../bin/backup-automation.js');
  writeFileSync(command, `#!/bin/sh\nexec '${process.execPath}' '${cli}' --config '${file}' "$@"\n`, { mode: 0o755 });
  const path = process.env['PATH'];
  process.env['PATH'] = `${folder}:${path}`;
  try {
    expect(offers['bash']?.(['explain', 'ni'])).toEqual(['nightly']);
    expect(offers['bash']?.(['execute', 'ni'])).toEqual(['nightly']);
    expect(offers['bash']?.(['execute', '--database', ''])).toEqual(['shop']);
    expect(offers['bash']?.(['events', '--schedule', 'n'])).toEqual(['nightly']);
  } finally {
    process.env['PATH'] = path;
  }
});
