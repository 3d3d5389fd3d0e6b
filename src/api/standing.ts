/**
 * api: what the metrics and the page are made from, kept between requests while the configuration is the same. It measures nothing itself.
 */
import { fingerprintOf } from '../config/fingerprint.js';
import { here } from '../config/load.js';
import type { Context } from '../core/context.js';
import { openMetrics, type Metrics } from '../core/metrics.js';
import type { Tools } from './tools.js';

export interface Standing {
  readonly context: Context;
  readonly metrics: Metrics;
}

/** The same while the configuration is. Throws ConfigurationFailure. */
export function openStanding(tools: Tools): () => Promise<Standing> {
  let last: { readonly configuration: string | null; readonly standing: Standing } | null = null;
  return async () => {
    const configuration = fingerprintOf(tools.options, here());
    if (last && configuration !== null && last.configuration === configuration) return last.standing;
    const { context } = await tools.look();
    const { reader } = await tools.kept();
    const standing = { context, metrics: openMetrics(context, reader) };
    last = { configuration, standing };
    return standing;
  };
}
