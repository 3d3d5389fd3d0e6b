/**
 * wire: what a scheduler is to start: this very program for this configuration, every path absolute, nothing of this shell taken for granted.
 */
import { createHash } from 'node:crypto';
import { realpathSync, statSync } from 'node:fs';
import { delimiter, join, resolve } from 'node:path';
import type { LoadedConfig } from '../config/load.js';
import { Failure } from '../model/errors.js';
import { localZone } from '../model/moment/window.js';
import type { Entry } from '../model/roles/scheduler.js';
import { isFile } from '../system/files/path.js';

export interface EntryOptions {
  readonly set: readonly string[];
  /** A file of NAME=VALUE lines that becomes part of the program's environment. */
  readonly environmentFile?: string;
}

const usualPath = ['/usr/local/sbin', '/usr/local/bin', '/usr/sbin', '/usr/bin', '/sbin', '/bin'];
/** What a backup may need that often lies elsewhere. */
const programs = ['pg_dump', 'zstd', 'age'];

/** The usual folders, after those of PATH that hold a program of ours: a whole PATH would be too long for cron. */
function pathFor(path: string): string {
  const own = path.split(delimiter).filter((folder) => folder.startsWith('/') && programs.some((name) => isFile(join(folder, name))));
  return [...new Set([...own, ...usualPath])].join(delimiter);
}

/** Node reads the file itself; a flag of ours by the name of Node's would be taken by Node 20 wherever it stands. Throws `configuration` when others could read the secrets in it. */
function environmentFlag(file: string, cwd: string): string {
  const path = resolve(cwd, file);
  if (!isFile(path))
    throw new Failure('configuration', `--environment ${path}: there is no such file`, { hint: 'a NAME=VALUE line for each variable' });
  const { mode } = statSync(path);
  if ((mode & 0o077) !== 0)
    throw new Failure('configuration', `--environment ${path}: others may read it`, { hint: `chmod 600 '${path}'` });
  return `--env-file=${path}`;
}

/** The entry of a configuration: the same for the same file, or folder where there is none. */
export function entryOf(
  { config, file, base }: LoadedConfig,
  { set, environmentFile }: EntryOptions,
  { env, cwd }: { env: NodeJS.ProcessEnv; cwd: string },
): Entry {
  const id = createHash('sha256')
    .update(file ?? base)
    .digest('hex')
    .slice(0, 8);
  const [, script = ''] = process.argv;
  return {
    id,
    program: [
      process.execPath,
      ...(environmentFile === undefined ? [] : [environmentFlag(environmentFile, cwd)]),
      isFile(script) ? realpathSync(script) : script,
      ...(file === null ? [] : ['--config', file]),
      ...set.flatMap((entry) => ['--set', entry]),
    ],
    words: ['execute', '--due', '--quiet'],
    environment: { PATH: pathFor(env['PATH'] ?? ''), TZ: env['TZ'] ?? localZone() },
    folder: base,
    logFile: join(config.stateDirectory, 'schedule.log'),
  };
}
