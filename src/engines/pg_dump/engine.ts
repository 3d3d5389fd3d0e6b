/**
 * engines: PostgreSQL's own logical dump, pg_dump and pg_restore, under one exported snapshot. Never through a shell, never
 * with a name from a server on a command line.
 */
import { makeScratch } from './load/scratch.js';
import { createHash, randomBytes } from 'node:crypto';
import type { Access } from '../../model/backup/access.js';
import { chooseClient, type Installed } from '../../model/backup/client-choice.js';
import type { Stage } from '../../model/roles/flow.js';
import type { DatabaseEntry } from '../../model/settings/connection.js';
import type { Database, Engine, EngineProbe, Scratch, TargetState, TargetSurvey } from '../../model/roles/engine.js';
import { asFailure, Failure } from '../../model/errors.js';
import { matches } from '../../model/settings/glob.js';
import { measure } from '../../system/postgres/measure.js';
import type { Session } from '../../system/postgres/postgres.js';
import { findClients } from '../../system/programs/programs.js';
import { readAccess } from './look/access.js';
import { countObjects, readIdentity, readServerFacts } from './look/catalogue.js';
import { Connection, connectionOf, type ConnectionGiven } from './connection.js';
import { beginDump } from './dump.js';
import { addRoles, beginLoad, dropSubscriptions } from './load/load.js';
import { surveyDatabase, surveyServer } from './look/needs.js';
import { unpackedCheck } from './archive/directory.js';
import { readMark } from './look/mark.js';
import { claimPlace } from './places.js';
import { amend, readProperties } from './look/properties.js';
import { checkRoom } from './archive/spool.js';
import { archiveStage, globalsCheck } from './archive/stages.js';
import { readVolumes } from './look/volumes.js';
import { beginWatch } from './watch.js';
import { compressesZstd } from './archive/zstd.js';

export interface PgDumpOptions extends ConnectionGiven {
  readonly entries: Readonly<Record<string, DatabaseEntry>>;
  readonly clientDirectory: string | undefined;
  /** Longest wait for a table lock, seconds. */
  readonly lockWaitTimeout: number;
}

const applicationName = 'backup-automation';

/** `<entry>--<slug>-<8 hex of the SHA-256 of the true name>`: readable, unique, and safe whatever the name. */
export function memberName(entry: string, databaseName: string): string {
  const slug = databaseName
    .toLowerCase()
    .replace(/[^a-z0-9]+/g, '-')
    .replace(/^-+|-+$/g, '')
    .slice(0, 40);
  return `${entry}--${slug || 'x'}-${createHash('sha256').update(databaseName).digest('hex').slice(0, 8)}`;
}

/** Names that one of the globs fits and no exclusion does; templates and databases that take no connections are not asked for. */
export const selectMembers = (names: readonly string[], globs: readonly string[], exclude: readonly string[]): string[] =>
  names.filter((name) => globs.some((glob) => matches(glob, name)) && !exclude.some((glob) => matches(glob, name)));

/** Those that take connections, and those that nobody can connect to any more. */
async function listDatabases(session: Session): Promise<{ names: string[]; broken: string[] }> {
  const rows = await session.query<{ name: string; broken: boolean }>(
    `SELECT datname AS name, datconnlimit = -2 AS broken FROM pg_catalog.pg_database
      WHERE (datallowconn OR datconnlimit = -2) AND NOT datistemplate ORDER BY datname`,
  );
  const those = (wanted: boolean) => rows.filter(({ broken }) => broken === wanted).map(({ name }) => name);
  return { names: those(false), broken: those(true) };
}

class PgDump implements Engine {
  readonly kind = 'pg_dump';
  readonly #options: PgDumpOptions;
  #installed: Promise<Installed[]> | undefined;
  readonly #zstd = new Map<Installed, Promise<boolean>>();
  readonly #passedOver: string[] = [];

  constructor(options: PgDumpOptions) {
    this.#options = options;
  }

