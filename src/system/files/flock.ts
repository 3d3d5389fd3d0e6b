/**
 * system: one lock on one file by flock(1) on an inherited descriptor. The kernel frees it with its holder, so nothing is ever stale.
 *
 * flock(1) locks the open file description that it shares with us; it stays locked until we close it or die.
 */
import { spawn, spawnSync, type SpawnSyncReturns } from 'node:child_process';
import { closeSync, constants, fstatSync, openSync, statSync } from 'node:fs';
import { Failure } from '../../model/errors.js';
import type { Lock } from '../../model/roles/locks.js';
import { errnoOf } from './files.js';

const { O_RDWR, O_RDONLY, O_CREAT, O_NOFOLLOW, O_NONBLOCK } = constants;

/** What flock(1) is told to exit with when somebody else holds the lock. */
const busyExit = 75;

const flockArguments = (mode: 'exclusive' | 'shared', seconds: number): string[] => [
  mode === 'exclusive' ? '-x' : '-s',
  ...(seconds > 0 ? ['-w', String(seconds)] : ['-n']),
  '-E',
  String(busyExit),
  '3',
];
/** Nothing of our environment, which may hold secrets, but what finds the program. */
const environment = () => ({ PATH: process.env['PATH'] ?? '/usr/bin:/bin', LC_ALL: 'C' });

/** True when taken, false when somebody else holds it. */
function judge(path: string, result: Pick<SpawnSyncReturns<string>, 'status' | 'error'>): boolean {
  if (result.status === 0) return true;
  if (result.status === busyExit) return false;
  const missing = result.error && errnoOf(result.error) === 'ENOENT';
  const why = missing ? 'the program flock is not to be found' : `flock ended with ${result.status ?? String(result.error)}`;
  throw new Failure('ledger', `cannot lock ${path}: ${why}`, { hint: 'install it: `apt-get install util-linux`', cause: result.error });
}

function flockSync(path: string, fd: number, mode: 'exclusive' | 'shared', seconds: number): boolean {
  const stdio = ['ignore', 'ignore', 'ignore', fd] as const;
  return judge(path, spawnSync('flock', flockArguments(mode, seconds), { stdio: [...stdio], env: environment() }));
}

function flock(path: string, fd: number, seconds: number): Promise<boolean> {
  const child = spawn('flock', flockArguments('exclusive', seconds), { stdio: ['ignore', 'ignore', 'ignore', fd], env: environment() });
  return new Promise((resolve, reject) => {
    const settle = (result: { status: number | null; error?: Error }) => {
      try {
        resolve(judge(path, result));
      } catch (error) {
        reject(error);
      }
    };
    child.once('error', (error) => settle({ status: null, error }));
    child.once('exit', (status) => settle({ status }));
  });
}

function openLockFile(path: string): number {
  let fd: number;
  try {
    fd = openSync(path, O_RDWR | O_CREAT | O_NOFOLLOW | O_NONBLOCK, 0o600);
  } catch (error) {
    throw new Failure('ledger', `cannot open the lock ${path}: ${errnoOf(error)}`, { cause: error });
  }
  if (fstatSync(fd).isFile()) return fd;
  closeSync(fd);
  throw new Failure('ledger', `the lock ${path} is not a regular file`, { class: 'permanent', hint: 'remove it' });
}

/** Whether the descriptor's file still is the one that others find under the path. */
function isCurrent(fd: number, path: string): boolean {
  const ours = fstatSync(fd);
  const theirs = statSync(path, { throwIfNoEntry: false });
  return ours.nlink > 0 && theirs !== undefined && theirs.ino === ours.ino && theirs.dev === ours.dev;
}

/** What this process holds for itself: it need not ask, which stops everything here for as long as a program takes to start. */
const holding = new Set<string>();

function held(path: string, fd: number, mode: 'exclusive' | 'shared'): Lock {
  if (mode === 'exclusive') holding.add(path);
  let open = true;
  return {
    release: () => {
      if (!open) return;
      open = false;
      holding.delete(path);
      closeSync(fd);
    },
  };
}

/** Takes the lock on a file, blocking this process up to `seconds` (0: not at all). Null: somebody else holds it. */
export function takeLockSync(path: string, seconds: number, mode: 'exclusive' | 'shared' = 'exclusive'): Lock | null {
  for (;;) {
    const fd = openLockFile(path);
    let taken = false;
    try {
      if (!flockSync(path, fd, mode, seconds)) return null;
      taken = isCurrent(fd, path);
      if (taken) return held(path, fd, mode);
    } finally {
      if (!taken) closeSync(fd);
    }
  }
}

/** As `takeLockSync`, but only the first try blocks; the rest of the wait does not. */
export async function takeLock(path: string, seconds: number): Promise<Lock | null> {
  const first = takeLockSync(path, 0);
  if (first) return first;
  for (;;) {
    const fd = openLockFile(path);
    let taken = false;
    try {
      if (!(await flock(path, fd, seconds))) return null;
      taken = isCurrent(fd, path);
      if (taken) return held(path, fd, 'exclusive');
    } finally {
      if (!taken) closeSync(fd);
    }
  }
}

/** Whether somebody holds the lock so that `against` cannot be had now. Creates nothing; a file that is not there is not held. */
export function isHeld(path: string, against: 'exclusive' | 'shared' = 'shared'): boolean {
  if (holding.has(path)) return true;
  let fd: number;
  try {
    fd = openSync(path, O_RDONLY | O_NOFOLLOW | O_NONBLOCK);
  } catch (error) {
    if (errnoOf(error) === 'ENOENT') return false;
    throw new Failure('ledger', `cannot look at the lock ${path}: ${errnoOf(error)}`, { cause: error });
  }
  try {
    return !flockSync(path, fd, against, 0);
  } finally {
    closeSync(fd);
  }
}
