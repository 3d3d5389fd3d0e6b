/**
 * model: what a PostgreSQL server or client program complained about, as a code of our own failures. One table for both.
 *
 * Sources: PostgreSQL's appendix "Error Codes", libpq's and pg_dump's messages in the C locale.
 */
import type { FailureCode } from './errors.js';

const states: Readonly<Record<string, FailureCode>> = {
  '28000': 'authentication',
  '28P01': 'authentication',
  '3D000': 'no-database',
  '42501': 'permission',
  '53100': 'no-space',
  '53300': 'server-busy',
  '55P03': 'lock-timeout',
  '57P01': 'connection',
  '57P02': 'connection',
  '57P03': 'connection',
  '57P04': 'connection',
  XX001: 'damaged-source',
  XX002: 'damaged-source',
};

/** The code of a five-character SQLSTATE, null where the table has no better word than the caller's own. */
export const codeOfSqlstate = (sqlstate: string): FailureCode | null =>
  states[sqlstate] ?? (sqlstate.startsWith('08') ? 'connection' : null);

/** Looked through from the top: what says more stands before what says less. */
const messages: readonly (readonly [RegExp, FailureCode])[] = [
  [
    /invalid page in block|could not read block|checksum verification failed|missing chunk number|unexpected chunk number/i,
    'damaged-source',
  ],
  [
    /password authentication failed|no password supplied|no pg_hba\.conf entry|authentication failed|role "[^"]*" (?:does not exist|is not permitted to log in)/i,
    'authentication',
  ],
  [/server version mismatch|aborting because of server version/i, 'client-too-old'],
  [/database ".*" does not exist/i, 'no-database'],
  [/too many connections|too many clients|remaining connection slots/i, 'server-busy'],
  // pg_dump's --lock-wait-timeout is a statement_timeout around its LOCK TABLE
  [/canceling statement due to lock timeout|could not obtain lock|due to statement timeout[^]*LOCK TABLE/i, 'lock-timeout'],
  [/permission denied|must be (?:owner|superuser)|row-level security|insufficient privilege/i, 'permission'],
  [/No space left on device|disk full|Disk quota exceeded/i, 'no-space'],
  // a connection that was lost says SSL too, where it was sealed
  [/terminating connection|closed (?:the connection )?unexpectedly|SSL SYSCALL error|no connection to the server/i, 'connection'],
  [/Connection reset by peer/i, 'connection'],
  [/certificate|\bSSL\b|\bTLS\b|private key file/, 'tls'],
  [/the database system is (?:starting up|shutting down|in recovery|not yet accepting)|not yet accepting connections/i, 'connection'],
  [/could not connect|connection to server .* failed|Connection refused|Connection timed out|timeout expired/i, 'connection'],
  [/could not translate host name|could not (?:receive|send) data|lost synchronization with server/i, 'connection'],
];

/** Recognises what pg_dump, pg_restore, psql or libpq wrote on stderr (LC_ALL=C). Null: none of the known ones. */
export const classifyServerMessage = (text: string): FailureCode | null => messages.find(([pattern]) => pattern.test(text))?.[1] ?? null;
