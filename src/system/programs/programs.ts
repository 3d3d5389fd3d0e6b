/**
 * system: finds the PostgreSQL programs of this machine and which version each is. Never decides which to take.
 */
import { accessSync, constants, readdirSync, realpathSync } from 'node:fs';
import { delimiter, dirname, join } from 'node:path';
import type { Installed } from '../../model/backup/client-choice.js';
import { Failure } from '../../model/errors.js';
import { capture } from './exec.js';
import { look } from '../files/folders.js';
import { onPath } from '../files/path.js';
import { fetchPrivateCopy, privateDirectories, type FetchRequest } from './private-copy.js';

/** Where packages put them; `*` stands for a part of one name. */
const knownPlaces = [
  '/usr/lib/postgresql/*/bin',
  '/usr/pgsql-*/bin',
  '/usr/local/pgsql/bin',
  '/usr/libexec/postgresql*',
  '/usr/lib64/postgresql-*/bin',
  '/opt/homebrew/opt/postgresql@*/bin',
  '/usr/local/opt/postgresql@*/bin',
  '/opt/homebrew/opt/libpq/bin',
  '/Applications/Postgres.app/Contents/Versions/*/bin',
];
/** All are asked at once, so that this is the longest wait in all, ms. */
const patience = 5000;

export interface Search {
  /** Alone looked into when given. */
  readonly clientDirectory?: string | undefined;
  readonly env: NodeJS.ProcessEnv;
  /** Hears of what is there but cannot be used, and why. */
  passOver?(reason: string): void;
  /** Instead of the known install directories. */
  readonly places?: readonly string[];
}

function expand(place: string): string[] {
  const star = place.indexOf('*');
  if (star < 0) return [place];
  const start = place.lastIndexOf('/', star);
  const end = place.indexOf('/', star);
  const [prefix, suffix] = place.slice(start + 1, end < 0 ? undefined : end).split('*') as [string, string];
  try {
    return readdirSync(place.slice(0, start))
      .filter((name) => name.startsWith(prefix) && name.endsWith(suffix))
      .sort()
      .map((name) => join(place.slice(0, start), name, end < 0 ? '' : place.slice(end)));
  } catch {
    return [];
  }
}

/** Debian's /usr/bin/pg_dump is a perl script that picks a version: in its stead the folders of the versions, the newest first. */
function behindWrapper(directory: string, program: string): string[] {
  try {
    if (realpathSync(join(directory, program)).endsWith('/pg_wrapper')) return expand('/usr/lib/postgresql/*/bin').toReversed();
  } catch {
    // not there
  }
  return [directory];
}

function directoriesOf({ clientDirectory, env, places = knownPlaces }: Search, program: string): string[] {
  if (clientDirectory !== undefined) return behindWrapper(clientDirectory, program);
  const path = (env['PATH'] ?? '').split(delimiter).filter((directory) => directory.startsWith('/'));
  return [...new Set([...path.flatMap((each) => behindWrapper(each, program)), ...places.flatMap(expand), ...privateDirectories(env)])];
}

function isExecutable(file: string): boolean {
  try {
    accessSync(file, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}

/** Where the program and its companions lie: the folder itself, or the one that a link leads to. */
function homeOf(directory: string, program: string, companions: readonly string[]): string | undefined {
  const homes = [directory, dirname(realpathSync(join(directory, program)))];
  return homes.find((home) => [program, ...companions].every((name) => isExecutable(join(home, name))));
}

/** What is in one folder, null when nothing; a reason when it cannot be used. */
async function inspect(directory: string, program: string, companions: readonly string[]): Promise<Installed | string | null> {
  const file = join(directory, program);
  const found = look(file);
  if (!found) return null;
  if (!found.isFile()) return `${file} is not a file`;
  if (!isExecutable(file)) return `${file} is not executable`;
  const { exitCode, stdout, stderr } = await capture(file, ['--version'], { timeoutMs: patience });
  if (exitCode === null) return `${file} --version did not end within ${patience / 1000} s`;
  const version = /\) (\d[\w.]*)/.exec(stdout)?.[1];
  if (exitCode !== 0 || version === undefined)
    return `${file} --version exits ${exitCode} and says "${(stderr || stdout).trim().slice(0, 200)}"`;
  const major = Number.parseInt(version, 10);
  const home = homeOf(directory, program, companions);
  if (home === undefined) return `${file} is there without ${companions.join(', ')}`;
  return { directory: home, major, version, file: (name) => join(home, name) };
}

async function find(search: Search, program: string, companions: readonly string[]): Promise<Installed[]> {
  const results = await Promise.all(directoriesOf(search, program).map((directory) => inspect(directory, program, companions)));
  const found = new Map<string, Installed>();
  for (const result of results) {
    if (typeof result === 'string') search.passOver?.(result);
    else if (result && !found.has(result.directory)) found.set(result.directory, result);
  }
  if (search.clientDirectory !== undefined && results.every((result) => result === null))
    search.passOver?.(`there is no ${program} in ${search.clientDirectory}`);
  return [...found.values()];
}

/** pg_dump and its companions: `clientDirectory` alone, else PATH, the known places and our private copy, in this order. */
export const findClients = (search: Search): Promise<Installed[]> => find(search, 'pg_dump', ['pg_restore', 'pg_dumpall']);

/** The server programs, in the same places. */
export const findServers = (search: Search): Promise<Installed[]> => find(search, 'postgres', ['initdb', 'createdb', 'psql']);

/** The server programs of this machine, else a private copy's. Throws `server-missing`. */
export async function findOrFetchServer(request: FetchRequest): Promise<Installed> {
  const { env } = request;
  const [here] = await findServers({ env });
  if (here) return here;
  const bin = await fetchPrivateCopy(request);
  const [fetched] = await findServers({ env, clientDirectory: bin });
  if (!fetched) throw new Failure('internal', `what was fetched to ${bin} is not found there`);
  return fetched;
}

/** A program that is not PostgreSQL's, such as zstd, gzip or age: on PATH, else in our private copy. */
export function findProgram(name: string, env: NodeJS.ProcessEnv = process.env): string | null {
  const files = privateDirectories(env).map((directory) => join(directory, name));
  return onPath(name, env) ?? files.find(isExecutable) ?? null;
}
