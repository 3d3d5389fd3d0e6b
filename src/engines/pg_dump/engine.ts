/**
 * engines: PostgreSQL's own logical dump, pg_dump and pg_restore, under one exported snapshot. Never through a shell, never
 * with a name from a server on a command line.
 */
import { randomBytes } from 'node:crypto';
import type { Access } from '../../model/backup/access.js';
import { Failure } from '../../model/errors.js';
import type { Engine } from '../../model/roles/engine.js';
import type { Scratch, TargetState, TargetSurvey } from '../../model/roles/engine/load.js';
import type { Database, EngineProbe } from '../../model/roles/engine/dump.js';
import type { Stage } from '../../model/roles/flow.js';
import type { DatabaseEntry } from '../../model/settings/connection.js';
import { measure } from '../../system/postgres/measure.js';
import { unpackedCheck } from './archive/directory.js';
import { checkRoom } from './archive/spool.js';
import { archiveStage, globalsCheck } from './archive/stages.js';
import { Clients, type ClientsGiven } from './clients.js';
import { applicationName, Connection, connectionOf, during, type ConnectionGiven } from './connection.js';
import { beginDump } from './dump.js';
import { addRoles, beginLoad, dropSubscriptions } from './load/load.js';
import { makeScratch } from './load/scratch.js';
import { inspectTarget, surveyTarget } from './load/target.js';
import { readAccess } from './look/access.js';
import { readServerFacts } from './look/catalogue.js';
import { readMark } from './look/mark.js';
import { amend, readProperties } from './look/properties.js';
import { readVolumes } from './look/volumes.js';
import { isOf, membersOf } from './members.js';
import { claimPlace } from './places.js';
import { beginWatch } from './watch.js';

export interface PgDumpOptions extends ConnectionGiven, ClientsGiven {
  readonly entries: Readonly<Record<string, DatabaseEntry>>;
  /** Longest wait for a table lock, seconds. */
  readonly lockWaitTimeout: number;
}

class PgDump implements Engine {
  readonly kind = 'pg_dump';
  readonly #options: PgDumpOptions;
  readonly #clients: Clients;

  constructor(options: PgDumpOptions) {
    this.#options = options;
    this.#clients = new Clients(options);
  }

  async members(entry: string): Promise<Database[]> {
    const options = this.#options.entries[entry];
    if (!options) throw new Failure('not-found', `there is no database "${entry}"`);
    return membersOf(entry, options, this.#options);
  }

  async measure(database: Database) {
    const connection = connectionOf(database);
    await connection.settle();
    return connection.use(measure);
  }

  async probe(database: Database): Promise<EngineProbe> {
    return connectionOf(database).use(async (session) => {
      const client = await this.#clients.forServer(session.serverMajor);
      const facts = await readServerFacts(session);
      return {
        ...facts,
        serverVersion: session.serverVersion,
        serverMajor: session.serverMajor,
        clientVersion: client.version,
        clientMajor: client.major,
        clientFile: client.file('pg_dump'),
        compressesZstd: await this.#clients.compressesZstd(client),
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
    return connectionOf(database).use(readMark);
  }

  access(database: Database): Promise<Access> {
    return connectionOf(database).use(readAccess);
  }

  async dump(database: Database, request: Parameters<Engine['dump']>[1]) {
    const probe = await this.probe(database);
    const client = await this.#clients.forServer(probe.serverMajor);
    const { lockWaitTimeout } = this.#options;
    return beginDump({ connection: connectionOf(database), name: database.name, probe, client, lockWaitTimeout }, request);
  }

  async volumes(name: string): Promise<readonly string[] | null> {
    const [, options] = Object.entries(this.#options.entries).find(([entry]) => isOf(name, entry)) ?? [];
    return options ? readVolumes(new Connection(options, this.#options)) : null;
  }

  watch(database: Database, eventId: string) {
    return beginWatch(connectionOf(database), eventId);
  }

  async load(target: Database, request: Parameters<Engine['load']>[1]) {
    // a newer pg_restore than the archive needs may ask an older server for what it does not know
    return beginLoad(connectionOf(target), await this.#clients.forArchive(request.archiveMajor), request);
  }

  async check({ kind, form, eventId, expectedSize }: Parameters<Engine['check']>[0]): Promise<readonly Stage[]> {
    if (kind === 'globals') return [globalsCheck];
    const client = await this.#clients.newest();
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
        await connection.use(dropSubscriptions);
        await made.drop();
      },
    };
  }

  properties(target: Database) {
    return connectionOf(target).use(readProperties);
  }

  amend(target: Database, statements: readonly string[]) {
    return connectionOf(target).use((session) => amend(session, statements));
  }

  inspect(target: Database): Promise<TargetState> {
    return inspectTarget(connectionOf(target));
  }

  async addRoles(target: Database, globals: string): Promise<string[]> {
    return during(await connectionOf(target).maintenance(), (session) => addRoles(session, globals));
  }

  survey(target: Database, { details, archiveMajor }: Parameters<Engine['survey']>[1]): Promise<TargetSurvey> {
    return surveyTarget(connectionOf(target), this.#clients.forArchive(archiveMajor), details);
  }
}

export const pgDump = { kind: 'pg_dump', create: (options: PgDumpOptions): Engine => new PgDump(options) } as const;
