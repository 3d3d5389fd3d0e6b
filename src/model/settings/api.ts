/**
 * model: the settings of `serve`: where it listens, whom it believes, and what it lets programs do.
 */
import * as z from 'zod';
import { slug } from './settings.js';

const file = z.string().min(1);

export const apiSchema = z.strictObject({
  host: z.string().min(1).default('127.0.0.1').describe('Address that the REST API listens on.'),
  port: z.int().min(0).max(65_535).default(8484).describe('Port of the REST API; 0: any free one.'),
  tls: z
    .strictObject({ cert: file.describe('The certificate with its chain, PEM.'), key: file.describe('Its private key, PEM.') })
    .nullable()
    .default(null)
    .describe('Files for HTTPS; null: HTTP. Beyond loopback either this or `trustedProxy` is needed.'),
  trustedProxy: z
    .array(z.union([z.ipv4(), z.ipv6(), z.cidrv4(), z.cidrv6()]))
    .default([])
    .describe('Addresses or networks of proxies whose X-Forwarded-* are believed; nobody else is.'),
  allowedHosts: z
    .array(z.string().min(1))
    .default([])
    .describe('Names by which the server may be addressed (Host), beside its own address and those of loopback.'),
  cors: z
    .array(z.string().regex(/^https?:\/\/[^/]+$/, 'expected an origin, e.g. "https://grafana.example.org"'))
    .default([])
    .describe('Origins whose pages may read the API in a browser; none: no CORS at all.'),
  rateLimit: z.int().min(1).max(1_000_000).default(600).describe('Most requests a minute of one token, or of one address without one.'),
  allowPrune: z.boolean().default(false).describe('Whether a token of role admin may remove backups by the retention rules.'),
  restoreTargets: z
    .record(slug, z.strictObject({ url: z.string().describe('A PostgreSQL URL, or a reference to one: "env:STAGING_URL".') }))
    .default({})
    .describe(
      'Databases that a token of role admin may restore into, by name, while they are empty or not there; none: no restore at all.',
    ),
});
export type ApiSettings = z.infer<typeof apiSchema>;
