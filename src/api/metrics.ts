/**
 * api: `/metrics`, what `backup-automation metrics` prints, for a Prometheus that scrapes it with a token. It measures nothing itself.
 */
import type { FastifyInstance } from 'fastify';
import { exposition } from '../model/metrics/exposition.js';
import type { Standing } from './standing.js';

export function addMetrics(app: FastifyInstance, standing: () => Promise<Standing>): void {
  app.get('/metrics', { config: { role: 'read' } }, async (_request, reply) => {
    const { metrics } = await standing();
    return reply.type('text/plain; version=0.0.4; charset=utf-8').send(exposition(await metrics.families()));
  });
}
