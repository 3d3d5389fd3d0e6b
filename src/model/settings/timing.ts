/**
 * model: when a schedule runs beside its cron expression: calendars, days off, changes of the database, and how long it may wait.
 */
import * as z from 'zod';

export const timeOfDay = z.string().regex(/^([01]\d|2[0-3]):[0-5]\d$/, 'expected a time of day as HH:mm, e.g. "01:00"');

const calendarSchema = z.strictObject({
  rule: z
    .string()
    .min(1)
    .optional()
    .describe('An RRULE of iCalendar (RFC 5545); the last working day of a month is "FREQ=MONTHLY;BYDAY=MO,TU,WE,TH,FR;BYSETPOS=-1".'),
  at: timeOfDay.default('02:00').describe('Time of day of the days that `rule` names (HH:mm).'),
  file: z.string().min(1).optional().describe('An iCalendar file (.ics): each of its events starts a backup.'),
});
export type Calendar = z.infer<typeof calendarSchema>;

const blackoutDays = z
  .string()
  .regex(
    /^((\d{4}-)?\d{2}-\d{2})(\/((\d{4}-)?\d{2}-\d{2}))?$/,
    'expected a day or two with "/" between, e.g. "12-24/12-26" or "2026-05-01"',
  );

const triggersSchema = z.strictObject({
  walGB: z.number().positive().max(1e6).optional().describe('Run when the server has written so much WAL since the last backup, GB.'),
  changedRows: z.int().min(1).optional().describe('Run when so many rows were inserted, updated or deleted since the last backup.'),
  notify: z
    .string()
    .regex(/^[a-z_][a-z0-9_]{0,62}$/, 'expected the name of a NOTIFY channel: a-z, 0-9 and "_"')
    .optional()
    .describe('Run when this channel of the database is notified (`NOTIFY name`); heard by `serve --schedule` alone.'),
  file: z.string().min(1).optional().describe('Run when this file was touched since the last backup.'),
  minimumGap: z.int().min(1).max(525_600).default(60).describe('Least time between two backups that triggers start, minutes.'),
});
export type Triggers = z.infer<typeof triggersSchema>;

/** Keys of a schedule. */
export const timingShape = {
  calendar: calendarSchema.optional().describe('When it runs: a calendar, instead of `cron`.'),
  blackout: z.array(blackoutDays).optional().describe('Days in `timezone` on which it does not run; without a year every year.'),
  triggers: triggersSchema.optional().describe('What starts it between its times: changes of the database, a deployment.'),
  skipIfUnchanged: z.boolean().default(false).describe('No new backup while the database is certainly as it was at the last one.'),
  maxWait: z
    .int()
    .min(1)
    .max(10_080)
    .optional()
    .describe('Longest wait for its conditions, minutes; until the window closes when left out.'),
  onDeadline: z
    .enum(['skip', 'run', 'fail'])
    .default('skip')
    .describe('What to do when its conditions did not hold until then: skip it, run all the same, or call it failed.'),
  overlap: z
    .enum(['wait', 'skip'])
    .default('wait')
    .describe('What to do while its backup before still runs: wait for it, or skip this one.'),
} as const;
