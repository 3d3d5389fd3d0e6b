/**
 * system: a session with a PostgreSQL server, the only file that knows pg. It never decides where to connect and never shows a password.
 */
import { connect as connectSocket } from 'node:net';
import type { ConnectionOptions } from 'node:tls';
import type { Client, ClientConfig } from 'pg';
import { identifier } from '../../model/quote.js';
import { Failure, type FailureCode } from '../../model/errors.js';
import { redact } from '../../model/redact.js';
import { codeOfSqlstate } from '../../model/sqlstate.js';

export interface Session {
  /** `15.18` */
  readonly serverVersion: string;
  readonly serverMajor: number;
  readonly backendPid: number;
  /** It is the server itself that answers: no pooler announced a process of its own making. */
  readonly isDirect: boolean;
  /** Whether the connection broke by itself. */
  isLost(): boolean;
  /** Rows of the (last) statement; int8 comes as a number. Throws a Failure whose code stands for the SQLSTATE. */
  query<Row extends object>(sql: string, values?: readonly unknown[]): Promise<Row[]>;
  /** Calls `heard` whenever somebody notifies the channel, as long as the session lives. */
  listen(channel: string, heard: () => void): Promise<void>;
  /** Asks the server to stop the statement that runs now. Never throws. */
  cancel(): Promise<void>;
  /** Ends the session, at once when a statement runs. Never throws. */
  close(): Promise<void>;
}

/** One place to connect to, and how; found by `connection`. */
export interface Destination {
  /** The name it goes by: a host, an address, or the folder of a socket. */
  readonly host: string;
  /** An IP address, or the folder of a socket. */
  readonly address: string;
  readonly port: number;
  readonly user: string;
  readonly databaseName: string;
  readonly password: string | null;
  /** Null: clear text. */
  readonly tls: ConnectionOptions | null;
  /** Whether the login must be bound to the TLS channel, so that nobody in between can relay it. */
  readonly channelBinding: boolean;
  /** What a refused login may come from, for the hint. */
  readonly passwordHint: string | null;
  /** Milliseconds until an unanswered try fails. */
  readonly timeout: number;
}

export interface SessionOptions {
  readonly applicationName: string;
  /** Server settings of this session; they win over those of the role and the database. */
  readonly settings?: Readonly<Record<string, string>>;
  /** PGOPTIONS, as the user gave them. */
  readonly options?: string;
  readonly signal?: AbortSignal | undefined;
}

/** Ours are bounded by whoever asks, not by a role's settings; names mean what the server ships, not what a schema shadows. */
const pinned = { statement_timeout: '0', lock_timeout: '0', idle_in_transaction_session_timeout: '0', search_path: 'pg_catalog' };
const sinceFourteen = `SELECT pg_catalog.set_config(name, '0', false) FROM pg_catalog.pg_settings
  WHERE name IN ('idle_session_timeout', 'transaction_timeout') AND setting <> '0'`;
const identity = `SELECT pg_catalog.current_setting('server_version') AS version,
  pg_catalog.current_setting('server_version_num')::int4 AS number, pg_catalog.pg_backend_pid() AS pid`;

const cancelRequest = 80_877_102;

/** What the types of pg leave out of a client. */
type Wire = Client & {
  secretKey: number;
  processID: number;
  connection: {
    stream: { destroy(): unknown };
    once(event: 'authenticationSASL', listener: (message: { mechanisms: string[] }) => void): void;
  };
};

const startupOptions = (settings: Readonly<Record<string, string>>): string =>
  Object.entries(settings)
    .map(([name, value]) => `-c ${name}=${value.replace(/[\\\s]/g, '\\$&')}`)
    .join(' ');

const isServerError = (error: unknown): error is Error & { code: string } =>
  error instanceof Error && 'severity' in error && 'code' in error && typeof error.code === 'string';

/** Who, where and what, for messages. */
export const describePlace = (place: Pick<Destination, 'host' | 'port' | 'user' | 'databaseName'>): string =>
  `database ${JSON.stringify(place.databaseName)} at ${place.host}:${place.port} as user ${JSON.stringify(place.user)}`;

function connectCode(error: Error): FailureCode {
  if (isServerError(error)) return codeOfSqlstate(error.code) ?? 'connection';
  const code = 'code' in error ? String(error.code) : '';
  if (/CERT|SSL|TLS|EPROTO|SELF_SIGNED|UNABLE_TO|CRL/.test(code) || /does not support SSL|certificate/.test(error.message)) return 'tls';
  return /^SASL|^SCRAM/.test(error.message) ? 'authentication' : 'connection';
}

/** `cannot_connect_now`: somebody is there. */
const closed = '57P03';
const notYet =
  'the server lets nobody in: it is starting, stopping or recovering, see its log; a standby that is backed up needs hot_standby = on';

function hintOf(thrown: Error, code: FailureCode, { passwordHint }: Destination): string | null {
  if (code === 'authentication') return passwordHint;
  return isServerError(thrown) && thrown.code === closed ? notYet : null;
}

/** A failed try as a Failure that names user, host, port and database, with the SQLSTATE kept in its cause. */
function connectFailure(error: unknown, place: Destination): Failure {
  if (error instanceof Failure) return error;
  const thrown = error instanceof Error ? error : new Error(String(error));
  const code = connectCode(thrown);
  // several addresses refused at once come without a message
  const reason = thrown.message || ('code' in thrown ? String(thrown.code) : 'no answer');
  const detail = 'detail' in thrown && typeof thrown.detail === 'string' ? ` (${thrown.detail})` : '';
  const hint = hintOf(thrown, code, place);
  const message = redact(`cannot connect to ${describePlace(place)}: ${reason}${detail}`);
  return new Failure(code, message, { cause: thrown, ...(hint && { hint }) });
}

