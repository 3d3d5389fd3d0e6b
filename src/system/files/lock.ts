/**
 * system: the Locks role by flock(1) on inherited descriptors. The kernel frees them with their holder, so nothing is ever stale;
 * it never judges what a free lock means.
 *
 * flock(1) locks the open file description that it shares with us; it stays locked until we close it or die.
 */
import { spawn, spawnSync, type SpawnSyncReturns } from 'node:child_process';
import { closeSync, constants, fstatSync, openSync, readdirSync, readlinkSync, rmSync, statSync, unlinkSync } from 'node:fs';
import { basename, join } from 'node:path';
import { Failure } from '../../model/errors.js';
import type { EventLock, Lock, Locks } from '../../model/roles/locks.js';
import { ensurePrivateDirectory, errnoOf } from './files.js';
import { doubtfulKind } from './fitness.js';

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

const held = (fd: number): Lock => {
  let open = true;
  return {
    release: () => {
      if (open) closeSync(fd);
      open = false;
    },
  };
};

/** Takes the lock on a file, blocking this process up to `seconds` (0: not at all). Null: somebody else holds it. */
export function takeLockSync(path: string, seconds: number, mode: 'exclusive' | 'shared' = 'exclusive'): Lock | null {
  for (;;) {
    const fd = openLockFile(path);
    let taken = false;
    try {
      if (!flockSync(path, fd, mode, seconds)) return null;
      taken = isCurrent(fd, path);
      if (taken) return held(fd);
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
      if (taken) return held(fd);
    } finally {
      if (!taken) closeSync(fd);
    }
  }
}

/** Whether somebody holds the lock so that `against` can not be had now. Creates nothing; a file that is not there is not held. */
function isHeld(path: string, against: 'exclusive' | 'shared' = 'shared'): boolean {
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

/** Whether the process still has the lock's file open although it was deleted: the holder outlives the name. */
function hasOpen(pid: number, path: string): boolean {
  const folder = `/proc/${pid}/fd`;
  try {
    return readdirSync(folder).some((fd) => readlinkSync(join(folder, fd)) === `${path} (deleted)`);
  } catch {
    return false; // gone, or another user's, so not the holder
  }
}

function isProcess(pid: number): boolean {
  try {
    return process.kill(pid, 0);
  } catch (error) {
    return errnoOf(error) === 'EPERM';
  }
}

const namesIn = (folder: string): string[] => {
  try {
    return readdirSync(folder);
  } catch (error) {
    if (errnoOf(error) === 'ENOENT') return [];
    throw new Failure('ledger', `cannot list ${folder}: ${errnoOf(error)}`, { cause: error });
  }
};

/** Another process that only looks holds the lock for some ms; a claim outwaits that. Seconds. */
const outwaitLooks = 0.2;

/** Longer than a removal takes another process, seconds. */
const outwaitRetention = 10;

/** Whether a lock that is held keeps a second one out: on some file systems of a network it does not. Leaves its file. */
function locksHold(folder: string): boolean {
  const path = join(folder, 'probe.lock');
  const first = takeLockSync(path, outwaitLooks);
  // who holds it is just finding that out
  if (!first) return true;
  const second = takeLockSync(path, 0);
  second?.release();
  first.release();
  return second === null;
}

/**
 * The locks of a state directory: `run/<eventId>.lock` for events; in `locks/` `host.<i>.lock` for places, `turn.<schedule>.<database>.lock`,
 * `backup.<id>.lock` for backups that are read or removed, `retention.<storage>.lock`, `alerts.lock`. Touches nothing until used.
 */
export function openLocks(stateDirectory: string, kindOf = doubtfulKind): Locks {
  const run = join(stateDirectory, 'run');
  const eventPath = (eventId: string) => {
    if (!/^[0-9A-Za-z][0-9A-Za-z-]{0,63}$/.test(eventId))
      throw new Failure('not-found', `${JSON.stringify(eventId)} is not the id of an event`);
    return join(run, `${eventId}.lock`);
  };
  const shared = join(stateDirectory, 'locks');
  const placePath = (index: number) => join(shared, `host.${index}.lock`);
  const backupPath = (backupId: string) => join(shared, `backup.${basename(eventPath(backupId))}`);
  const places = (limit: number) => Array.from({ length: limit }, (_, index) => placePath(index));
  /** Throws where two would hold what only one may: then nothing that the ledger says of the living is true. */
  const probe = (): string => {
    ensurePrivateDirectory(stateDirectory);
    ensurePrivateDirectory(shared);
    const kind = kindOf(stateDirectory) ?? 'a file system of this host';
    if (locksHold(shared)) return kind;
    throw new Failure('ledger', `${stateDirectory} lies on ${kind}, where a lock that is held keeps nobody out`, {
      class: 'permanent',
      hint: 'put stateDirectory on a disk of this host',
    });
  };
  let isFit = false;
  const prepare = (folder: string) => {
    ensurePrivateDirectory(stateDirectory);
    ensurePrivateDirectory(folder);
    if (!isFit && kindOf(stateDirectory) !== null) probe();
    isFit = true;
  };

  return {
    probe: async () => probe(),
    async claimEvent(eventId): Promise<EventLock | null> {
      const path = eventPath(eventId);
      prepare(run);
      const lock = takeLockSync(path, outwaitLooks);
      if (!lock) return null;
      const retire = () => {
        rmSync(join(run, eventId), { recursive: true, force: true });
        unlinkSync(path);
        lock.release();
      };
      return { release: () => lock.release(), retire };
    },
    isEventAlive: async (eventId, pid) => {
      const path = eventPath(eventId);
      return isHeld(path) || (pid !== undefined && statSync(path, { throwIfNoEntry: false }) === undefined && hasOpen(pid, path));
    },
    isProcess,
    eventsLeft: async () => [...new Set(namesIn(run).map((name) => name.replace(/\.lock$/, '')))],
    async claimPlace(limit) {
      prepare(shared);
      for (const seconds of [0, outwaitLooks])
        for (const path of places(limit)) {
          const lock = takeLockSync(path, seconds);
          if (lock) return lock;
        }
      return null;
    },
    placesTaken: async (limit) => places(limit).filter((path) => isHeld(path)).length,
    async claimTurn(scheduleId, database) {
      prepare(shared);
      return takeLockSync(join(shared, `turn.${encodeURIComponent(scheduleId)}.${encodeURIComponent(database)}.lock`), 0);
    },
    async holdBackup(backupId) {
      prepare(shared);
      return takeLockSync(backupPath(backupId), outwaitLooks, 'shared');
    },
    async claimBackup(backupId) {
      const path = backupPath(backupId);
      prepare(shared);
      const lock = takeLockSync(path, outwaitLooks);
      return lock && { release: () => lock.release(), retire: () => (unlinkSync(path), lock.release()) };
    },
    isBackupHeld: async (backupId) => isHeld(backupPath(backupId), 'exclusive'),
    claimRetention(storage) {
      prepare(shared);
      return takeLock(join(shared, `retention.${storage}.lock`), outwaitRetention);
    },
    async claimAlerts(seconds) {
      prepare(shared);
      return takeLock(join(shared, 'alerts.lock'), seconds);
    },
  };
}
