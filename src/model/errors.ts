/**
 * model: the one table of everything that can go wrong, and the error that carries a row of it.
 *
 * Exit codes, classes, default hints and the documentation all come from this table.
 */

/** Whether repeating helps: `transient` soon, `busy` later, `resource` once room was made, `permanent` never. */
export type FailureClass = 'transient' | 'busy' | 'permanent' | 'resource';

interface FailureKind {
  readonly exit: number;
  readonly class: FailureClass;
  readonly hint: string;
}

export const failures = {
  internal: { exit: 1, class: 'permanent', hint: 'this is a bug of backup-automation; repeat with --verbose and report what it prints' },
  failed: { exit: 1, class: 'permanent', hint: 'see `backup-automation events` for what happened' },
  'not-available': { exit: 1, class: 'permanent', hint: 'this part is not built yet' },
  usage: { exit: 2, class: 'permanent', hint: 'see `backup-automation --help`' },
  'not-found': { exit: 2, class: 'permanent', hint: 'see the names with `backup-automation config` or `backup-automation backups`' },
  partial: { exit: 3, class: 'transient', hint: 'see `backup-automation events` for the one that failed' },
  configuration: { exit: 10, class: 'permanent', hint: 'check it with `backup-automation config validate`' },
  'no-key': {
    exit: 10,
    class: 'permanent',
    hint: 'set verify.identity to a reference of the private age key, e.g. --set verify.identity=file:PATH',
  },
  'health-check': { exit: 20, class: 'busy', hint: 'look with `backup-automation health`; --force passes it by' },
  'client-missing': { exit: 20, class: 'permanent', hint: 'install the PostgreSQL client, e.g. `apt-get install postgresql-client`' },
  'client-too-old': { exit: 20, class: 'permanent', hint: "install a client of the server's major version or newer" },
  'server-missing': {
    exit: 22,
    class: 'permanent',
    hint: 'install the PostgreSQL server programs, e.g. `apt-get install postgresql`, or set verify.server',
  },
  connection: { exit: 20, class: 'transient', hint: 'check host, port and that the server is up' },
  authentication: { exit: 20, class: 'permanent', hint: 'check user and password (PGPASSWORD, passfile, or the url of the database)' },
  tls: { exit: 20, class: 'permanent', hint: "check sslmode, sslrootcert and the server's certificate" },
  'no-database': { exit: 20, class: 'permanent', hint: 'check the name of the database' },
  permission: { exit: 20, class: 'permanent', hint: 'grant the backup role pg_read_all_data, or what the message names' },
  'server-busy': {
    exit: 20,
    class: 'busy',
    hint: 'a backup needs three connections of its role, and one more for each of its jobs: repeat when the server is quieter, or raise the CONNECTION LIMIT',
  },
  'lock-timeout': { exit: 20, class: 'busy', hint: 'another session holds a conflicting lock; repeat when it is done' },
  'gave-way': { exit: 20, class: 'busy', hint: 'other sessions come first; repeat when nobody alters tables, or raise maxBlocking' },
  'damaged-source': { exit: 20, class: 'permanent', hint: 'the server reports damaged data; do not remove old backups, check the disk' },
  engine: { exit: 20, class: 'transient', hint: 'see the message of the program above' },
  'engine-killed': { exit: 20, class: 'transient', hint: 'look for the out-of-memory killer in the system log' },
  incomplete: {
    exit: 20,
    class: 'permanent',
    hint: 'the dump was not kept: look at the versions of pg_dump and of the server with `backup-automation health`',
  },
  stalled: { exit: 20, class: 'transient', hint: 'no byte arrived for too long; look at the server and the network' },
  archive: { exit: 20, class: 'transient', hint: 'the dump could not be read back, so it was not kept' },
  storage: { exit: 21, class: 'transient', hint: 'check the storage with `backup-automation test`' },
  'storage-marker': { exit: 21, class: 'permanent', hint: 'mount the storage, or adopt it with `backup-automation test --adopt NAME`' },
  'storage-denied': { exit: 21, class: 'permanent', hint: 'check owner and mode of the storage' },
  unreadable: { exit: 21, class: 'permanent', hint: 'the disk reports an error: check it, and use another copy of the backup' },
  'no-space': { exit: 21, class: 'resource', hint: 'make room on the storage; older backups were left as they are' },
  verification: { exit: 22, class: 'permanent', hint: 'this backup is not proven; look at `backup-automation backups` for another' },
  scratch: {
    exit: 22,
    class: 'resource',
    hint: 'nothing is said about the backup; name a folder on another volume in verify.folder, or a server in verify.server',
  },
  restore: { exit: 23, class: 'permanent', hint: 'see the messages of pg_restore above' },
  'restore-target': { exit: 23, class: 'permanent', hint: 'restore into an empty database; see `backup-automation restore --help`' },
  alert: { exit: 3, class: 'transient', hint: 'try the channels with `backup-automation test --alerts`' },
  scheduler: { exit: 1, class: 'permanent', hint: 'see `backup-automation schedule check`' },
  ledger: { exit: 74, class: 'resource', hint: 'check room, owner and mode of the state directory' },
  'not-now': { exit: 75, class: 'busy', hint: 'repeat later, or wait with --wait' },
  interrupted: { exit: 130, class: 'transient', hint: 'repeat it' },
} as const satisfies Record<string, FailureKind>;

export type FailureCode = keyof typeof failures;

export interface FailureOptions {
  /** What to type or do next; the code's own hint when left out. */
  readonly hint?: string;
  /** Overrides the code's class, where the place that throws knows better. */
  readonly class?: FailureClass;
  /** Overrides the code's exit code (only for signals: 129, 130, 143). */
  readonly exit?: number;
  /** When repeating makes sense, ms from now, where the other side said so. */
  readonly retryAfter?: number;
  readonly cause?: unknown;
}

/** An error that a person can act on. The message names the thing, the value and where; the hint what to type next. */
export class Failure extends Error {
  override readonly name = 'Failure';
  readonly code: FailureCode;
  readonly class: FailureClass;
  readonly exit: number;
  readonly hint: string;
  readonly retryAfter: number | null;

  constructor(code: FailureCode, message: string, options: FailureOptions = {}) {
    super(message, options.cause === undefined ? {} : { cause: options.cause });
    const kind: FailureKind = failures[code];
    this.code = code;
    this.class = options.class ?? kind.class;
    this.exit = options.exit ?? kind.exit;
    this.hint = options.hint ?? kind.hint;
    this.retryAfter = options.retryAfter ?? null;
  }

  toJSON(): FailureDocument {
    return { code: this.code, message: this.message, hint: this.hint, class: this.class };
  }
}

/** The `error` member of every `--json` document of a command that failed. */
export interface FailureDocument {
  readonly code: FailureCode;
  readonly message: string;
  readonly hint: string;
  readonly class: FailureClass;
}

/** Any thrown value as a Failure: itself, or `code` (default `internal`) with the value's message and cause. */
export function asFailure(error: unknown, code: FailureCode = 'internal'): Failure {
  if (error instanceof Failure) return error;
  const message = error instanceof Error ? error.message : String(error);
  return new Failure(code, message, { cause: error });
}
