/**
 * system: libpq's password file, read by its rules and written for its children. Reads one that others may read never.
 *
 * Source: PostgreSQL's documentation, "The Password File", and `passwordFromFile` of libpq.
 */
import { readFile, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { Failure } from '../../model/errors.js';
import { registerSecret } from '../../model/redact.js';
import type { Parameters } from './keywords.js';
import { homeOf } from './parameters.js';

export interface Passfile {
  readonly text: string;
  /** Why the file was passed over, for the hint of a refused password. */
  readonly ignored: string | null;
}

export interface Login {
  readonly host: string;
  readonly port: number;
  readonly databaseName: string;
  readonly user: string;
}

/** The folders of the default sockets: Debian's, and the one of PostgreSQL itself. */
export const socketFolders: readonly string[] = ['/var/run/postgresql', '/tmp'];

/** The passfile that holds for these parameters; a missing one is empty. */
export async function readPassfile(parameters: Parameters, env: NodeJS.ProcessEnv): Promise<Passfile> {
  const file = parameters.passfile ?? join(homeOf(env), '.pgpass');
  const found = await stat(file).catch(() => null);
  if (!found) return { text: '', ignored: null };
  if (!found.isFile()) return { text: '', ignored: `the password file ${file} was ignored: it is not a plain file` };
  if ((found.mode & 0o077) !== 0)
    return { text: '', ignored: `the password file ${file} was ignored: others may read it; \`chmod 0600 ${file}\`` };
  return { text: await readFile(file, 'utf8').catch(() => ''), ignored: null };
}

/** Four fields and the password; a backslash takes the next character as it is. */
function fields(line: string): readonly string[] | null {
  const match = /^((?:\\.|[^\\:])*):((?:\\.|[^\\:])*):((?:\\.|[^\\:])*):((?:\\.|[^\\:])*):(.*)$/s.exec(line);
  return match && match.slice(1);
}
const unescape = (field: string): string => field.replace(/\\(.)/gs, '$1');

/** The password of the first line that fits; null where none does. The default socket's host is written `localhost`. */
export function findPassword(text: string, login: Login): string | null {
  const host = socketFolders.includes(login.host) ? 'localhost' : login.host;
  const wanted = [host, `${login.port}`, login.databaseName, login.user];
  for (const line of text.split(/\r?\n/).filter((line) => !line.startsWith('#'))) {
    const found = fields(line);
    if (!found || !wanted.every((value, at) => found[at] === '*' || unescape(found[at] ?? '') === value)) continue;
    const password = unescape(found[4] ?? '');
    registerSecret(password);
    return password;
  }
  return null;
}

/** A line for a private passfile of children that reach this one server only, so host and database need not be told apart. */
export function passfileLine(login: Login, password: string): string {
  if (/[\r\n]/.test(password))
    throw new Failure('configuration', `the password of "${login.user}" holds a line break, which a password file cannot carry`);
  const escape = (text: string): string => text.replace(/[\\:]/g, '\\$&');
  return `*:${login.port}:*:${escape(login.user)}:${escape(password)}`;
}
