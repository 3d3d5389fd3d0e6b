/**
 * api: `serve` from its start to its end: refuses to stand open, listens, keeps time where it is asked to, and stops in order.
 */
import { Failure } from '../model/errors.js';
import { makeContext } from '../wire.js';
import { openAccess, readCertificate } from '../wire/access.js';
import { keepTime } from './clockwork.js';
import { watchCertificate } from './door/certificate.js';
import { openServer } from './server.js';
import { openTools } from './tools.js';

export interface ServeOptions {
  readonly config?: string;
  readonly set: readonly string[];
  readonly verbose: boolean;
  /** Nobody is asked for a token; on loopback alone. */
  readonly insecure: boolean;
  /** Does what is due, every minute. */
  readonly schedule: boolean;
  /** How long what runs may go on after it was asked to stop, ms. */
  readonly grace: number;
  /** Asks to stop. */
  readonly signal: AbortSignal;
  /** Hears what a person should see, a line each. */
  readonly say: (line: string) => void;
}

const isLoopback = (host: string): boolean => host === 'localhost' || host === '::1' || /^127(\.\d{1,3}){3}$/.test(host);

interface Standing {
  readonly host: string;
  readonly insecure: boolean;
  readonly tokens: number;
  /** TLS, or a proxy that does it. */
  readonly sealed: boolean;
}

/** Why the server would stand open; null: it does not. */
export function refusal({ host, insecure, tokens, sealed }: Standing): Failure | null {
  const local = isLoopback(host);
  if (insecure && !local)
    return new Failure('usage', `--insecure is for loopback alone, and api.host is ${host}`, { hint: 'leave it out' });
  if (!insecure && tokens === 0)
    return new Failure('configuration', 'there is no token, so nobody could ask the server anything', {
      hint: 'make one: `backup-automation token create --name me --role admin`',
    });
  if (!local && !sealed)
    return new Failure('configuration', `api.host is ${host}: tokens would go over the network in clear`, {
      hint: 'set api.tls to the files of a certificate, or api.trustedProxy to the address of the proxy that does TLS',
    });
  return null;
}

/** Serves until it is asked to stop. Rejects with the reason when it cannot begin. */
export async function serve(options: ServeOptions): Promise<void> {
  const given = { set: options.set, ...(options.config !== undefined && { config: options.config }) };
  const environment = { verbose: options.verbose };
  const { context, loaded } = await makeContext({ ...given, ...environment });
  const { api: settings } = loaded.config;
  const access = await openAccess(given);
  const certificate = readCertificate(settings);
  const sealed = certificate !== null || settings.trustedProxy.length > 0;
  const open = refusal({ host: settings.host, insecure: options.insecure, tokens: access.tokens.list().length, sealed });
  if (open) throw open;
  const giveUp = new AbortController();
  const { log, clock } = context;
  const parts = { options: given, environment, settings, access, clock, log, stopping: options.signal, cancelled: giveUp.signal };
  const tools = openTools(parts);
  const server = await openServer(tools, { insecure: options.insecure, certificate }).catch((error: NodeJS.ErrnoException) => {
    const isSealing = /^ERR_(OSSL|TLS|CRYPTO)/.test(error.code ?? '');
    const what = isSealing ? 'api.tls: the certificate and its key are no use' : `cannot listen on ${settings.host}, port ${settings.port}`;
    throw new Failure('configuration', `${what}: ${isSealing ? error.message : (error.code ?? error.message)}`, { cause: error });
  });
  options.say(`listening on ${server.url}${options.insecure ? ', open to everybody on this machine' : ''}`);
  log('info', `serve: listening on ${server.url}`);
  tools.kept().then(({ reader }) => reader.read()).catch((error: unknown) => log('warn', `the ledger cannot be read: ${String(error)}`)); // prettier-ignore
  if (certificate)
    void watchCertificate(certificate, {
      read: () => readCertificate(settings),
      take: (found) => server.renew(found),
      clock,
      log,
      stopping: options.signal,
    });
  const ticking = options.schedule ? keepTime(tools) : Promise.resolve();
  await clock.sleep(Number.MAX_SAFE_INTEGER, options.signal).catch(() => {});
  const late = new AbortController();
  const patience = clock.sleep(options.grace, late.signal).then(
    () => giveUp.abort(options.signal.reason),
    () => {},
  );
  // what runs is finished or, when that takes too long, cancelled in order; what did not begin waits for `execute --due`
  await Promise.allSettled([server.close(), ticking, tools.runs.close()]);
  late.abort();
  await patience;
}
