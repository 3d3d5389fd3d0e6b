/**
 * model: the Engine role, what knows how to take a database out of its server and put it back.
 */
import type { Access } from '../backup/access.js';
import type { BackupDetails } from '../backup/backup.js';
import type { Mark } from '../backup/mark.js';
import type { DatabaseProperties, Texts } from '../backup/properties.js';
import type { Measurement } from '../moment/measurement.js';
import type { Observation } from '../moment/observation.js';
import type { Database, Dump, DumpRequest, EngineProbe } from './engine/dump.js';
import type { CheckRequest, Load, LoadRequest, Scratch, TargetState, TargetSurvey } from './engine/load.js';
import type { Stage } from './flow.js';

/** A session beside a dump that looks at the server. */
export interface Watch {
  /** Whether the server's processes are processes of this host. */
  readonly local: boolean;
  /** Opens its session anew when it broke. Throws where the server does not answer in time; the next look may. */
  look(): Promise<Observation>;
  close(): Promise<void>;
}

/** A place for a backup on a database's server, seen by every host, and the database itself: held until `release` or the end of this process. */
export interface ServerPlace {
  /** Why it could not be held, although nobody else holds it; null: it is held. */
  readonly without: string | null;
  /** Whether the session that holds it broke: then another host may have it by now. */
  isLost(): boolean;
  /** Never throws. */
  release(): Promise<void>;
}

/** A session that hears what a database is notified of. */
export interface Listening {
  /** Whether it broke: then nothing is heard any more. */
  isLost(): boolean;
  /** Never throws. */
  close(): Promise<void>;
}

export interface Engine {
  readonly kind: string;
  /** The databases behind a configured entry: itself, or a cluster's by globs and exclusions. Connects only for the latter. */
  members(entry: string): Promise<Database[]>;
  /** Settles on a server, then load and health in one look, each query bounded; parts that cannot be measured are null. */
  measure(database: Database): Promise<Measurement>;
  /** Versions and tools, on the server found by the last `measure`. Throws `client-missing`, `client-too-old`, `connection`, `authentication`, ... */
  probe(database: Database): Promise<EngineProbe>;
  /** Where the database stands now, to be compared with later. Writes nothing. */
  mark(database: Database): Promise<Mark>;
  /**
   * Takes one of `limit` places of the server, and the database, in the name of a host; waits for nobody. `refused`: who has them.
   * Throws where the server cannot be reached, or has no connection to spare.
   */
  claim(database: Database, limit: number, host: string): Promise<ServerPlace | { readonly refused: string }>;
  /** What its role may not read of what a dump has to read. Quick, and locks nothing. */
  access(database: Database): Promise<Access>;
  dump(database: Database, request: DumpRequest): Promise<Dump>;
  /** Folders of this host where the server of a database, by its name here, keeps its data; none: it is elsewhere; null: it cannot be told. Never throws. */
  volumes(name: string): Promise<readonly string[] | null>;
  /** Calls `heard` whenever somebody notifies the channel. */
  listen(database: Database, channel: string, heard: () => void): Promise<Listening>;
  /** Watches a database and the sessions of an event on it. Throws where the server has no place for one session more. */
  watch(database: Database, eventId: string): Promise<Watch>;
  load(target: Database, request: LoadRequest): Promise<Load>;
  /** The checking stages for an artifact already stored. */
  check(artifact: CheckRequest): Promise<readonly Stage[]>;
  /** A database by URL or a reference to one, for `restore --to`. */
  target(url: string): Database;
  /** An empty database of a random name on a server that somebody gave for proof; `close` drops it. */
  scratch(server: string, texts: Texts): Promise<Scratch>;
  /** Where a database is, as a URL without its password; for commands that a person is to type. */
  url(database: Database): Promise<string>;
  /** What is at the target now. */
  inspect(target: Database): Promise<TargetState>;
  /** Makes those roles of pg_dumpall's text that the target's server lacks, all or none; changes no other. Resolves to their names. */
  addRoles(target: Database, globals: string): Promise<string[]>;
  /** A database's own properties: owner, settings and the like. */
  properties(target: Database): Promise<DatabaseProperties | undefined>;
  /** Runs statements there, each by itself. Resolves to those that were refused, with the server's words. */
  amend(target: Database, statements: readonly string[]): Promise<string[]>;
  /** That, and all that a restore of this backup needs there. Changes nothing. */
  survey(target: Database, backup: { readonly details: BackupDetails; readonly archiveMajor: number }): Promise<TargetSurvey>;
}