  async members(entry: string): Promise<Database[]> {
    const options = this.#options.entries[entry];
    if (!options) throw new Failure('not-found', `there is no database "${entry}"`);
    if (!options.databases) return [{ name: entry, entry, connection: new Connection(options, this.#options) }];
    const { databases: globs, exclude = [] } = options;
    const { names, broken } = await new Connection(options, this.#options).use(applicationName, listDatabases);
    const members = selectMembers(names, globs, exclude);
    const notes = selectMembers(broken, globs, exclude).map(
      (name) => `the database ${JSON.stringify(name)} is not valid, because a DROP DATABASE was interrupted: it is left out; drop it`,
    );
    if (members.length === 0) throw new Failure('no-database', `${entry}: no database of the server fits ${globs.join(', ')}`);
    return members.map((name, index) => ({
      name: memberName(entry, name),
      entry,
      connection: new Connection({ ...options, database: name }, this.#options),
      ...(index === 0 && notes.length > 0 && { notes }),
    }));
  }

  async measure(database: Database) {
    const connection = connectionOf(database);
    await connection.settle();
    return connection.use(applicationName, measure);
  }

  async probe(database: Database): Promise<EngineProbe> {
    return connectionOf(database).use(applicationName, async (session) => {
      const client = await this.#client(session.serverMajor);
      const facts = await readServerFacts(session);
      return {
        ...facts,
        serverVersion: session.serverVersion,
        serverMajor: session.serverMajor,
        clientVersion: client.version,
        clientMajor: client.major,
        clientFile: client.file('pg_dump'),
        compressesZstd: await this.#hasZstd(client),
      };
    });
  }

  async listen(database: Database, channel: string, heard: () => void) {
    const session = await (await connectionOf(database).server()).connect({ applicationName: `${applicationName} listens` });
    await session.listen(channel, heard);
    return session;
  }

  claim(database: Database, limit: number, host: string) {
    return claimPlace(connectionOf(database), limit, host);
  }

  mark(database: Database) {
    return connectionOf(database).use(applicationName, readMark);
  }

  access(database: Database): Promise<Access> {
    return connectionOf(database).use(applicationName, readAccess);
  }

  #clients(): Promise<Installed[]> {
    const { clientDirectory, env } = this.#options;
    this.#installed ??= findClients({ clientDirectory, env, passOver: (reason) => this.#passedOver.push(reason) });
    return this.#installed;
  }

  #hasZstd(client: Installed): Promise<boolean> {
    const known = this.#zstd.get(client) ?? compressesZstd(client);
    this.#zstd.set(client, known);
    return known;
  }

  async #client(serverMajor: number): Promise<Installed> {
    return chooseClient(await this.#clients(), serverMajor, this.#passedOver);
  }

  /** What a newer pg_dump wrote an older pg_restore can not read, whatever compresses it. */
  async #clientFor(archiveMajor: number): Promise<Installed> {
    return chooseClient(await this.#clients(), archiveMajor, this.#passedOver, `the archive was written by pg_dump ${archiveMajor}`);
  }

  /** The newest there is: it reads every older archive. */
  async #newestClient(): Promise<Installed> {
    return this.#client(Math.max(0, ...(await this.#clients()).map(({ major }) => major)));
  }

  async dump(database: Database, request: Parameters<Engine['dump']>[1]) {
    const probe = await this.probe(database);
    const client = await this.#client(probe.serverMajor);
    const { lockWaitTimeout } = this.#options;
    return beginDump({ connection: connectionOf(database), name: database.name, probe, client, lockWaitTimeout }, request);
  }

  async volumes(name: string): Promise<readonly string[] | null> {
    const [, options] = Object.entries(this.#options.entries).find(([entry]) => name === entry || name.startsWith(`${entry}--`)) ?? [];
    return options ? readVolumes(new Connection(options, this.#options)) : null;
  }

  watch(database: Database, eventId: string) {
    return beginWatch(connectionOf(database), eventId);
  }

  async load(target: Database, request: Parameters<Engine['load']>[1]) {
    // a newer pg_restore than the archive needs may ask an older server for what it does not know
    return beginLoad(connectionOf(target), await this.#clientFor(request.archiveMajor), request);
  }

  async check({ kind, form, eventId, expectedSize }: Parameters<Engine['check']>[0]): Promise<readonly Stage[]> {
    if (kind === 'globals') return [globalsCheck];
    const client = await this.#newestClient();
    if (form === 'custom') return [archiveStage(client)];
    const folder = this.#options.runFolder(eventId);
    await checkRoom(folder, expectedSize, 'the check needs the archive');
    return [unpackedCheck(client, folder)];
  }

  async url(database: Database): Promise<string> {
    const { host, port, user, databaseName } = (await connectionOf(database).server()).address;
    const path = `${encodeURIComponent(user)}@${host.startsWith('/') ? '' : `${host}:${port}`}/${encodeURIComponent(databaseName)}`;
    return `postgresql://${path}${host.startsWith('/') ? `?host=${encodeURIComponent(host)}&port=${port}` : ''}`;
  }

  target(url: string): Database {
    return { name: 'target', entry: 'target', connection: new Connection({ url }, this.#options) };
  }

  async scratch(server: string, texts: Parameters<Engine['scratch']>[1]): Promise<Scratch> {
    const suffix = randomBytes(4).toString('hex');
    const made = await makeScratch(await new Connection({ url: server }, this.#options).maintenance(), suffix, texts);
    const connection = new Connection({ url: server, database: made.name }, this.#options);
    return {
      database: { name: 'scratch', entry: 'scratch', connection },
      throwaway: false,
      uncaged: null,
      close: async () => {
        await connection.use(applicationName, dropSubscriptions);
        await made.drop();
      },
    };
  }

  properties(target: Database) {
    return connectionOf(target).use(applicationName, readProperties);
  }

  amend(target: Database, statements: readonly string[]) {
    return connectionOf(target).use(applicationName, (session) => amend(session, statements));
  }

  async inspect(target: Database): Promise<TargetState> {
    const connection = connectionOf(target);
    const databaseName = await connection.databaseName();
    try {
      const server = await connection.settle();
      return await connection.use(applicationName, async (session) => ({
        place: describe(server.address),
        databaseName,
        systemIdentifier: await readIdentity(session),
        objects: await countObjects(session),
      }));
    } catch (error) {
      if (!(error instanceof Failure) || error.code !== 'no-database') throw error;
      const { address } = await connection.maintenance();
      return { place: describe({ ...address, databaseName }), databaseName, systemIdentifier: null, objects: null };
    }
  }

  async addRoles(target: Database, globals: string): Promise<string[]> {
    const session = await (await connectionOf(target).maintenance()).connect({ applicationName });
    try {
      return await addRoles(session, globals);
    } finally {
      await session.close();
    }
  }

  async survey(target: Database, { details, archiveMajor }: Parameters<Engine['survey']>[1]): Promise<TargetSurvey> {
    const connection = connectionOf(target);
    const state = await this.inspect(target);
    const server = await (state.objects === null ? connection.maintenance() : connection.server());
    const program = this.#clientFor(archiveMajor);
    const noProgram = await program.then(
      () => null,
      (error: unknown) => asFailure(error).message,
    );
    const session = await server.connect({ applicationName });
    try {
      const nowhere = { encoding: null, collate: null, ctype: null, connections: null, properties: null };
      const database = state.objects === null ? nowhere : await surveyDatabase(session);
      return { ...state, ...(await surveyServer(session, server.address.host, details)), ...database, noProgram };
    } finally {
      await session.close();
    }
  }
}

const describe = ({ host, port, user, databaseName }: { host: string; port: number; user: string; databaseName: string }): string =>
  `database ${JSON.stringify(databaseName)} at ${host}:${port} as user ${JSON.stringify(user)}`;

export const pgDump = { kind: 'pg_dump', create: (options: PgDumpOptions): Engine => new PgDump(options) } as const;
