/**
 * engines: the connection of one database: its server, settled once for a backup, and the private passfile of its programs.
 */
import { mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { DatabaseEntry } from '../../model/settings/connection.js';
import type { Database } from '../../model/roles/engine/dump.js';
import { Failure } from '../../model/errors.js';
import { gatherParameters, type Given } from '../../system/connection/parameters.js';
import { resolveServer, type Server } from '../../system/connection/connection.js';
import { ledgerFailure } from '../../system/ledger/segments.js';
import type { Session } from '../../system/postgres/postgres.js';

export interface ConnectionGiven extends Given {
  /** A private folder for what only one event may see; the reconciler removes it when this process cannot. */
  runFolder(eventId: string): string;
}

export interface ChildEnvironment {
  readonly env: Record<string, string>;
  /** Private, and gone with `remove`. */
  readonly folder: string;
  readonly remove: () => void;
}

/** What our sessions are called on a server where they serve no event. */
export const applicationName = 'backup-automation';

/** A session on a server for one deed. */
export async function during<T>(server: Server, deed: (session: Session) => Promise<T>, name = applicationName): Promise<T> {
  const session = await server.connect({ applicationName: name });
  try {
    return await deed(session);
  } finally {
    await session.close();
  }
}

export class Connection {
  readonly #entry: DatabaseEntry;
  readonly #given: ConnectionGiven;
  #server: Promise<Server> | undefined;

  constructor(entry: DatabaseEntry, given: ConnectionGiven) {
    this.#entry = entry;
    this.#given = given;
  }

  /** Looks for the server anew: the first step of each attempt. */
  settle(): Promise<Server> {
    this.#server = resolveServer(this.#entry, this.#given);
    return this.#server;
  }

  /** The server that was settled on. */
  server(): Promise<Server> {
    return this.#server ?? this.settle();
  }

  /** A session on the settled server for one deed. */
  async use<T>(deed: (session: Session) => Promise<T>, name = applicationName): Promise<T> {
    return during(await this.server(), deed, name);
  }

  async databaseName(): Promise<string> {
    const { dbname, user } = await gatherParameters(this.#entry, this.#given);
    return dbname ?? user ?? (await this.server()).address.databaseName;
  }

  /** The same server by its maintenance database, to create this one; where somebody removed that, by the template, as createdb does. */
  maintenance(): Promise<Server> {
    const by = (database: string) => resolveServer({ ...this.#entry, database }, this.#given);
    return by('postgres').catch((error: unknown) => {
      if (error instanceof Failure && error.code === 'no-database') return by('template1');
      throw error;
    });
  }

  /** libpq's environment for a program, with a passfile that only this event sees; and how to remove it. */
  async childEnvironment(eventId: string, databaseName?: string): Promise<ChildEnvironment> {
    const server = await this.server();
    const folder = this.#given.runFolder(eventId);
    const passfile = join(folder, 'pgpass');
    const line = server.passfileLine(databaseName);
    try {
      mkdirSync(folder, { recursive: true, mode: 0o700 });
      if (line !== null) writeFileSync(passfile, `${line}\n`, { mode: 0o600, flag: 'w' });
    } catch (error) {
      rmSync(folder, { recursive: true, force: true });
      throw ledgerFailure('write', passfile, error);
    }
    const env = { ...server.childEnvironment(passfile, databaseName), PGAPPNAME: applicationNameOf(eventId) };
    return { env, folder, remove: () => rmSync(folder, { recursive: true, force: true }) };
  }
}

/** Tells our sessions on a server apart, and which event they serve; at most 63 bytes. */
export const applicationNameOf = (eventId: string): string => `${applicationName}:${eventId}`;

export function connectionOf(database: Database): Connection {
  if (database.connection instanceof Connection) return database.connection;
  throw new Failure('internal', `${database.name} does not belong to this engine`);
}
