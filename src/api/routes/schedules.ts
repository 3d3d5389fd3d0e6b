/**
 * api: the schedules: what they are, when they run, and why not.
 */
import * as z from 'zod';
import { explain, zoneFor } from '../../core/schedules/explain.js';
import { listSchedules, upcoming } from '../../core/schedules/timetable.js';
import { parseMoment } from '../../model/moment/typed.js';
import { route } from '../route.js';
import { nameSchema } from '../schemas.js';

const most = 500;
const condition = z.looseObject({ name: z.string(), met: z.boolean() });
const clocks = z.looseObject({ local: z.string(), utc: z.string() });

export const scheduleRoutes = [
  route({
    method: 'GET',
    path: '/schedules',
    role: 'read',
    summary: 'Every schedule: when it runs, what, where to, and how it went last.',
    answer: z.looseObject({ schedules: z.array(z.looseObject({ id: z.string(), enabled: z.boolean(), next: clocks.nullable() })) }),
    async run(_asked, tools) {
      return { schedules: await listSchedules(await tools.plans()) };
    },
  }),
  route({
    method: 'GET',
    path: '/schedules/next',
    role: 'read',
    summary: 'The next runs of all schedules, or of one.',
    query: z.strictObject({
      count: z.coerce
        .number()
        .int()
        .min(1)
        .default(10)
        .transform((count) => Math.min(count, most)),
      schedule: nameSchema.optional(),
    }),
    answer: z.looseObject({ next: z.array(clocks.extend({ scheduleId: z.string(), expectedDuration: z.number().nullable() })) }),
    async run({ query: { count, schedule } }, tools) {
      return { next: await upcoming(await tools.plans(), { count, schedule }) };
    },
  }),
  route({
    method: 'GET',
    path: '/schedules/{scheduleId}/explain',
    role: 'read',
    summary: 'Why it runs or does not run, now or at another time.',
    params: z.strictObject({ scheduleId: nameSchema }),
    query: z.strictObject({ at: z.string().max(40).optional().describe("a time, in the schedule's zone where it names none") }),
    answer: z.looseObject({ scheduleId: z.string(), verdict: z.string(), conditions: z.array(condition), next: clocks.nullable() }),
    async run({ params: { scheduleId }, query: { at } }, tools) {
      const { context } = await tools.look();
      return explain(context, scheduleId, at === undefined ? null : parseMoment(at, zoneFor(context, scheduleId)));
    },
  }),
];
