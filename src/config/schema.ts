/**
 * config: the one schema of the configuration file, from which types, validation, reference and JSON Schema come.
 */
import * as z from 'zod';
import { channels } from '../channels/index.js';
import { apiSchema } from '../model/settings/api.js';
import { databaseEntrySchema } from '../model/settings/connection.js';
import { scheduleSchema, settingsShape, slug } from '../model/settings/settings.js';
import { storages } from '../storages/index.js';

type StorageMember = (typeof storages)[keyof typeof storages];
const [first, ...rest] = Object.values(storages).map((member: StorageMember) => member.options) as [
  StorageMember['options'],
  ...StorageMember['options'][],
];
const storageSchema = z.discriminatedUnion('kind', [first, ...rest]);

const { slack, ...others } = channels;
const alertSchema = z.discriminatedUnion('kind', [slack.options, ...Object.values(others).map(({ options }) => options)]);

const logSchema = z.strictObject({
  format: z.enum(['text', 'json']).default('text').describe('Text for people, or JSON lines.'),
  file: z.string().min(1).nullable().default(null).describe('A file that the log is written to as well; null: none.'),
});

/** Used where the configuration has no entry of the kind at all. `databases` depends on the environment. */
export const defaultSections = {
  databases: (env: NodeJS.ProcessEnv) => ({ default: env['DATABASE_URL'] ? { url: 'env:DATABASE_URL' } : {} }),
  storages: () => ({ local: { kind: 'local', path: './backups' } }),
  schedules: () => ({
    'daily-backup': { cron: '0 2 * * *', retention: { keepLast: 7 } },
    'weekly-backup': { cron: '0 3 * * 0', retention: { keepLast: 4 } },
    'monthly-backup': { cron: '0 4 1 * *', retention: { keepLast: 12 } },
  }),
} as const;

export const configSchema = z.strictObject({
  ...settingsShape,
  databases: z
    .record(slug, databaseEntrySchema)
    .describe("What is backed up, by name. Left out: `default`, from `DATABASE_URL` or libpq's environment."),
  storages: z.record(slug, storageSchema).describe('Where backups are kept, by name. Left out: `local`, the folder `./backups`.'),
  schedules: z.record(slug, scheduleSchema).describe('When backups are taken, by name. Left out: the three of the example.'),
  alerts: z.record(slug, alertSchema).default({}).describe('Who is told, by name.'),
  api: apiSchema.prefault({}).describe('The REST API.'),
  log: logSchema.prefault({}).describe('What is logged, beside the ledger.'),
});
/** The whole configuration, every default filled in. */
export type Config = z.infer<typeof configSchema>;
