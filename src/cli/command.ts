/**
 * cli: the frame around every command: global options, help with examples and exit codes, the one catch.
 *
 * A command file stays light at the top (types, this file); what it needs it imports inside its action, so that
 * `--help` and the listings start fast.
 */
import { Help as CommanderHelp, InvalidArgumentError, Option, type Command } from 'commander';
import { asFailure } from '../model/errors.js';
import { stopListening } from './show/progress.js';
import { present, type GlobalOptions, type Outcome } from './render.js';
import { lostAlerts } from './work.js';
import { interruption } from './signals.js';

export interface Help {
  /** Worked examples: what is typed, and what it does. At least two. */
  readonly examples: readonly (readonly [command: string, does: string])[];
  /** Exit codes beside 0, with what they mean here. */
  readonly exits: Readonly<Record<number, string>>;
}

const collect = (value: string, previous: readonly string[]): string[] => [...previous, value];
const globalGroup = 'Global options:';

/** commander's groups in their order, but the global options last. */
const groupItems: CommanderHelp['groupItems'] = (unsorted, visible, heading) => {
  const groups = new CommanderHelp().groupItems(unsorted, visible, heading);
  const last = groups.get(globalGroup);
  groups.delete(globalGroup);
  return last ? groups.set(globalGroup, last) : groups;
};

/** commander's words, but for defaults that go without saying. */
const optionDescription = (option: Option): string => {
  const silent = option.defaultValue === false || (Array.isArray(option.defaultValue) && option.defaultValue.length === 0);
  return silent ? option.description : new CommanderHelp().optionDescription(option);
};

/** A command with its arguments; that it takes options goes without saying. */
const subcommandTerm = (command: Command): string => new CommanderHelp().subcommandTerm(command).replace(' [options]', '');

/** Made once: every command of the tree shares them. */
const globalOptions = [
  new Option('--config <file>', 'the configuration file, instead of searching for one'),
  new Option('--set <key=value>', 'set any configuration key for this run (repeatable)').argParser(collect).default([]),
  new Option('--json', 'print exactly one JSON document on stdout').default(false),
  new Option('--quiet', 'no talk on stderr but errors').default(false),
  new Option('--verbose', 'more talk on stderr').default(false),
  new Option('--no-color', 'no colour (NO_COLOR is honoured too)'),
].map((option) => option.helpGroup(globalGroup));
const helpOption = new Option('-h, --help', 'show this').helpGroup(globalGroup);

/** The options that every command takes. */
export function withGlobalOptions(command: Command): Command {
  for (const option of globalOptions) command.addOption(option);
  return command.configureHelp({ groupItems, optionDescription, subcommandTerm, minWidthToWrap: 10 }).addHelpOption(helpOption);
}

/** Adds a command with its help. `action` goes on with `.action(run(...))`. */
export function addCommand(parent: Command, usage: string, description: string, help: Help): Command {
  const command = withGlobalOptions(parent.command(usage).description(description));
  const lines = help.examples.map(([typed, does]) => `  $ backup-automation ${typed}\n      ${does}`);
  const exits = Object.entries({ 0: 'good', ...help.exits }).map(([code, meaning]) => `  ${code.padStart(3)}  ${meaning}`);
  return command.addHelpText('after', `\nExamples:\n${lines.join('\n')}\n\nExit codes:\n${exits.join('\n')}`);
}

type Body<Args extends unknown[], O> = (options: O & GlobalOptions, ...args: Args) => Promise<Outcome | number>;

/**
 * Wraps a command's body for commander: positional arguments first, options last, as commander calls it.
 * The body returns an Outcome to print, or an exit code when it printed by itself.
 */
export function run<Args extends unknown[], O = object>(body: Body<Args, O>) {
  return async (...given: [...Args, O, Command]): Promise<void> => {
    const command = given.at(-1) as Command;
    // commander hands the positional arguments, then the options, then the command
    const args = given.slice(0, -2) as unknown as Args;
    const options = command.optsWithGlobals<O & GlobalOptions>();
    // what never ends (nothing left to wait for) must not look like success
    process.exitCode = 1;
    const outcome = await body(options, ...args).catch((error: unknown) => failed(interruption() ?? error));
    if (typeof outcome === 'number') {
      stopListening(outcome === 0);
      process.exitCode = outcome;
    } else {
      stopListening(!outcome.failure);
      const isGood = !outcome.failure && !outcome.exit;
      process.exitCode = present(isGood ? { ...outcome, failure: lostAlerts() } : outcome, options);
    }
  };
}

const failed = (error: unknown): Outcome => ({ document: {}, text: () => '', failure: asFailure(error) });

/** For `.option('--limit <n>', ..., positive)`. */
export function positive(value: string): number {
  const number = Number(value);
  if (!Number.isSafeInteger(number) || number < 1) throw new InvalidArgumentError('expected a whole number from 1.');
  return number;
}

const units = { s: 1000, m: 60_000, h: 3_600_000, d: 86_400_000 } as const;

/** `90s`, `30m`, `2h`, `1d` as ms. */
export function duration(value: string): number {
  const match = /^(\d{1,6})([smhd])$/.exec(value);
  if (!match) throw new InvalidArgumentError('expected a number and s, m, h or d, e.g. 30m.');
  return Number(match[1]) * units[match[2] as keyof typeof units];
}
