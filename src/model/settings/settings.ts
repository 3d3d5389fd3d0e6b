/**
 * model: the settings that decisions are made from, each with its unit, range and default, known here once.
 *
 * `config/schema` composes them with the members of the shelves into the whole configuration file.
 */
import * as z from 'zod';
import { compressorKinds } from './compressors.js';
import { levels } from '../backup/level.js';
import { alertingSchema } from './alerts.js';
import { timeOfDay, timingShape } from './timing.js';

/** The name of a database, a schedule, a storage: also a folder's, so nothing that a path could trip over. */
export const slug = z
  .string()
  .regex(/^[a-z0-9][a-z0-9_-]{0,62}$/, 'expected a name of a-z, 0-9, "-" and "_", at most 63, starting with a letter or digit');

const windowSchema = z.strictObject({
  start: timeOfDay.default('01:00').describe('First minute in which a backup may start (HH:mm in `timezone`).'),
  end: timeOfDay.default('06:00').describe('Last minute in which a backup may start (HH:mm); equal to `start` means always open.'),
});
export type BackupWindow = z.infer<typeof windowSchema>;

const conditionsSchema = z.strictObject({
  maxDatabaseLoad: z.number().min(0).max(100).default(80).describe('Most connections in use, % of max_connections.'),
  minDiskSpace: z.number().min(0).max(1e9).default(10).describe('Least free space on the storage, GB of 10^9 bytes.'),
  maxConcurrentBackups: z
    .int()
    .min(1)
    .max(64)
    .default(2)
    .describe('Most backups running at the same time, of a state directory and on a database server.'),
});

const healthSchema = z.strictObject({
  maxConnectionPool: z.number().min(0).max(100).default(90).describe('Connection pool utilization above it is critical, %.'),
  maxAverageQueryTime: z.number().min(0).max(86_400_000).default(2000).describe('Average query time above it is a warning, ms.'),
  minCacheHitRatio: z.number().min(0).max(100).default(70).describe('Cache hit ratio below it is a warning, %.'),
  maxRestoreTime: z
    .number()
    .positive()
    .max(525_600)
    .optional()
    .describe('A database that would take longer to restore, by what was measured, is a warning, minutes; no limit when left out.'),
});
/** What is measured of a database, and its limits. */
export type HealthLimits = Omit<z.infer<typeof healthSchema>, 'maxRestoreTime'>;

const algorithms = z.enum(['auto', ...compressorKinds, 'none']);
const compressionSchema = z.strictObject({
  algorithm: algorithms
    .default('auto')
    .describe('`auto` is zstd where it is to be had, else gzip; by pg_dump itself where it can (16 and newer).'),
  level: z.int().min(1).max(19).default(1).describe('Compression level; gzip takes at most 9.'),
});
export type Compression = z.infer<typeof compressionSchema>;
const compressionOrName = z.union([algorithms.transform((algorithm) => ({ algorithm, level: 1 })), compressionSchema]);

const keep = z.int().min(1).max(100_000).optional();
const retentionSchema = z.strictObject({
  keepLast: keep.describe('Newest backups to keep.'),
  keepDaily: keep.describe('Days of which to keep the newest backup.'),
  keepWeekly: keep.describe('Weeks of which to keep the newest backup.'),
  keepMonthly: keep.describe('Months of which to keep the newest backup.'),
  keepYearly: keep.describe('Years of which to keep the newest backup.'),
  keepWithin: z
    .string()
    .regex(/^\d{1,5}[dwmy]$/, 'expected a number and d, w, m or y, e.g. "30d"')
    .optional()
    .describe('Keep everything younger than this.'),
  minimum: z.int().min(1).max(100_000).optional().describe('Never fewer good backups than this.'),
});
export type Retention = z.infer<typeof retentionSchema>;

const recipients = z
  .strictObject({
    recipients: z.array(z.string()).optional().describe('Public age keys.'),
    recipientsFile: z.string().optional().describe('A file with a public age key a line.'),
    passphrase: z.string().optional().describe('A reference to a passphrase, instead of keys.'),
  })
  .nullable();
/** To whom a backup is sealed. */
export type Encryption = NonNullable<z.infer<typeof recipients>>;

/** How many storages have to hold a backup. */
const quorum = z.int().min(1).max(16);

const jobs = z.int().min(1).max(64);

export const scheduleSchema = z.strictObject({
  enabled: z.boolean().default(true).describe('Whether the schedule runs.'),
  cron: z.string().optional().describe('When it runs: a cron expression in `timezone`.'),
  timezone: z.string().optional().describe('IANA zone of this schedule; `timezone` when left out.'),
  ...timingShape,
  databases: z.array(slug).min(1).optional().describe('Entries of `databases`; all when left out.'),
  storages: z.array(slug).min(1).optional().describe('Entries of `storages`; all when left out.'),
  quorum: quorum.optional().describe('Least copies that make a good backup; the top-level `quorum` when left out.'),
  engine: z.enum(['pg_dump']).default('pg_dump').describe('What takes the backup.'),
  retention: retentionSchema.optional().describe('Which backups to keep; the top-level `retention` when left out.'),
  compression: compressionOrName.optional().describe('The top-level `compression` when left out.'),
  encryption: recipients.optional().describe('The top-level `encryption` when left out.'),
  jobs: jobs.optional().describe('The top-level `jobs` when left out.'),
  verify: z
    .strictObject({
      level: z.enum(levels).default('restore').describe('How far to prove a backup of this schedule.'),
      everyDays: z.int().min(1).max(3650).default(7).describe('How often, days.'),
    })
    .optional()
    .describe('How far and how often its backups are proven.'),
});
export type Schedule = z.infer<typeof scheduleSchema>;

