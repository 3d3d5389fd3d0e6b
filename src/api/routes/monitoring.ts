/**
 * api: how things are: what runs, the figures, health.
 */
import * as z from 'zod';
import { statisticsDocument } from '../../core/documents/statistics.js';
import { health } from '../../core/health.js';
import { within } from '../../core/history/within.js';
import { activeEvents } from '../../core/history/events.js';
import { groupings } from '../../model/figures/grouping.js';
import { route } from '../route.js';
import { checkSchema, eventSchema, statisticsSchema } from '../schemas.js';

export const monitoringRoutes = [
  route({
    method: 'GET',
    path: '/active',
    role: 'read',
    summary: 'The backups that run now.',
    answer: z.looseObject({ active: z.array(eventSchema) }),
    async run(_asked, tools) {
      return { active: await activeEvents(await tools.sight()) };
    },
  }),
  route({
    method: 'GET',
    path: '/statistics',
    role: 'read',
    summary: 'How many backups there were, how they went and how long they took.',
    query: z.strictObject({
      since: z.string().max(40).optional().describe('12h, 7d, 2w, or a date'),
      by: z.enum(groupings).optional().describe('figures for each as well'),
    }),
    answer: statisticsSchema,
    async run({ query }, tools) {
      const { sight, reader } = await tools.kept();
      return statisticsDocument(sight, query, reader);
    },
  }),
  route({
    method: 'GET',
    path: '/health',
    role: 'read',
    summary: 'Whether backups are made, kept and restorable, and how the databases and storages are.',
    answer: z.looseObject({
      status: z.enum(['healthy', 'warning', 'critical']),
      issues: z.array(z.string()),
      configuration: z.looseObject({}),
      activeBackups: z.int(),
      checks: z.array(checkSchema),
      advice: z.array(z.string()),
    }),
    async run(_asked, tools) {
      const { context } = await tools.look();
      const { reader } = await tools.kept();
      return health(context, () => within(context, reader));
    },
  }),
];
