/**
 * system: which server an entry of `databases` means, by libpq's rules: resolved once, so that every later connection reaches the same one.
 */
import { userInfo } from 'node:os';
import type { DatabaseEntry, ServerAddress } from '../../model/settings/connection.js';
import { Failure } from '../../model/errors.js';
import { variables, type Parameters } from './keywords.js';
import { gatherParameters, type Given } from './parameters.js';
import { findPassword, passfileLine, readPassfile, type Passfile } from './passfile.js';
import { addressesOf, placesOf, type Place } from './places.js';
import { suits, targetOf, type Target } from './target.js';
import { tlsFiles, tlsTries, type TlsFiles, type TlsTry } from './tls.js';
import { openSession, type Destination, type Session } from '../postgres/postgres.js';

export interface ConnectOptions {
  /** Another database of the same server. */
  readonly databaseName?: string;
  readonly applicationName: string;
  readonly settings?: Readonly<Record<string, string>>;
}

export interface Server {
  readonly address: ServerAddress;
  connect(options: ConnectOptions): Promise<Session>;
  /** libpq's environment for pg_dump and its kin; `passfile` holds `passfileLine`. Never the password itself. */
  childEnvironment(passfile: string, databaseName?: string): Record<string, string>;
  /** The line for a private passfile, null where there is no password. */
  passfileLine(databaseName?: string): string | null;
}

const defaultTimeout = 10;

/** What holds for every host that is tried. */
interface Plan {
  readonly parameters: Parameters;
  readonly user: string;
  readonly databaseName: string;
  readonly files: TlsFiles;
  readonly passfile: Passfile;
  readonly timeout: number;
  readonly signal: AbortSignal | undefined;
}

/** The place and the way that worked. */
interface Settled {
  readonly place: Place;
  readonly address: string;
  readonly tls: TlsTry;
  /** Whether the server notices a child that is gone, and lets itself be told so. */
  readonly checksClients: boolean;
}

/**
 * Finds the server of an entry: tries its hosts in order, the first that answers as asked is the one.
 * Throws a Failure: `configuration`, `connection`, `authentication`, `tls`, `no-database`, `permission`, `server-busy`.
 */
export async function resolveServer(entry: DatabaseEntry, given: Given): Promise<Server> {
  const parameters = await gatherParameters(entry, given);
  const user = parameters.user ?? userInfo().username;
  const plan: Plan = {
    parameters,
    user,
    databaseName: parameters.dbname ?? (entry.databases ? 'postgres' : user),
    files: tlsFiles(parameters, given.env),
    passfile: await readPassfile(parameters, given.env),
    timeout: 1000 * Math.max(2, Number(parameters.connect_timeout) || defaultTimeout),
    signal: given.signal,
  };
  const places = placesOf(parameters);
  const failed: Failure[] = [];
  for (const target of targetOf(parameters.target_session_attrs))
    for (const place of places) {
      const settled = await settle(plan, place, target, failed);
      if (settled) return serverOf(plan, settled);
    }
  const [first] = failed;
  if (first && failed.length === 1) throw isNamed(parameters) ? first : unnamed(first);
  throw new Failure('connection', `no server answered as asked:\n  ${[...new Set(failed.map(({ message }) => message))].join('\n  ')}`, {
    cause: first,
  });
}

const isNamed = ({ host, hostaddr, dbname, user }: Parameters): boolean =>
  [host, hostaddr, dbname, user].some((part) => part !== undefined);

/** A newcomer has said nothing yet, and libpq's defaults have met nobody. */
const unnamed = (failure: Failure): Failure =>
  new Failure(failure.code, failure.message, {
    hint: 'nothing says which database is meant: set DATABASE_URL=postgresql://USER@HOST/DATABASE, or `databases` in the configuration',
    cause: failure,
  });

/** Tries one host by each of its addresses. Null, with the reasons in `failed`, when the next host may do; throws when none would. */
async function settle(plan: Plan, place: Place, target: Target, failed: Failure[]): Promise<Settled | null> {
  try {
    for (const address of await addressesOf(place)) {
      const settled = await tryAddress(plan, place, address, target).catch((error: unknown) => passOver(error, failed));
      if (settled) return settled;
    }
  } catch (error) {
    return passOver(error, failed);
  }
  return null;
}

function passOver(error: unknown, failed: Failure[]): null {
  if (!(error instanceof Failure) || error.code !== 'connection') throw error;
  if (!failed.includes(error)) failed.push(error);
  return null;
}

async function tryAddress(plan: Plan, place: Place, address: string, target: Target): Promise<Settled> {
  const tries = await tlsTries(place.host.startsWith('/') ? address : place.host, plan.files, plan.parameters);
  let refused: Failure | null = null;
  for (const tls of tries) {
    const destination = destinationOf(plan, { place, address, tls }, plan.databaseName);
    try {
      const session = await openSession(destination, { applicationName: 'backup-automation', ...optionsOf(plan), signal: plan.signal });
      try {
        await suits(session, target, destination);
        return { place, address, tls, checksClients: await checksClients(session) };
      } finally {
        await session.close();
      }
    } catch (error) {
      if (!isRefusal(error)) throw error;
      refused = refused === null || refused.code === 'tls' ? error : refused;
    }
  }
  throw refused ?? new Failure('internal', 'no way to connect was tried');
}