function queryFailure(error: unknown, place: Destination): Failure {
  if (isServerError(error))
    return new Failure(codeOfSqlstate(error.code) ?? 'engine', redact(`${describePlace(place)}: ${error.message}`), { cause: error });
  const message = error instanceof Error ? error.message : String(error);
  return new Failure('connection', redact(`the connection to ${describePlace(place)} was lost: ${message}`), { cause: error });
}

function configOf(place: Destination, options: SessionOptions, startup: string | undefined, checkBinding: () => void): ClientConfig {
  return {
    host: place.address,
    port: place.port,
    user: place.user,
    database: place.databaseName,
    application_name: options.applicationName,
    client_encoding: 'UTF8',
    ssl: place.tls ?? false,
    keepAlive: true,
    keepAliveInitialDelayMillis: 30_000,
    connectionTimeoutMillis: place.timeout,
    ...(startup === undefined ? {} : { options: startup }),
    enableChannelBinding: place.channelBinding,
    password: () => {
      checkBinding();
      if (place.password !== null) return place.password;
      throw new Failure('authentication', `the server wants a password for ${describePlace(place)}, and none was given`, {
        hint: place.passwordHint ?? 'give it by PGPASSWORD, ~/.pgpass, or password / passwordFile of the database in the configuration',
      });
    },
  };
}

/** Opens a session. Throws a Failure: `connection`, `authentication`, `tls`, `no-database`, `permission`, `server-busy`. */
export async function openSession(place: Destination, options: SessionOptions): Promise<Session> {
  const settings = { ...pinned, ...options.settings };
  const startup = `${options.options ?? ''} ${startupOptions(settings)}`.trim();
  try {
    return await start(place, options, startup);
  } catch (error) {
    // a pooler may refuse options at start; then they are set afterwards
    if (!(error instanceof Failure) || !/unsupported startup parameter/i.test(error.message)) throw error;
    const session = await start(place, options, undefined);
    for (const [name, value] of Object.entries(settings)) await session.query('SELECT pg_catalog.set_config($1, $2, false)', [name, value]);
    return session;
  }
}

async function start(place: Destination, options: SessionOptions, startup: string | undefined): Promise<Session> {
  const { default: pg } = await import('pg');
  let bound = !place.channelBinding;
  const checkBinding = (): void => {
    if (!bound) throw new Failure('tls', `channel_binding=require, but ${describePlace(place)} does not offer it`);
  };
  const client = new pg.Client({
    ...configOf(place, options, startup, checkBinding),
    types: { getTypeParser: (oid, format) => (oid === pg.types.builtins.INT8 ? Number : pg.types.getTypeParser(oid, format)) },
  }) as Wire;
  let lost: unknown = null;
  client.on('error', (error) => (lost = error));
  client.on('end', () => (lost ??= new Error('the server ended it')));
  // heard before pg answers, so that nothing is sent to a server that cannot be trusted
  client.connection.once('authenticationSASL', ({ mechanisms }) => (bound ||= mechanisms.includes('SCRAM-SHA-256-PLUS')));
  const abort = (): void => void client.connection.stream.destroy();
  options.signal?.addEventListener('abort', abort, { once: true });
  try {
    options.signal?.throwIfAborted();
    await client.connect();
    checkBinding();
    await client.query(sinceFourteen);
    const [server] = (await client.query<{ version: string; number: number; pid: number }>(identity)).rows;
    if (!server) throw new Error('the server does not tell its version');
    return sessionOf(client, place, server, () => lost);
  } catch (error) {
    abort();
    if (options.signal?.aborted) throw options.signal.reason;
    throw connectFailure(error, place);
  } finally {
    options.signal?.removeEventListener('abort', abort);
  }
}

function sessionOf(
  client: Wire,
  place: Destination,
  server: { version: string; number: number; pid: number },
  lost: () => unknown,
): Session {
  return {
    serverVersion: server.version.split(' ', 1)[0] ?? server.version,
    serverMajor: Math.floor(server.number / 10_000),
    backendPid: server.pid,
    isDirect: client.processID === server.pid,
    isLost: () => lost() !== null,
    async listen(channel, heard) {
      client.on('notification', heard);
      await client.query(`LISTEN ${identifier(channel)}`);
    },
    async query<Row extends object>(sql: string, values?: readonly unknown[]) {
      try {
        const result = await client.query<Row>(sql, values && [...values]);
        return Array.isArray(result) ? ((result.at(-1)?.rows ?? []) as Row[]) : result.rows;
      } catch (error) {
        throw queryFailure(isServerError(error) ? error : (lost() ?? error), place);
      }
    },
    cancel: () => cancel(place, client.processID, client.secretKey),
    async close() {
      const ended = client.end().catch(() => undefined);
      const patience = setTimeout(() => client.connection.stream.destroy(), 2000);
      await ended;
      clearTimeout(patience);
    },
  };
}

/** The protocol's CancelRequest, on a connection of its own; takes no place among the server's connections. */
function cancel(place: Destination, pid: number, key: number): Promise<void> {
  const request = Buffer.alloc(16);
  for (const [at, value] of [16, cancelRequest, pid].entries()) request.writeInt32BE(value, at * 4);
  request.writeInt32BE(key, 12);
  const { address, port } = place;
  return new Promise((resolve) => {
    const socket = address.startsWith('/') ? connectSocket(`${address}/.s.PGSQL.${port}`) : connectSocket(port, address);
    socket.setTimeout(2000, () => socket.destroy());
    socket.on('error', () => undefined).on('close', () => resolve());
    // the server ends it: a pooler may not take an end of ours well
    socket.on('end', () => socket.end()).resume();
    socket.write(request);
  });
}
