/**
 * system: the Locks role: which locks a state directory has, and where they lie. It never judges what a free lock means.
 */
import { readdirSync, readlinkSync, rmSync, statSync, unlinkSync } from 'node:fs';
import { basename, join } from 'node:path';
import { Failure } from '../../model/errors.js';
import type { EventLock, Locks } from '../../model/roles/locks.js';
import { ensurePrivateDirectory, errnoOf } from './files.js';
import { doubtfulKind } from './fitness.js';
import { isHeld, takeLock, takeLockSync } from './flock.js';

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
