/**
 * cli: how things look. The only room beside `main` that writes to the terminal; it never decides anything.
 *
 * Data goes to stdout, talk to stderr. No colour and no cursor codes when the stream is not a terminal.
 */
import { Chalk, type ChalkInstance } from 'chalk';
import type { Failure } from '../model/errors.js';
import { harmless } from '../model/harmless.js';
import { redact } from '../model/redact.js';

export { harmless };

export interface GlobalOptions {
  readonly config?: string;
  readonly set: readonly string[];
  readonly json: boolean;
  readonly quiet: boolean;
  readonly verbose: boolean;
  readonly color: boolean;
}

/** What a command found: `document` for --json, `text` for a person, `failure` when it did not go well. */
export interface Outcome {
  readonly document: Readonly<Record<string, unknown>>;
  readonly text: (paint: ChalkInstance) => string;
  readonly failure?: Failure | undefined;
  /** Overrides the failure's exit code, or 0. */
  readonly exit?: number;
}

/** Node itself looks at NO_COLOR and TERM. */
export const paintFor = (stream: NodeJS.WriteStream, options: Pick<GlobalOptions, 'color'>): ChalkInstance =>
  new Chalk({ level: options.color && stream.isTTY && stream.hasColors() ? 1 : 0 });

/** Columns to fill: the terminal's; Infinity in a pipe, where a row is a line. */
export const width = (stream: NodeJS.WriteStream = process.stdout): number => stream.columns || Infinity;

/** A line of talk on stderr. */
export function say(line: string, options: Pick<GlobalOptions, 'quiet'>): void {
  if (!options.quiet) process.stderr.write(`${line}\n`);
}

/** A line of data on stdout, of a listing that has no end. */
export function emit(line: string): void {
  process.stdout.write(`${line}\n`);
}

/** Fit to be shown: without secrets, and unable to play with the terminal. */
const shown = (text: string) => harmless(redact(text));

/** What, where, and what to type next. */
function explainFailure(failure: Failure, options: GlobalOptions): void {
  const paint = paintFor(process.stderr, options);
  process.stderr.write(`${paint.red('error:')} ${shown(failure.message)}\n`);
  if (failure.hint) process.stderr.write(`${paint.dim(' hint:')} ${shown(failure.hint)}\n`);
  const { stack } = failure.cause instanceof Error ? failure.cause : failure;
  if (options.verbose && stack) process.stderr.write(`${paint.dim(shown(stack))}\n`);
}

/** Prints an outcome the way the options ask for, and returns the exit code. */
export function present({ document, text, failure, exit }: Outcome, options: GlobalOptions): number {
  if (options.json) {
    const error = failure && { ...failure.toJSON(), message: redact(failure.message), hint: redact(failure.hint) };
    process.stdout.write(`${JSON.stringify({ ...document, error }, null, 2)}\n`);
  } else {
    const page = text(paintFor(process.stdout, options));
    if (page) process.stdout.write(page.endsWith('\n') ? page : `${page}\n`);
  }
  if (failure) explainFailure(failure, options);
  return exit ?? failure?.exit ?? 0;
}
