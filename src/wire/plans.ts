/**
 * wire: the configured schedules and the ledger, without what reaches databases and storages, so that listings start at once.
 */
import { hostname } from 'node:os';
import { here, loadConfig } from '../config/load.js';
import type { Plans } from '../core/schedules/timetable.js';
import { systemClock } from '../system/clock.js';
import { openLocks } from '../system/files/lock.js';
import { openLedger } from '../system/ledger/ledger.js';

/** Touches nothing. Throws ConfigurationFailure. */
export async function openPlans(options: { readonly config?: string; readonly set: readonly string[] }): Promise<Plans> {
  const { config } = await loadConfig(options, here());
  return {
    settings: config,
    schedules: config.schedules,
    databases: Object.keys(config.databases),
    storages: Object.keys(config.storages).map((name) => ({ name })),
    ledger: openLedger(config.stateDirectory, { clock: systemClock }),
    locks: openLocks(config.stateDirectory),
    clock: systemClock,
    process: { host: hostname() },
  };
}