/** The configuration but for connections and the options of shelf members, which `config/schema` adds. */
export const settingsShape = {
  enabled: z.boolean().default(true).describe('Off: every backup is cancelled, --force too.'),
  intelligentScheduling: z.boolean().default(true).describe("Whether a slot's backup waits for its conditions until the window closes."),
  loadBasedBackup: z.boolean().default(true).describe('Whether the database load is a condition.'),
  healthCheckBeforeBackup: z.boolean().default(true).describe('Whether a failing health check stops a backup.'),
  autoRetry: z.boolean().default(true).describe('Whether a backup that failed for a passing reason is tried again.'),
  maxRetries: z.int().min(0).max(100).default(3).describe('Most retries of one backup.'),
  retryDelay: z.number().min(0).max(10_080).default(30).describe('Wait before the first retry, minutes; doubled for each further one.'),
  alertOnFailure: z.boolean().default(true).describe('Whether a failed backup is alerted.'),
  alertOnSuccess: z.boolean().default(false).describe('Whether a completed backup is alerted.'),
  failOnWarnings: z.boolean().default(false).describe('Whether a backup with warnings exits 20 instead of 0.'),
  backupWindow: windowSchema.prefault({}).describe('When backups may start.'),
  conditions: conditionsSchema.prefault({}).describe('What must hold before a backup starts.'),
  timezone: z.string().optional().describe("IANA zone of the window and the schedules; the machine's when left out."),
  stateDirectory: z.string().min(1).default('./.backup-automation').describe('Where the ledger and the locks live.'),
  clientDirectory: z.string().min(1).optional().describe('Where pg_dump is; else PATH and the known install directories.'),
  compression: compressionOrName.prefault({}).describe('How artifacts are compressed.'),
  encryption: recipients.default(null).describe('To whom artifacts are encrypted; null: not at all.'),
  fingerprint: z
    .enum(['counts', 'content', 'none'])
    .default('counts')
    .describe('What is taken in the snapshot of the dump: row counts, or a hash of all rows as well, or nothing.'),
  fingerprintLimit: z
    .number()
    .min(0)
    .max(1e9)
    .default(1000)
    .describe('Databases larger than this are not counted or hashed, GB of 10^9 bytes; the archive itself then says what is in it.'),
  jobs: jobs.default(1).describe('Processes that dump at once; above 1 the dump is collected in `stateDirectory` first.'),
  gentle: z
    .enum(['auto', 'on', 'off'])
    .default('auto')
    .describe(
      'Whether a backup keeps to one core, with its sessions on the server, and behind others: `auto` where the database runs on this host and is busy.',
    ),
  lockWaitTimeout: z.int().min(1).max(86_400).default(60).describe('Longest wait of pg_dump for a table lock, seconds.'),
  stallTimeout: z.int().min(1).max(35_000).default(15).describe('Longest time without a byte before a dump is stopped, minutes.'),
  quorum: quorum.default(1).describe('Least copies that make a good backup, each in a storage of its own; with fewer it fails.'),
  retention: retentionSchema
    .extend({ minimum: z.int().min(1).max(100_000).default(3).describe('Never fewer good backups than this.') })
    .prefault({ keepLast: 7 })
    .describe('Which backups to keep, where the schedule does not say.'),
  verify: z
    .strictObject({
      afterBackup: z.enum(['none', 'checksum', 'archive']).default('archive').describe('What is proven before a backup is committed.'),
      server: z.string().nullable().default(null).describe('A server to restore into for proof (a reference); null: a throwaway one.'),
      folder: z
        .string()
        .min(1)
        .optional()
        .describe('Where the throwaway server keeps its data; else a temp folder, on another volume than the database where there is one.'),
      identity: z.string().optional().describe('The age identity that opens encrypted backups (a reference).'),
    })
    .prefault({})
    .describe('How backups are proven.'),
  maxBlocking: z
    .int()
    .min(0)
    .max(86_400)
    .default(60)
    .describe('Longest time that a dump may keep other sessions waiting before it gives way, seconds; 0: for ever.'),
  alerting: alertingSchema.prefault({}).describe('How often alerts are told.'),
  health: healthSchema.prefault({}).describe('Thresholds of the health checks.'),
} as const;

const settingsSchema = z.strictObject(settingsShape);
export type Settings = z.infer<typeof settingsSchema>;
