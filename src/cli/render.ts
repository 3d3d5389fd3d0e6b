/**
 * cli: how things look. The only room beside `main` that writes to the terminal; it never decides anything.
 *
 * Data goes to stdout, talk to stderr. No colour and no cursor codes when the stream is not a terminal.
 */
import { Chalk, type ChalkInstance } from 'chalk';
import type { Failure } from '../model/errors.js';

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

const colourful = (stream: NodeJS.WriteStream, options: Pick<GlobalOptions, 'color'>): boolean =>
  options.color && stream.isTTY && !process.env['NO_COLOR'];

export const paintFor = (stream: NodeJS.WriteStream, options: Pick<GlobalOptions, 'color'>): ChalkInstance =>
  new Chalk({ level: colourful(stream, options) ? 1 : 0 });

/** Columns to fill: the terminal's, else COLUMNS; Infinity in a pipe, where a row is a line. */
export const width = (stream: NodeJS.WriteStream = process.stdout): number => stream.columns || Number(process.env['COLUMNS']) || Infinity;

// oxlint-disable-next-line no-control-regex -- control characters are what is looked for
const control = /[\u0000-\u0008\u000b-\u001f\u007f-\u009f\u200e\u200f\u2028-\u202e\u2066-\u2069]/g;

/** Control characters from elsewhere (a server's error, a table's name) can not move the cursor, colour or turn round the line. */
export const harmless = (text: string): string =>
  text.replace(control, (character) => {
    const code = character.charCodeAt(0).toString(16);
    return code.length > 2 ? `\\u${code}` : `\\x${code.padStart(2, '0')}`;
  });

/** A line of talk on stderr. */
export function say(line: string, options: Pick<GlobalOptions, 'quiet'>): void {
  if (!options.quiet) process.stderr.write(`${line}\n`);
}

/** What, where, and what to type next. */
export function explainFailure(failure: Failure, options: GlobalOptions): void {
  const paint = paintFor(process.stderr, options);
  process.stderr.write(`${paint.red('error:')} ${harmless(failure.message)}\n`);
  if (failure.hint) process.stderr.write(`${paint.dim(' hint:')} ${harmless(failure.hint)}\n`);
  if (options.verbose && failure.cause instanceof Error && failure.cause.stack) process.stderr.write(`${paint.dim(failure.cause.stack)}\n`);
}

/** Prints an outcome the way the options ask for, and returns the exit code. */
export function present(outcome: Outcome, options: GlobalOptions): number {
  if (options.json) {
    const document = outcome.failure ? { ...outcome.document, error: outcome.failure } : outcome.document;
    process.stdout.write(`${JSON.stringify(document, null, 2)}\n`);
  } else {
    const text = outcome.text(paintFor(process.stdout, options));
    if (text) process.stdout.write(text.endsWith('\n') ? text : `${text}\n`);
  }
  if (outcome.failure) explainFailure(outcome.failure, options);
  return outcome.exit ?? outcome.failure?.exit ?? 0;
}
