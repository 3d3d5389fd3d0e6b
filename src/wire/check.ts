/**
 * wire: the check of the configuration, at this time: what it foretells of clock changes depends on the day.
 */
import { checkConfig, here, type Verdict } from '../config/load.js';
import { systemClock } from '../system/clock.js';

export const check = (options: { readonly config?: string; readonly set: readonly string[] }): Promise<Verdict> =>
  checkConfig(options, here(), systemClock.now());
