/**
 * system: libpq's sslmode as Node's TLS options: which tries are allowed, in which order, and what they verify. Never weakens a mode.
 *
 * Source: PostgreSQL's documentation, "SSL Support", and `initialize_SSL` of libpq.
 */
import { existsSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { isIP } from 'node:net';
import { join } from 'node:path';
import { checkServerIdentity, type ConnectionOptions, type SecureVersion } from 'node:tls';
import type { ServerAddress } from '../../model/settings/connection.js';
import { Failure } from '../../model/errors.js';
import type { Parameters } from './keywords.js';
import { homeOf } from './parameters.js';

type Mode = ServerAddress['sslmode'];

/** How one connection is tried: in clear text, or with these options. `mode` is what a child must use to do the same. */
export interface TlsTry {
  readonly options: ConnectionOptions | null;
  readonly mode: Mode;
}

export interface TlsFiles {
  readonly root: string | null;
  readonly cert: string | null;
  readonly key: string | null;
}

const systemRoots = ['/etc/ssl/certs/ca-certificates.crt', '/etc/pki/tls/certs/ca-bundle.crt', '/etc/ssl/cert.pem'];
const modes: readonly string[] = ['disable', 'allow', 'prefer', 'require', 'verify-ca', 'verify-full'] satisfies Mode[];

function modeOf(parameters: Parameters): Mode {
  const mode = parameters.sslmode ?? (parameters.sslrootcert === 'system' ? 'verify-full' : 'prefer');
  if (!modes.includes(mode)) throw new Failure('configuration', `sslmode is "${mode}", expected one of ${modes.join(', ')}`);
  return mode as Mode;
}

/** The certificate files that are named, or lie where libpq looks for them. Throws `tls` where a mode that verifies has no root. */
export function tlsFiles(parameters: Parameters, env: NodeJS.ProcessEnv): TlsFiles {
  const own = (name: string): string => join(homeOf(env), '.postgresql', name);
  const first = (files: readonly string[]): string | null => files.find((file) => existsSync(file)) ?? null;
  const { sslrootcert } = parameters;
  const system = sslrootcert === 'system';
  const root = first(system ? [env['SSL_CERT_FILE'] ?? '', ...systemRoots] : [sslrootcert ?? own('root.crt')]);
  if (root === null && modeOf(parameters).startsWith('verify'))
    throw new Failure(
      'tls',
      `sslmode=${modeOf(parameters)} needs trusted certificates, but ${sslrootcert ?? own('root.crt')} does not exist`,
      {
        hint: 'name the file with sslrootcert (PGSSLROOTCERT), or "system" for the ones of this machine',
      },
    );
  const cert = parameters.sslcert ?? first([own('postgresql.crt')]);
  return { root, cert, key: cert === null ? null : (parameters.sslkey ?? first([own('postgresql.key')])) };
}

const secureVersion = (version: string | undefined): SecureVersion | undefined =>
  version === undefined ? undefined : (version.replace(/^TLSv1$/, 'TLSv1.0').replace('TLSv1.0', 'TLSv1') as SecureVersion);

async function optionsFor(host: string, mode: Mode, files: TlsFiles, parameters: Parameters): Promise<ConnectionOptions> {
  const read = async (file: string | null | undefined) =>
    file
      ? await readFile(file).catch((error: unknown) => {
          throw new Failure('tls', `the certificate file ${file} cannot be read: ${(error as Error).message}`, { cause: error });
        })
      : undefined;
  const [ca, cert, key, crl] = await Promise.all([files.root, files.cert, files.key, parameters.sslcrl].map(read));
  const chosen = {
    servername: isIP(host) === 0 && parameters.sslsni !== '0' ? host : undefined,
    minVersion: secureVersion(parameters.ssl_min_protocol_version ?? 'TLSv1.2'),
    maxVersion: secureVersion(parameters.ssl_max_protocol_version),
    ca,
    cert,
    key,
    crl,
  };
  return {
    ...Object.fromEntries(Object.entries(chosen).filter(([, value]) => value !== undefined)),
    // as libpq: a root certificate that is there is used to verify in every mode
    rejectUnauthorized: ca !== undefined,
    checkServerIdentity: (_, certificate) => (mode === 'verify-full' ? checkServerIdentity(host, certificate) : undefined),
  };
}

/** The tries in libpq's order; a socket is always in clear text. */
export async function tlsTries(host: string, files: TlsFiles, parameters: Parameters): Promise<readonly TlsTry[]> {
  const mode = modeOf(parameters);
  const plain: TlsTry = { options: null, mode: 'disable' };
  if (mode === 'disable' || host.startsWith('/')) return [plain];
  const sealed: TlsTry = {
    options: await optionsFor(host, mode, files, parameters),
    mode: mode === 'allow' || mode === 'prefer' ? 'require' : mode,
  };
  if (mode === 'allow') return [plain, sealed];
  return mode === 'prefer' ? [sealed, plain] : [sealed];
}
