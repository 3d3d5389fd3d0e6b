/**
 * cli: the front door. Knows every command by name, and turns what commander, a closed pipe or a bug throws into an exit code.
 */
import { Command, CommanderError } from 'commander';
import { asFailure, Failure } from '../model/errors.js';
import { withGlobalOptions } from './command.js';
import { completionCommand } from './commands/completion.js';
import { configCommand } from './commands/config.js';
import { demoCommand } from './commands/demo/demo.js';
import { explainCommand } from './commands/schedule/explain.js';
import { executeCommand } from './commands/execute.js';
import { activeCommand } from './commands/events/active.js';
import { eventsCommand } from './commands/events/events.js';
import { statisticsCommand } from './commands/statistics.js';
import { backupsCommand } from './commands/backups/backups.js';
import { verifyCommand } from './commands/verify.js';
import { healthCommand, unknownExit } from './commands/health.js';
import { metricsCommand } from './commands/metrics.js';
import { restoreCommand } from './commands/restore/restore.js';
import { scheduleCommand } from './commands/schedule/schedule.js';
import { guardCommand } from './commands/guard.js';
import { serveCommand } from './commands/serve.js';
import { testCommand } from './commands/test.js';
import { tokenCommand } from './commands/token.js';
import { present, type GlobalOptions } from './render.js';
import { interruption } from './signals.js';

type AddCommand = (program: Command) => void;

const everyCommand: Readonly<Record<string, AddCommand>> = {
  config: configCommand,
  execute: executeCommand,
  schedule: scheduleCommand,
  explain: explainCommand,
  active: activeCommand,
  events: eventsCommand,
  statistics: statisticsCommand,
  backups: backupsCommand,
  verify: verifyCommand,
  restore: restoreCommand,
  guard: guardCommand,
  health: healthCommand,
  metrics: metricsCommand,
  test: testCommand,
  serve: serveCommand,
  token: tokenCommand,
  completion: completionCommand,
  demo: demoCommand,
};

/** Describing a command costs time, so that one which is named right away is the only one there. Completion tells of all. */
function commandsFor([, , first = '']: readonly string[]): readonly AddCommand[] {
  if (first === '--version' || first === '-V') return [];
  const named = first !== 'completion' && Object.hasOwn(everyCommand, first) ? everyCommand[first] : undefined;
  return named ? [named] : Object.values(everyCommand);
}

/** The whole tree of commands; completion and docs/commands.md are made from it. */
export function createProgram(commands: readonly AddCommand[] = Object.values(everyCommand)): Command {
  const program = withGlobalOptions(new Command('backup-automation'))
    .description('Automates PostgreSQL backups and proves that each one restores')
    .version(VERSION, '-V, --version', 'show the version')
    .exitOverride()
    .showSuggestionAfterError()
    .configureOutput({ outputError: () => {} });
  for (const add of commands) add(program);
  return program;
}

/** What the global options say, where commander has not come to read them. */
function optionsOf(argv: readonly string[]): GlobalOptions {
  const end = argv.indexOf('--');
  const words = new Set(end < 0 ? argv : argv.slice(0, end));
  const has = (word: string) => words.has(word);
  return { set: [], json: has('--json'), quiet: has('--quiet'), verbose: has('--verbose'), color: !has('--no-color') };
}

/** The command that the words lead to. */
function commandOf(program: Command, argv: readonly string[]): Command {
  let command = program;
  for (const word of argv.slice(2)) command = command.commands.find((one) => one.name() === word) ?? command;
  return command;
}

function pathOf(command: Command): string {
  return command.parent ? `${pathOf(command.parent)} ${command.name()}` : command.name();
}

/** commander's words as ours: `error: unknown option '--jsno'\n(Did you mean --json?)`. */
async function usageFailure(error: CommanderError, command: Command, argv: readonly string[]): Promise<Failure> {
  const [message = '', suggestion = ''] = error.message.replace(/^error: /, '').split('\n');
  const help = `see \`${pathOf(command)} --help\``;
  const likely = suggestion.replace(/[()]/g, '').replace(/^Did/, 'did');
  if (error.code === 'commander.help') return new Failure('usage', 'a command is missing', { hint: help });
  if (error.code !== 'commander.excessArguments' || command.commands.length === 0)
    return new Failure('usage', message, { hint: [likely, help].filter(Boolean).join(' ') });
  // a group of commands with an action of its own takes a mistyped command for an argument
  const { nearest } = await import('../model/settings/nearest.js');
  const names = command.commands.map((one) => one.name());
  const typed = argv.slice(argv.indexOf(command.name()) + 1).find((word) => !word.startsWith('-')) ?? '';
  const hint = `did you mean ${nearest(typed, names).slice(0, 1).join('')}? ${help}`;
  return new Failure('usage', `unknown command '${typed}' of ${command.name()}`, { hint });
}

/**
 * A reader that has gone (`| head -1`) is no failure of ours, and talk that nobody hears (a full disk under `2>>log`) no reason to leave
 * a backup half done. What stdout was to say is missed, and said to be.
 */
function outliveReaders(): void {
  process.stderr.on('error', () => {});
  process.stdout.on('error', (error: NodeJS.ErrnoException) => {
    // a terminal that was closed is such a reader too (EIO): what runs is ended in order by its SIGHUP
    if (error.code === 'EPIPE' || process.stdout.isTTY) return;
    const failure = new Failure('failed', `stdout cannot be written: ${error.code ?? error.message}`, {
      hint: 'look at where it is sent',
    });
    process.exit(present({ document: {}, text: () => '', failure }, { ...optionsOf(process.argv), json: false }));
  });
}

/** A folder that was removed is no place to stand: nothing could be started from it. */
function standSomewhere(): void {
  try {
    process.cwd();
  } catch {
    process.chdir('/');
  }
}

/** Runs one command line. `commands` is for tests. */
export async function main(argv: readonly string[], commands = commandsFor(argv)): Promise<void> {
  outliveReaders();
  standSomewhere();
  const fail = (failure: Failure) => present({ document: {}, text: () => '', failure }, optionsOf(argv));
  const die = (error: unknown) => process.exit(fail(asFailure(error)));
  process.on('uncaughtException', die).on('unhandledRejection', die);
  const program = createProgram(commands);
  try {
    await program.parseAsync(argv);
    // it is tidied up: what is still open, such as a server that does not answer, is not waited for
    if (interruption()) process.exit();
  } catch (error) {
    if (!(error instanceof CommanderError)) die(error);
    else if (error.exitCode !== 0) {
      const command = commandOf(program, argv);
      const exit = fail(await usageFailure(error, command, argv));
      // as monitoring plugins do: 2 would be critical
      process.exitCode = command.name() === 'health' ? unknownExit : exit;
    }
  }
}

declare const VERSION: string;
