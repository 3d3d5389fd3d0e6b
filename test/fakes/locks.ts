/**
 * test: locks in this process alone, for what needs many and no other process. They hold nobody off for ever.
 */
import type { EventLock, Locks } from '../../src/model/roles/locks.js';

/** What is held, shared by the locks of several processes. */
export const memoryLocks = (held = new Set<string>()): Locks & { readonly die: () => void } => {
  const own = new Set<string>();
  const claim = (name: string): EventLock | null => {
    if (held.has(name)) return null;
    held.add(name);
    own.add(name);
    const release = () => void (own.delete(name) && held.delete(name));
    return { release, retire: release };
  };
  const places = (limit: number) => Array.from({ length: limit }, (_, index) => `place ${index}`);
  return {
    // the kernel frees them
    die: () => own.forEach((name) => held.delete(name)),
    claimEvent: async (id) => claim(`event ${id}`),
    isEventAlive: async (id) => held.has(`event ${id}`),
    probe: async () => 'memory',
    isProcess: () => false,
    eventsLeft: async () => [...held].filter((name) => name.startsWith('event ')).map((name) => name.slice(6)),
    claimPlace: async (limit) => {
      const free = places(limit).find((name) => !held.has(name));
      return free === undefined ? null : claim(free);
    },
    placesTaken: async (limit) => places(limit).filter((name) => held.has(name)).length,
    claimTurn: async (scheduleId, database) => claim(`turn ${scheduleId} ${database}`),
    holdBackup: async () => ({ release: () => {} }),
    claimBackup: async (id) => claim(`backup ${id}`),
    isBackupHeld: async (id) => held.has(`backup ${id}`),
    claimRetention: async (storage) => claim(`retention ${storage}`),
    claimAlerts: async () => claim('alerts'),
  };
};
