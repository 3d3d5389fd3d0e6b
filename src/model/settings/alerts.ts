/**
 * model: the settings of alerts that every channel shares: who hears what, and how often.
 */
import * as z from 'zod';
import { severities } from '../alert/alert.js';

const slugs = z.array(z.string().regex(/^[a-z0-9][a-z0-9_-]{0,62}$/)).min(1);

/** Keys that every channel has beside its own. */
export const routingShape = {
  severity: z.enum(severities).default('info').describe('Least severity that it is told: info, warning or critical.'),
  schedules: slugs.optional().describe('Only alerts of these schedules; all when left out.'),
  databases: slugs.optional().describe('Only alerts of these entries of `databases`; all when left out.'),
  fallback: z.boolean().default(false).describe('Told only what another channel could not deliver.'),
  template: z
    .strictObject({
      subject: z
        .string()
        .min(1)
        .max(500)
        .optional()
        .describe('Instead of the usual subject; {{status}}, {{schedule}}, ... stand for facts.'),
      body: z.string().min(1).max(20_000).optional().describe('Instead of the usual text.'),
    })
    .optional()
    .describe('Own words.'),
} as const;

const routing = z.object(routingShape);
/** Who hears what: the part of a channel's settings that the channel itself does not know. */
export type Routing = z.infer<typeof routing>;

export const alertingSchema = z.strictObject({
  remindAfter: z.number().min(1).max(8760).default(24).describe('A problem that lasts is told again after this time, hours.'),
  digestAbove: z.int().min(1).max(1000).default(10).describe('More alerts than these at once become one digest.'),
  weeklySummary: z
    .string()
    .regex(/^(MON|TUE|WED|THU|FRI|SAT|SUN) ([01]\d|2[0-3]):[0-5]\d$/, 'expected a day and a time, e.g. "MON 08:00"')
    .nullable()
    .default(null)
    .describe('When a summary of the week is sent, e.g. "MON 08:00"; null: never.'),
  giveUpAfter: z.number().min(1).max(8760).default(72).describe('An alert that cannot be delivered for this time is dead, hours.'),
  canaryEveryDays: z.int().min(0).max(3650).default(30).describe('How often each channel is proven by a test message, days; 0: never.'),
});
export type Alerting = z.infer<typeof alertingSchema>;
