/**
 * model: how a database is reached, in libpq's own words, as an entry of `databases` says it.
 */
import * as z from 'zod';

const port = z.int().min(1).max(65_535);
const reference = z.string().describe('A reference to a secret: "env:NAME", "file:PATH" or "command:...".');

export const databaseEntrySchema = z.strictObject({
  url: z
    .string()
    .optional()
    .describe('A PostgreSQL URL, or a reference to one: "env:DATABASE_URL". A URL with a password must be a reference.'),
  service: z.string().optional().describe("A name in libpq's service file."),
  host: z.string().optional().describe('Host, several with commas, or the folder of a socket.'),
  hostaddr: z.string().optional().describe('Numeric address, to spare the look-up.'),
  port: z
    .union([port, z.string().regex(/^\d{1,5}(,\d{1,5})*$/)])
    .optional()
    .describe('Port, or as many as hosts with commas.'),
  user: z.string().optional().describe('Role to connect as.'),
  database: z.string().optional().describe('Database to back up; for a cluster the one to connect to first.'),
  password: reference.optional().describe('A reference to the password.'),
  passwordFile: z.string().optional().describe('File whose first line is the password.'),
  sslmode: z.enum(['disable', 'allow', 'prefer', 'require', 'verify-ca', 'verify-full']).optional().describe("libpq's sslmode."),
  sslrootcert: z.string().optional().describe('File of trusted certificates, or "system".'),
  sslcert: z.string().optional().describe('Client certificate file.'),
  sslkey: z.string().optional().describe('Client key file.'),
  targetSessionAttrs: z
    .enum(['any', 'read-write', 'read-only', 'primary', 'standby', 'prefer-standby'])
    .optional()
    .describe('Which of several hosts will do.'),
  connectTimeout: z.int().min(1).max(600).optional().describe('Seconds to wait for each host.'),
  databases: z.array(z.string()).min(1).optional().describe('Globs of database names: makes the entry a whole cluster.'),
  exclude: z.array(z.string()).optional().describe('Globs of names that a cluster leaves out.'),
});
export type DatabaseEntry = z.infer<typeof databaseEntrySchema>;

/** One server, found and settled: every connection of a backup uses exactly this. Secrets stay out of it. */
export interface ServerAddress {
  readonly host: string;
  readonly hostaddr: string | null;
  readonly port: number;
  readonly user: string;
  readonly databaseName: string;
  readonly sslmode: NonNullable<DatabaseEntry['sslmode']>;
  readonly sslrootcert: string | null;
  readonly sslcert: string | null;
  readonly sslkey: string | null;
}
