/**
 * system: the Ledger role on files. Opening touches nothing; readers take no lock; what was appended is durable.
 * It never judges an event beyond `mayFollow`.
 */
import { join } from 'node:path';
import { setImmediate as nextTurn } from 'node:timers/promises';
import type { Clock } from '../../model/roles/clock.js';
import { mayFollow, type BackupEvent } from '../../model/events/event.js';
import type { EventRecord, Fact } from '../../model/events/ledger.js';
import type { Ledger, LedgerLine } from '../../model/roles/ledger.js';
import type { Lock } from '../../model/roles/locks.js';
import type { Log } from '../../model/roles/log.js';
import { eventOf } from '../../model/events/record.js';
import { ensurePrivateDirectory } from '../files/files.js';
import { appendLine } from './append.js';
import { backwards, forwards, outcomes } from './read.js';
import { segmentsOf } from './segments.js';
import { findState, openStates } from './states.js';
import { verifyChain } from './verify.js';
import { takeLock, takeLockSync } from '../files/flock.js';

export interface LedgerOptions {
  readonly clock: Pick<Clock, 'now'>;
  readonly log?: Log;
  /** Bytes after which a segment gets a successor; 16 MiB. */
  readonly segmentLimit?: number;
  /** Longest wait for the lock before a line is appended without it, seconds; 10. */
  readonly lockWait?: number;
}

/** Gives other work its turn between batches. */
async function* unpack(batches: Iterable<LedgerLine[]>): AsyncGenerator<LedgerLine> {
  for (const batch of batches) {
    yield* batch;
    await nextTurn();
  }
}

/** How long a dying process waits for the lock, seconds. */
const lastWait = 2;

/** The ledger in `<stateDirectory>/ledger`. Appending throws a Failure `ledger` that names the path and the system's error. */
export function openLedger(stateDirectory: string, options: LedgerOptions): Ledger {
  const { clock, log, segmentLimit = 16 * 1024 * 1024, lockWait = 10 } = options;
  const states = openStates(stateDirectory);
  const warn = (message: string) => log?.('warn', message);

  const lockPath = (): string => {
    const folder = join(stateDirectory, 'locks');
    ensurePrivateDirectory(stateDirectory);
    ensurePrivateDirectory(folder);
    return join(folder, 'ledger.lock');
  };
  const append = (content: object, lock: Lock | null): void => {
    if (!lock) warn(`the ledger's lock in ${stateDirectory} was not had in time; appending without it`);
    appendLine({ content, at: clock.now().toISOString(), ...(!lock && { nolock: true }) }, { stateDirectory, segmentLimit, warn });
  };
  const transition = (event: BackupEvent, lock: Lock | null): boolean => {
    const { record: from, newer } = states.of(event.id, event.status === 'pending');
    if (newer || !mayFollow(from ?? undefined, event) || (!from && states.isSlotTaken(event))) return false;
    const record: EventRecord = { record: 'event', ...eventOf(event), step: from ? from.step + 1 : 0, ...(from && { from: from.status }) };
    append(record, lock);
    return true;
  };

  let queue: Promise<unknown> = Promise.resolve();
  /** One deed after the other in this process, each under the lock, or without it when its holder stands still. */
  const locked = <T>(deed: (lock: Lock | null) => T): Promise<T> => {
    const result = queue.then(async () => {
      const lock = await takeLock(lockPath(), lockWait);
      try {
        return deed(lock);
      } finally {
        lock?.release();
      }
    });
    queue = result.catch(() => undefined);
    return result;
  };

  return {
    appendEvent: (event) => locked((lock) => transition(event, lock)),
    appendFact: (fact: Fact) =>
      locked((lock) => {
        if (fact.record !== 'missed' || !states.isRecorded(fact)) append(fact, lock);
      }),
    appendEventSync(event) {
      const lock = takeLockSync(lockPath(), lastWait);
      try {
        transition(event, lock);
      } finally {
        lock?.release();
      }
    },
    read: (damage, from) => unpack(forwards(stateDirectory, damage, from)),
    readOutcomes: (damage, from) => unpack(outcomes(stateDirectory, damage, from)),
    readBackwards: (damage, before) => unpack(backwards(stateDirectory, damage, before)),
    async find(eventId) {
      const { record } = findState(stateDirectory, eventId);
      return record && eventOf(record);
    },
    verify: async () => verifyChain(stateDirectory),
    segments: async () => segmentsOf(stateDirectory).map(({ path }) => path),
  };
}
