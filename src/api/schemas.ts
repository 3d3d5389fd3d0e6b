/**
 * api: the documents that routes answer, for the description and whoever reads it. More fields may appear in each.
 */
import * as z from 'zod';
import { eventStatuses, eventTypes } from '../model/events/event.js';
import { levels } from '../model/backup/level.js';

const time = z.string().describe('ISO 8601, UTC');
const ms = z.number().describe('ms');
const bytes = z.number().describe('bytes');

/** Beside what there is, when it did not go well. */
export const errorSchema = z.looseObject({
  code: z.string(),
  message: z.string(),
  hint: z.string(),
  class: z.enum(['transient', 'busy', 'permanent', 'resource']),
});

export const eventSchema = z
  .looseObject({
    id: z.string(),
    type: z.enum(eventTypes),
    scheduleId: z.string().optional(),
    trigger: z.string(),
    timestamp: time,
    status: z.enum(eventStatuses),
    result: z
      .looseObject({ success: z.boolean(), backupId: z.string().optional(), error: z.string().optional(), duration: ms, size: bytes })
      .optional(),
    metadata: z.looseObject({
      databaseLoad: z.number().nullable().describe('%'),
      diskSpace: z.number().nullable().describe('GB of 10^9 bytes'),
      concurrentBackups: z.number().nullable(),
    }),
    database: z.string(),
    attempt: z.int(),
    waits: z.string().optional().describe('While it runs: the lock that it waits for, and who holds it.'),
  })
  .meta({ id: 'Event', description: 'One backup operation and its outcome.' });

export const recordSchema = z.looseObject({ record: z.string(), at: time });

const figures = {
  totalEvents: z.int(),
  successfulEvents: z.int(),
  failedEvents: z.int(),
  successRate: z.number().nullable().describe('% of completed and failed ones; null when there is neither'),
  averageDuration: ms,
  activeBackups: z.int(),
} as const;

export const statisticsSchema = z
  .looseObject({ ...figures, groups: z.array(z.looseObject({ key: z.string(), ...figures })).optional() })
  .meta({ id: 'Statistics' });

export const checkSchema = z.looseObject({
  name: z.string(),
  status: z.enum(['healthy', 'warning', 'critical', 'unknown']),
  detail: z.string(),
  hint: z.string(),
});

export const backupSchema = z
  .looseObject({
    backupId: z.string(),
    database: z.string(),
    scheduleId: z.string().nullable(),
    timestamp: time,
    size: bytes,
    storages: z.array(z.string()),
    proven: z.looseObject({ level: z.enum(levels), at: time }).nullable(),
    pinned: z.boolean(),
    suspect: z.boolean(),
  })
  .meta({ id: 'Backup' });

export const pruneRowSchema = z.looseObject({ backupId: z.string(), reason: z.string() });

export const verifiedSchema = z.looseObject({
  backupId: z.string(),
  level: z.enum(levels),
  ok: z.boolean(),
  detail: z.string(),
  uncaged: z.string().optional().describe('why the restore was not caged, where it was not'),
  duration: ms,
});

export const auditSchema = z.looseObject({
  at: time,
  by: z.string(),
  address: z.string(),
  action: z.string(),
  target: z.string(),
  ok: z.boolean(),
});

const hhmm = z.string().describe('HH:mm');

/** The specification's `BackupAutomationConfig`; ranges are the configuration's own. */
export const configurationShape = {
  enabled: z.boolean(),
  intelligentScheduling: z.boolean(),
  loadBasedBackup: z.boolean(),
  healthCheckBeforeBackup: z.boolean(),
  autoRetry: z.boolean(),
  maxRetries: z.number(),
  retryDelay: z.number().describe('minutes'),
  alertOnFailure: z.boolean(),
  alertOnSuccess: z.boolean(),
  backupWindow: z.strictObject({ start: hhmm, end: hhmm }),
  conditions: z.strictObject({
    maxDatabaseLoad: z.number().describe('%'),
    minDiskSpace: z.number().describe('GB of 10^9 bytes'),
    maxConcurrentBackups: z.number(),
  }),
} as const;

/** An id of ours, or the beginning of one. */
export const idSchema = z.string().regex(/^[0-9A-Za-z][0-9A-Za-z-]{0,63}$/, 'expected an id');
/** A configured name, or a member's of a cluster. */
export const nameSchema = z.string().regex(/^[a-z0-9][a-z0-9_-]{0,127}$/, 'expected a name');
