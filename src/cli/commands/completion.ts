/**
 * cli: writes shell completion from commander's own tree of commands, so that it can never be out of date. Names of the
 * configuration (schedules, databases) are asked for by bash alone, where one may stand.
 */
import { Argument, type Command, type Option } from 'commander';
import { addCommand, run } from '../command.js';

interface Node {
  /** The words after the program's name: `config get`. */
  readonly path: string;
  readonly description: string;
  readonly commands: readonly Node[];
  readonly choices: readonly string[];
  readonly options: readonly Option[];
  /** Its argument is the name of a schedule. */
  readonly takesSchedule: boolean;
}

function nodeOf(command: Command, path: string): Node {
  const help = command.createHelp();
  const visible = help.visibleCommands(command).filter((one) => one.name() !== 'help');
  return {
    path,
    description: command.description(),
    commands: visible.map((one) => nodeOf(one, `${path} ${one.name()}`.trim())),
    choices: command.registeredArguments.flatMap((argument) => argument.argChoices ?? []),
    options: help.visibleOptions(command),
    takesSchedule: command.registeredArguments.some((argument) => argument.name() === 'schedule'),
  };
}

const flat = (node: Node): Node[] => [node, ...node.commands.flatMap(flat)];
const last = (node: Node) => node.path.split(' ').at(-1) ?? '';
const flags = (option: Option) => [option.short, option.long].filter((flag) => flag !== undefined);
const quote = (text: string) => `'${text.replaceAll("'", "'\\''")}'`;
const withChoices = (nodes: readonly Node[]) => [
  ...new Map(nodes.flatMap((node) => node.options.filter((option) => option.argChoices).map((option) => [option.long, option]))).values(),
];

/** The lines by which bash and zsh find the command that the words so far lead to. */
const descent = (nodes: readonly Node[]) =>
  nodes
    .filter((node) => node.path)
    .map((node) => `      ${quote(`${node.path.split(' ').slice(0, -1).join(' ')}|${last(node)}`)}) at=${quote(node.path)} ;;`)
    .join('\n');

/** Options whose values are names of the configuration. */
const named = { '--schedule': 'schedules', '--database': 'databases' };

function bash(nodes: readonly Node[]): string {
  const words = (node: Node) => [...node.commands.map(last), ...node.choices, ...node.options.flatMap(flags)].join(' ');
  const offer = (these: string, names?: string) =>
    `COMPREPLY=($(compgen -W ${quote(these)}${names ? `" $(_backup_automation_names ${names})"` : ''} -- "$current"))`;
  const values = withChoices(nodes).map((option) => `    ${option.long}) ${offer((option.argChoices ?? []).join(' '))}; return ;;`);
  const asked = Object.entries(named).map(([option, names]) => `    ${option}) ${offer('', names)}; return ;;`);
  const free = nodes.flatMap((node) => node.options.filter((option) => option.required && !option.argChoices).map((option) => option.long));
  return `# backup-automation: completion for bash; use it with: source <(backup-automation completion bash)
_backup_automation_names() { [[ "$current" == -* ]] || backup-automation config names "$1" 2>/dev/null; }
_backup_automation() {
  local current="\${COMP_WORDS[COMP_CWORD]}" previous="\${COMP_WORDS[COMP_CWORD-1]}" at='' word
  for word in "\${COMP_WORDS[@]:1:COMP_CWORD-1}"; do
    case "$at|$word" in
${descent(nodes)}
    esac
  done
  case "$previous" in
${[...values, ...asked].map((value) => `${value}\n`).join('')}    ${[...new Set(free)].join('|')}) return ;;
  esac
  case "$at" in
${nodes.map((node) => `    ${quote(node.path)}) ${offer(words(node), node.takesSchedule ? 'schedules' : undefined)} ;;`).join('\n')}
  esac
}
complete -o default -F _backup_automation backup-automation
`;
}

function zsh(nodes: readonly Node[]): string {
  const item = (name: string, description: string) => quote(`${name.replaceAll(':', '\\:')}:${description}`);
  const page = (node: Node) => {
    const commands = [...node.commands.map((one) => item(last(one), one.description)), ...node.choices.map((one) => item(one, ''))];
    const options = node.options.flatMap((option) => flags(option).map((flag) => item(flag, option.description)));
    return `    ${quote(node.path)}) commands=(${commands.join(' ')}); options=(${options.join(' ')}) ;;`;
  };
  const values = withChoices(nodes).map((option) => `    ${option.long}) compadd ${(option.argChoices ?? []).join(' ')}; return ;;\n`);
  return `#compdef backup-automation
# backup-automation: completion for zsh; save it as _backup_automation in a folder of your fpath
_backup_automation() {
  local at='' word
  local -a commands options
  for word in "\${(@)words[2,CURRENT-1]}"; do
    case "$at|$word" in
${descent(nodes)}
    esac
  done
  case "\${words[CURRENT-1]}" in
${values.join('')}    *) ;;
  esac
  case "$at" in
${nodes.map(page).join('\n')}
  esac
  if [[ "\${words[CURRENT]}" == -* ]]; then _describe option options; else _describe command commands || _files; fi
}
if [[ "$funcstack[1]" == _backup_automation ]]; then _backup_automation "$@"; else compdef _backup_automation backup-automation; fi
`;
}

function fish(nodes: readonly Node[]): string {
  const line = (when: string, what: string, description: string) =>
    `complete -c backup-automation -n ${quote(when)} ${what}${description ? ` -d ${quote(description)}` : ''}`;
  const at = (node: Node) => {
    const below = node.commands.length ? `; and not __fish_seen_subcommand_from ${node.commands.map(last).join(' ')}` : '';
    return node.path
      ? `${node.path
          .split(' ')
          .map((word) => `__fish_seen_subcommand_from ${word}`)
          .join('; and ')}${below}`
      : '__fish_use_subcommand';
  };
  const lines = nodes.flatMap((node) => [
    ...node.commands.map((one) => line(at(node), `-f -a ${last(one)}`, one.description)),
    ...node.choices.map((choice) => line(at(node), `-f -a ${choice}`, '')),
    ...node.options.map((option) => {
      const names = `${option.short ? `-s ${option.short.slice(1)} ` : ''}-l ${option.long?.slice(2)}`;
      const value = option.argChoices ? ` -x -a ${quote(option.argChoices.join(' '))}` : option.required ? ' -r' : '';
      return line(at(node), names + value, option.description);
    }),
  ]);
  return `# backup-automation: completion for fish; save it as ~/.config/fish/completions/backup-automation.fish\n${lines.join('\n')}\n`;
}

const shells = { bash, zsh, fish };

/** The script for one shell, from the program's tree. */
export function completionScript(program: Command, shell: keyof typeof shells): string {
  return shells[shell](flat(nodeOf(program, '')));
}

export function completionCommand(program: Command): void {
  addCommand(program, 'completion', 'print a script that completes commands and options in your shell', {
    examples: [
      ['completion bash > ~/.local/share/bash-completion/completions/backup-automation', 'bash, for good'],
      ['completion fish > ~/.config/fish/completions/backup-automation.fish', 'fish, for good'],
    ],
    exits: { 2: 'wrong usage' },
  })
    .addArgument(new Argument('<shell>', 'the shell').choices(Object.keys(shells)))
    .action(
      run(async (_options, shell: keyof typeof shells) => {
        process.stdout.write(completionScript(program, shell));
        return 0;
      }),
    );
}
