/**
 * model: the Backup, what a completed event left in the storages, as its manifest describes it.
 */
import * as z from 'zod';
import { Failure } from '../errors.js';
import { levels, type Level } from './level.js';
import { markSchema } from './mark.js';
import { propertiesSchema } from './properties.js';

/** UUIDv7, made by us: the id of a backup and of the event that made it. */
export const backupIdPattern = /^[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/;
/** A configured name, or a cluster member's: safe as one segment of a path. */
export const databaseNamePattern = /^[a-z0-9][a-z0-9_-]{0,190}$/;

export const artifactSchema = z.object({
  /** File name in the backup's folder, ending in what was done to it: `database.dump.zst`. */
  name: z.string().regex(/^[A-Za-z0-9][A-Za-z0-9._-]{0,127}$/),
  kind: z.enum(['database', 'globals', 'details', 'guide']),
  /** Stored bytes. */
  size: z.int().nonnegative(),
  /** Of the stored bytes, hex. */
  sha256: z.string().regex(/^[0-9a-f]{64}$/),
  /** Of the bytes before the codecs, where they passed through this process; else null. */
  plainSha256: z
    .string()
    .regex(/^[0-9a-f]{64}$/)
    .nullable(),
  /** The codecs in the order they were applied: `["zstd"]`. */
  codecs: z.array(z.string()),
});
export type Artifact = z.infer<typeof artifactSchema>;

/** How the archive of a database is made up: one file, or a directory that several processes write and read, packed by tar. */
export type ArchiveForm = 'custom' | 'directory';
/** The artifact's name without what codecs add to it. */
export const archiveNames = { custom: 'database.dump', directory: 'database.dir.tar' } as const satisfies Record<ArchiveForm, string>;
export const formOf = ({ name }: Pick<Artifact, 'name'>): ArchiveForm => (name.startsWith(archiveNames.directory) ? 'directory' : 'custom');

/** About what an archive takes once its codecs are undone, bytes; null when unknown. */
export const decodedSize = ({ codecs, size }: Artifact, databaseSize: number | null): number | null =>
  codecs.some((codec) => codec !== 'age') ? databaseSize : size;

export const manifestSchema = z.object({
  format: z.literal(1),
  backupId: z.string().regex(backupIdPattern),
  eventId: z.string(),
  scheduleId: z.string().nullable(),
  /** The configured name, also the folder's name. */
  database: z.string().regex(databaseNamePattern),
  /** The server's own name of the database. */
  databaseName: z.string(),
  systemIdentifier: z.string().nullable(),
  /** Bytes on the server, `pg_database_size`; null where it may not be read. */
  databaseSize: z.int().nonnegative().nullable(),
  engine: z.string(),
  serverVersion: z.string(),
  clientVersion: z.string(),
  toolVersion: z.string(),
  snapshotLsn: z.string().nullable(),
  /** Where the database stood just before the snapshot. */
  mark: markSchema.optional(),
  startedAt: z.iso.datetime(),
  finishedAt: z.iso.datetime(),
  artifacts: z.array(artifactSchema).min(1),
  /** What was proven before the commit. */
  proven: z.object({ level: z.enum(levels), at: z.iso.datetime() }).nullable(),
  warnings: z.array(z.string()),
  /** Where it is sealed: the public ids of the keys that open it, none where a passphrase does. See `model/age-key`. */
  keys: z.array(z.string()).optional(),
  /** What is odd about it beside the ones before it, a sentence each: until a restore proves it, it is suspect. */
  suspect: z.array(z.string()).optional(),
  /** Asked for by --emergency, whatever its schedule: the top-level `retention` keeps it. */
  emergency: z.literal(true).optional(),
  /** The key of the schedule's occurrence that it was made for, so that another host need not make it too. */
  slot: z.string().optional(),
  /** The storages that it was meant for; a copy that one of them lacks is made later. */
  storages: z.array(z.string()).optional(),
  host: z.string(),
  /** Ed25519 over the manifest without this member (see `core/manifest`); null when unsigned. */
  signature: z.object({ key: z.string(), value: z.string() }).nullable(),
});
export type Manifest = z.infer<typeof manifestSchema>;

/** Bytes that a backup takes in one storage. */
export const storedSize = ({ artifacts }: Pick<Manifest, 'artifacts'>): number => artifacts.reduce((sum, { size }) => sum + size, 0);

/** One table's exact count in the dump's own snapshot. */
export const tableCountSchema = z.object({
  schema: z.string(),
  name: z.string(),
  rows: z.int().nonnegative(),
  /** By `content`: the sum of every row's hash, whatever their order; see `engines/pg_dump/content`. */
  hash: z.string().optional(),
});
export type TableCount = z.infer<typeof tableCountSchema>;

/** Where a sequence stood just before the dump: its digits, and whether the value was given out. */
const sequenceSchema = z.object({
  schema: z.string(),
  name: z.string(),
  last: z.string(),
  called: z.boolean(),
  /** It counts downwards. */
  down: z.boolean(),
});
export type SequenceState = z.infer<typeof sequenceSchema>;

export const fingerprintSchema = z.object({
  method: z.enum(['counts', 'content', 'none']),
  tables: z.array(tableCountSchema),
  largeObjects: z.int().nonnegative().nullable(),
  /** By `content`: of all large objects with their numbers. */
  largeObjectsHash: z.string().optional(),
  /** Materialized views that were filled; a restore fills them anew, so that they may differ. */
  views: z.array(tableCountSchema).optional(),
  /** By `content`: of those that do not go round. */
  sequences: z.array(sequenceSchema).optional(),
});
export type Fingerprint = z.infer<typeof fingerprintSchema>;

/** Something that an archive holds the definition of: its kind and name as pg_dump writes them, `CONSTRAINT` `orders orders_pkey`. */
const storedObjectSchema = z.object({
  kind: z.string(),
  schema: z.string().nullable(),
  name: z.string(),
  /** Of its definition and owner: equal only when these are. */
  hash: z.string(),
  /** Of tables and types: columns and the like, one each, as SQL writes them. */
  parts: z.array(z.string()).optional(),
});
export type StoredObject = z.infer<typeof storedObjectSchema>;

/** What tells of the database's inside: sealed like the artifacts where there is encryption. */
export const detailsSchema = z.object({
  format: z.literal(1),
  encoding: z.string(),
  collate: z.string().nullable(),
  ctype: z.string().nullable(),
  /** The database's own; missing in backups of earlier versions. */
  properties: propertiesSchema.optional(),
  /** Roles that own or may use something in the database. */
  roles: z.array(z.string()),
  extensions: z.array(z.object({ name: z.string(), version: z.string(), schema: z.string() })),
  tablespaces: z.array(z.string()),
  /** What this kind of dump cannot hold, a sentence each. */
  notIncluded: z.array(z.string()),
  fingerprint: fingerprintSchema,
  /** All that the archive holds the definition of; backups of earlier versions do not say. */
  objects: z.array(storedObjectSchema).optional(),
});
export type BackupDetails = z.infer<typeof detailsSchema>;

/** A backup as it lies in one storage: `<database>/<backupId>/`. */
export interface BackupPlace {
  readonly database: string;
  readonly backupId: string;
}

/** Throws `not-found` for what could lead elsewhere: every storage asks before it looks. */
export function refuseBadName({ database, backupId }: BackupPlace): void {
  if (databaseNamePattern.test(database) && backupIdPattern.test(backupId)) return;
  throw new Failure('not-found', `"${database}/${backupId}" is not the name of a backup`);
}

/** What was proven of a backup, and when: a fact of the ledger or of the manifest. */
export interface Proof {
  readonly level: Level;
  readonly at: string;
}

/** One backup with every storage that holds it. The catalog's line. */
export interface Backup {
  readonly backupId: string;
  readonly database: string;
  readonly scheduleId: string | null;
  readonly timestamp: string;
  /** Stored bytes of all artifacts, in one storage. */
  readonly size: number;
  readonly storages: readonly string[];
  /** Those of them whose copy failed its newest verification. */
  readonly badCopies: readonly string[];
  readonly proven: Proof | null;
  readonly pinned: boolean;
  /** Not to be trusted until a restore proves it; `doubts` say why. */
  readonly suspect: boolean;
  readonly doubts: readonly string[];
  /** By the key of this state directory; else whoever can write to the storage could have made it. */
  readonly signed: boolean;
  readonly manifest: Manifest;
}
