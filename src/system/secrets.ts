/**
 * system: looks up what a reference names, and tells the redactor before anyone else sees it; it keeps nothing.
 */
import { closeSync, constants, fstatSync, openSync, readSync } from 'node:fs';
import { dirname, resolve } from 'node:path';
import { Failure } from '../model/errors.js';
import { registerSecret } from '../model/redact.js';
import { parseReference, type Reference } from '../model/settings/reference.js';

const largest = 65_536;
const patience = 30_000;

const fail = (message: string, hint: string, cause?: unknown): never => {
  throw new Failure('configuration', message, { hint, cause });
};

function fromEnvironment(name: string): string {
  const value = process.env[name];
  return value ? value : fail(`env:${name}: the environment variable ${name} is not set`, `set ${name}, or use "file:PATH"`);
}

/** Where Docker and systemd put secrets, in folders that only the service can enter; the modes of the files there are theirs to choose. */
const keptByOthers = (file: string): boolean => ['/run/secrets', process.env['CREDENTIALS_DIRECTORY']].includes(dirname(file));

/** A file that only its owner may read. */
function fromFile(file: string): string {
  let descriptor: number;
  try {
    descriptor = openSync(file, constants.O_RDONLY | constants.O_NONBLOCK);
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    const problem = code === 'ENOENT' ? 'there is no such file' : 'cannot be read';
    return fail(`file:${file}: ${problem} (${code})`, 'check the path, owner and mode', error);
  }
  try {
    const stats = fstatSync(descriptor);
    if (!stats.isFile()) return fail(`file:${file}: is no regular file`, 'name a file with the secret in it');
    if (stats.mode & 0o077 && !keptByOthers(file))
      return fail(`file:${file}: its mode is 0${(stats.mode & 0o777).toString(8)}, so others may read it`, `chmod 600 '${file}'`);
    const buffer = Buffer.alloc(largest);
    return buffer.toString('utf8', 0, readSync(descriptor, buffer, 0, largest, 0));
  } finally {
    closeSync(descriptor);
  }
}

/** Words as a shell would split them, with quotes and backslashes, and nothing else of a shell. */
export function splitCommand(line: string): string[] {
  const parts = line.match(/(?:[^\s"'\\]|\\.|"(?:[^"\\]|\\.)*"|'[^']*')+/gs) ?? [];
  return parts.map((part) =>
    part.replace(/"((?:[^"\\]|\\.)*)"|'([^']*)'|\\(.)/gs, (_, double?: string, single?: string, escaped?: string) =>
      double === undefined ? (single ?? escaped ?? '') : double.replace(/\\(["\\$`])/g, '$1'),
    ),
  );
}

/** What a program prints; started without a shell, ended after half a minute. */
async function fromCommand(line: string): Promise<string> {
  const [program = '', ...args] = splitCommand(line);
  const { capture } = await import('./programs/exec.js');
  const { exitCode, stdout, stderr } = await capture(program, args, { timeoutMs: patience });
  if (exitCode !== 0) {
    const why = stderr.trim().split('\n', 1)[0]?.slice(0, 200) ?? '';
    return fail(
      `command:${program}: ${exitCode === null ? 'did not end well' : `exit code ${exitCode}`}${why ? `: ${why}` : ''}`,
      `run it by hand: ${program}`,
    );
  }
  return stdout;
}

/** A password inside a URL must be hidden by itself as well. */
function registerAll(value: string): void {
  registerSecret(value);
  const password = /^[a-z][a-z0-9+.-]*:\/\/[^/?#@:]*:([^@]*)@/i.exec(value)?.[1];
  if (!password) return;
  registerSecret(password);
  try {
    registerSecret(decodeURIComponent(password));
  } catch {
    // a stray percent sign: as written it is registered already
  }
}

function lookUp({ scheme, rest }: Reference, base: string): string | Promise<string> {
  if (scheme === 'env') return fromEnvironment(rest.trim());
  return scheme === 'file' ? fromFile(resolve(base, rest)) : fromCommand(rest);
}

/** The first line; of an environment variable all of it. */
function firstLine({ scheme, rest }: Reference, text: string): string {
  const [first = ''] = scheme === 'env' ? [text] : text.split(/\r?\n/, 1);
  if (first) return first;
  return scheme === 'file'
    ? fail(`file:${rest}: its first line is empty`, 'write the secret into its first line')
    : fail(`command:${splitCommand(rest)[0]}: printed nothing`, `run it by hand: ${splitCommand(rest)[0]}`);
}

function parse(reference: string): Reference {
  return parseReference(reference) ?? fail('a secret is written as itself', 'write "env:NAME", "file:PATH" or "command:..." instead');
}

/**
 * The secret that `env:NAME`, `file:PATH` (its first line) or `command:PROGRAM ARGUMENTS` (its first line of output, no shell) names.
 * Relative paths are relative to `base`. Throws `configuration` when there is none, or when others may read the file.
 */
export async function resolveSecret(reference: string, base: string): Promise<string> {
  const parsed = parse(reference);
  const value = firstLine(parsed, await lookUp(parsed, base));
  registerAll(value);
  return value;
}

/** The same for a secret of several lines, such as a file of keys: all of it, each line but comments hidden from now on. */
export async function resolveSecretText(reference: string, base: string): Promise<string> {
  const text = await lookUp(parse(reference), base);
  for (const line of text.split('\n')) if (!line.startsWith('#')) registerAll(line.trim());
  return text;
}
