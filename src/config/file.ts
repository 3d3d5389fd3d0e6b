/**
 * config: finds the configuration file and reads its text, if its owner and mode can be trusted; it knows no format.
 */
import { closeSync, constants, existsSync, fstatSync, openSync, readFileSync, type Stats } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { refuse } from './problem.js';

/** What the command line says. */
export interface Given {
  readonly config?: string | undefined;
  /** `KEY=VALUE` each. */
  readonly set: readonly string[];
}

export interface Surroundings {
  readonly env: NodeJS.ProcessEnv;
  readonly cwd: string;
}

export const moduleName = 'backup-automation';
export const configVariable = 'BACKUP_AUTOMATION_CONFIG';

/** Looked for in each folder, in this order. */
export const places = [`${moduleName}.config.json`, `${moduleName}.config.yaml`, `${moduleName}.config.yml`, 'package.json'] as const;

const largest = 1_048_576;

const rows = (file: string): string[][] =>
  readFileSync(file, 'utf8')
    .split('\n')
    .map((line) => line.split(':'));

/** A group that is one user's own, as `useradd` makes it; there a mode of 0664 lets nobody else write. */
function privateGroup({ uid, gid }: Stats): boolean {
  if (uid === 0 || uid !== gid) return false;
  try {
    const members = rows('/etc/group').find(([, , id]) => id === String(gid))?.[3];
    return members === '' && rows('/etc/passwd').filter(([, , , group]) => group === String(gid)).length === 1;
  } catch {
    return false;
  }
}

function trust(file: string, stats: Stats): void {
  const me = process.geteuid?.();
  if (!stats.isFile()) refuse(file, 'the file is no regular file', 'a file');
  if (me !== undefined && stats.uid !== me && stats.uid !== 0)
    refuse(file, `the file belongs to user ${stats.uid}`, `it to belong to root or to the user that runs this (${me})`);
  if (stats.mode & 0o002 || (stats.mode & 0o020 && !privateGroup(stats)))
    refuse(file, `the file's mode is 0${(stats.mode & 0o777).toString(8)}`, `that nobody else may write it: chmod go-w '${file}'`);
  if (stats.size > largest) refuse(file, `the file has ${stats.size} bytes`, `at most ${largest}`);
}

/** The file's text without a byte order mark. Refuses what others may write, what is too large, and what is no UTF-8. */
export function readText(file: string): string {
  let descriptor: number;
  try {
    descriptor = openSync(file, constants.O_RDONLY | constants.O_NONBLOCK);
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    return refuse(file, code === 'ENOENT' ? 'there is no such file' : `the file cannot be read (${code})`, 'a file that can be read');
  }
  try {
    trust(file, fstatSync(descriptor));
    const bytes = readFileSync(descriptor);
    try {
      return new TextDecoder('utf-8', { fatal: true }).decode(bytes);
    } catch {
      const good = new TextDecoder().decode(bytes).split('\ufffd', 1)[0] ?? '';
      return refuse(file, `line ${good.split('\n').length} holds bytes that are no UTF-8`, 'UTF-8');
    }
  } finally {
    closeSync(descriptor);
  }
}

/** A package.json counts only with our key in it; another's broken one is not our concern. */
function holdsConfiguration(file: string): boolean {
  if (!existsSync(file)) return false;
  if (!file.endsWith('package.json')) return true;
  try {
    return Object.hasOwn(JSON.parse(readFileSync(file, 'utf8')) as object, moduleName);
  } catch {
    return false;
  }
}

/** The nearest file of `places`, from `folder` upwards to the root; null when there is none. */
function nearestFile(folder: string): string | null {
  for (const place of places) if (holdsConfiguration(join(folder, place))) return join(folder, place);
  const parent = dirname(folder);
  return parent === folder ? null : nearestFile(parent);
}

/** The file that holds: `--config`, else the variable, else the nearest. Only `--config` may name a program (.js, .mjs). */
export function findFile(given: Given, { env, cwd }: Surroundings): string | null {
  if (given.config !== undefined) return resolve(cwd, given.config);
  const named = env[configVariable];
  if (!named) return nearestFile(cwd);
  if (/\.m?js$/.test(named)) refuse(configVariable, `"${named}" is a program`, 'a .json or .yaml file; a program only by --config');
  return resolve(cwd, named);
}
