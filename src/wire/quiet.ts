/**
 * wire: whether `execute --due` has nothing to do, told by what the run before remembered: the answer of nearly every minute.
 */
import { fingerprintOf } from '../config/fingerprint.js';
import { here, locateState } from '../config/load.js';
import { systemClock } from '../system/clock.js';
import { openDueMemory } from '../system/due-memory.js';
import { tick } from '../system/files/ticks.js';

export interface Quiet {
  /** Notes that a scheduler started us. */
  tick(): void;
  /** False: it must be looked at. */
  isQuiet(): boolean;
}

/** Reads no more of the configuration than where the state directory is; then a few files' status, and one small file. */
export async function openQuiet(options: { readonly config?: string; readonly set: readonly string[] }): Promise<Quiet> {
  const fingerprint = fingerprintOf(options, here());
  const stateDirectory = await locateState(options, here());
  const now = systemClock.now();
  return {
    tick: () => tick(stateDirectory, now),
    isQuiet: () => openDueMemory(stateDirectory, fingerprint, systemClock).isQuiet(now),
  };
}
