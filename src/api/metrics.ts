/**
 * api: `/metrics`, what `backup-automation metrics` prints, for a Prometheus that scrapes it with a token. It measures nothing itself.
 */
import type { FastifyInstance } from 'fastify';
import { fingerprintOf } from '../config/fingerprint.js';
import { here } from '../config/load.js';
import { openMetrics, type Metrics } from '../core/metrics.js';
import { exposition } from '../model/metrics/exposition.js';
import type { Tools } from './tools.js';

/** The metrics are kept while the configuration is the same: each scrape goes on where the one before stopped reading. */
export function addMetrics(app: FastifyInstance, tools: Tools): void {
  let kept: { readonly configuration: string | null; readonly metrics: Metrics } | null = null;
  app.get('/metrics', { config: { role: 'read' } }, async (_request, reply) => {
    const configuration = fingerprintOf(tools.options, here());
    if (configuration === null || kept?.configuration !== configuration) {
      const { context } = await tools.look();
      kept = { configuration, metrics: openMetrics(context, (await tools.kept()).reader) };
    }
    return reply.type('text/plain; version=0.0.4; charset=utf-8').send(exposition(await kept.metrics.families()));
  });
}
