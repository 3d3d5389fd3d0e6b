/**
 * wire: the little that listings need, found without judging the whole configuration, so that they start at once.
 */
import { hostname } from 'node:os';
import { here, locateState } from '../config/load.js';
import type { Sight } from '../core/history/liveness.js';
import type { Clock } from '../model/roles/clock.js';
import { systemClock } from '../system/clock.js';
import { openLedger } from '../system/ledger/ledger.js';
import { openLocks } from '../system/files/lock.js';

export interface OpenSight extends Sight {
  readonly clock: Clock;
  readonly stateDirectory: string;
}

/** Touches nothing: a state directory that is not there has no events. */
export async function openSight(options: { readonly config?: string; readonly set: readonly string[] }): Promise<OpenSight> {
  const stateDirectory = await locateState(options, here());
  return {
    ledger: openLedger(stateDirectory, { clock: systemClock }),
    locks: openLocks(stateDirectory),
    clock: systemClock,
    stateDirectory,
    process: { host: hostname() },
  };
}