/** Only what the other way may cure: no TLS there, or pg_hba.conf wants it otherwise. Never a wrong password. */
const isRefusal = (error: unknown): error is Failure =>
  error instanceof Failure && (error.code === 'tls' || (error.code === 'authentication' && sqlstateOf(error) === '28000'));
const sqlstateOf = ({ cause }: Failure): unknown => (cause instanceof Error && 'code' in cause ? cause.code : null);

async function checksClients(session: Session): Promise<boolean> {
  if (session.serverMajor < 14) return false;
  const asked = session.query("SELECT pg_catalog.set_config('client_connection_check_interval', '10s', false)");
  return asked.then(
    () => true,
    () => false,
  );
}

/** A backend of ours that waits, for a lock perhaps, notices within 10 s that we died. */
const checking = ({ checksClients }: Settled, options: ConnectOptions): ConnectOptions =>
  checksClients ? { ...options, settings: { client_connection_check_interval: '10s', ...options.settings } } : options;

const optionsOf = ({ parameters }: Plan) => (parameters.options === undefined ? {} : { options: parameters.options });

function passwordOf({ parameters, passfile, user }: Plan, { host, port }: Place, databaseName: string): string | null {
  return parameters.password ?? findPassword(passfile.text, { host, port, databaseName, user });
}

function destinationOf(plan: Plan, way: Omit<Settled, 'checksClients'>, databaseName: string): Destination {
  return {
    host: way.place.host,
    address: way.address,
    port: way.place.port,
    user: plan.user,
    databaseName,
    timeout: plan.timeout,
    password: passwordOf(plan, way.place, databaseName),
    tls: way.tls.options,
    channelBinding: plan.parameters.channel_binding === 'require',
    passwordHint: plan.passfile.ignored,
  };
}

function serverOf(plan: Plan, settled: Settled): Server {
  const { place, tls } = settled;
  const socket = settled.address.startsWith('/');
  const address: ServerAddress = {
    host: place.host,
    hostaddr: socket ? null : settled.address,
    port: place.port,
    user: plan.user,
    databaseName: plan.databaseName,
    sslmode: tls.mode,
    sslrootcert: plan.files.root,
    sslcert: plan.files.cert,
    sslkey: plan.files.key,
  };
  return {
    address,
    connect: ({ databaseName = plan.databaseName, ...options }) =>
      openSession(destinationOf(plan, settled, databaseName), { ...optionsOf(plan), ...checking(settled, options), signal: plan.signal }),
    childEnvironment: (passfile, databaseName = plan.databaseName) => childEnvironment(plan, settled, address, { passfile, databaseName }),
    passfileLine(databaseName = plan.databaseName) {
      const password = passwordOf(plan, place, databaseName);
      return password === null ? null : passfileLine({ ...place, user: plan.user, databaseName }, password);
    },
  };
}

/** Parameters that our own sessions do not know, handed on as they are. */
const carried = ['channel_binding', 'requirepeer', 'require_auth', 'krbsrvname', 'sslcrl', 'sslsni', 'sslcertmode'] as const;
const versions = ['ssl_min_protocol_version', 'ssl_max_protocol_version'] as const;

function childEnvironment(
  plan: Plan,
  settled: Settled,
  address: ServerAddress,
  given: { passfile: string; databaseName: string },
): Record<string, string> {
  const { parameters } = plan;
  // pg_dump lifts the limits of the role and the database by itself only after its first questions, pg_dumpall never
  const unlimited = '-c statement_timeout=0 -c lock_timeout=0';
  const check = settled.checksClients ? '-c client_connection_check_interval=10s' : '';
  const values: Record<string, string | null | undefined> = {
    ...Object.fromEntries([...carried, ...versions].map((key) => [variables[key], parameters[key]])),
    PGHOST: address.host,
    PGHOSTADDR: address.hostaddr,
    PGPORT: `${address.port}`,
    PGUSER: address.user,
    PGDATABASE: given.databaseName,
    PGPASSFILE: given.passfile,
    PGSSLMODE: address.sslmode,
    PGSSLROOTCERT: address.sslrootcert,
    PGSSLCERT: address.sslcert,
    PGSSLKEY: address.sslkey,
    PGGSSENCMODE: parameters.gssencmode ?? 'disable',
    PGCONNECT_TIMEOUT: `${plan.timeout / 1000}`,
    PGOPTIONS: `${parameters.options ?? ''} ${unlimited} ${check}`.trim(),
  };
  return Object.fromEntries(Object.entries(values).flatMap(([name, value]) => (value ? [[name, value]] : [])));
}
