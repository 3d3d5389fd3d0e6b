/**
 * model: the Engine role, what knows how to take a database out of its server and put it back.
 */
import type { Access } from '../backup/access.js';
import type { ArchiveForm, BackupDetails, Fingerprint, TableCount } from '../backup/backup.js';
import type { Mark } from '../backup/mark.js';
import type { DatabaseProperties, Texts } from '../backup/properties.js';
import type { Stage } from './flow.js';
import type { Contents, Inventory } from '../backup/objects.js';
import type { Observation } from '../moment/observation.js';
import type { Measurement } from '../moment/measurement.js';

/** One database to back up, or to restore into. `connection` is opaque to everyone but the engine. */
export interface Database {
  /** The configured name or `<name>--<slug>-<8 hex>`: a safe path segment. */
  readonly name: string;
  /** The entry of `databases` in the configuration it comes from. */
  readonly entry: string;
  readonly connection: unknown;
  /** What its backup should say beside: databases of the same server that can not be backed up. */
  readonly notes?: readonly string[] | undefined;
}

/** What an engine found out before a dump; throws instead when a dump is impossible. */
export interface EngineProbe {
  /** The server's own name of the database, any characters; never part of a path or a command line. */
  readonly databaseName: string;
  readonly serverVersion: string;
  readonly serverMajor: number;
  readonly clientVersion: string;
  readonly clientMajor: number;
  readonly clientFile: string;
  /** The program can compress by zstd itself. */
  readonly compressesZstd: boolean;
  readonly systemIdentifier: string | null;
  readonly databaseSize: number | null;
}

export interface ArtifactSource {
  /** Without codecs' extensions: `database.dump`, `database.dir.tar`, `globals.sql`. */
  readonly name: string;
  readonly kind: 'database' | 'globals';
  /** Comes before the stages, and makes what they read. `moved` hears how many bytes that is by now. Rejects with why not. */
  readonly prepare?: ((signal: AbortSignal, moved: (bytes: number) => void) => Promise<void>) | undefined;
  /** The first is the program that yields the bytes. */
  readonly stages: readonly Stage[];
  /** The last stages of an archive check: they read all of it, fail when anything is wrong, yield nothing. Of use until the dump is closed. */
  readonly check: readonly Stage[];
  /** Reads what is in the artifact, once that is prepared, from its decoded beginning, and no further; null: it can not be told. Left out where it tells nothing. */
  readonly contents?: (beginning: AsyncIterable<Buffer>) => Promise<Contents | null>;
}

export interface DumpRequest {
  readonly eventId: string;
  /** The engine's own compression: false when a codec compresses, else `zstd:1` and the like. */
  readonly compression: false | string;
  readonly fingerprint: 'counts' | 'content' | 'none';
  readonly globals: boolean;
  /** Processes that dump at once. */
  readonly jobs: number;
  /** About what will be stored, bytes; null when unknown. */
  readonly expectedSize: number | null;
  /** `schema`: no rows, and none are counted. */
  readonly content: 'all' | 'schema';
  readonly signal: AbortSignal;
  /** The engine says what it noticed; kept in the manifest and the event. */
  warn(message: string): void;
}

/** A dump under way: one snapshot, held open until `close`. */
export interface Dump {
  readonly probe: EngineProbe;
  readonly snapshotLsn: string | null;
  readonly artifacts: readonly ArtifactSource[];
  /** Counted in the dump's own snapshot, at the latest when the last artifact is done. */
  details(): Promise<BackupDetails>;
  /** What a whole dump of the snapshot holds. */
  inventory(): Promise<Inventory>;
  /** Ends the snapshot, cancels what still runs on the server, removes passfiles. Never throws. */
  close(): Promise<void>;
}

export interface LoadRequest {
  readonly eventId: string;
  readonly details: BackupDetails;
  readonly create: boolean;
  readonly noOwner: boolean;
  /** Makes the roles that the archive names and the target lacks; only for a scratch server. */
  readonly createRoles: boolean;
  /** For proof alone: everything into the target's own tablespace. */
  readonly noTablespaces?: boolean | undefined;
  /** Major version of the program that wrote the archive. */
  readonly archiveMajor: number;
  readonly form: ArchiveForm;
  /** Drops what the archive holds before it is made anew, all in one transaction: on failure the target is as it was. */
  readonly replace: boolean;
  /** These tables, in these schemas, or all of these schemas, with what belongs to them; else everything. */
  readonly parts?: { readonly tables: readonly string[]; readonly schemas: readonly string[] } | undefined;
  /** Connections that load at once; 1 when left out. */
  readonly jobs?: number | undefined;
  /** Does everything as this role. */
  readonly role?: string | undefined;
  /** What the decoded archive may take on the disk, bytes, where it must be kept for `parts` or `jobs`, or as a directory; null when unknown. */
  readonly expectedSize?: number | null;
  readonly signal: AbortSignal;
}

export interface CheckRequest {
  /** Of a claimed run, whose private folder may be used. */
  readonly eventId: string;
  readonly kind: 'database' | 'globals';
  readonly form: ArchiveForm;
  /** As for a load. */
  readonly expectedSize: number | null;
}

export interface Load {
  /** They take the archive in to its end. Fill the target with it, or keep it for `finish`. */
  readonly stages: readonly Stage[];
  /** Fills the target with what was kept, if so. Resolves to those of the fingerprint's tables that parts filled; null: everything. */
  finish(): Promise<readonly TableCount[] | null>;
  /** Takes away what `finish` filled the target with, and fills it once more, by one connection. Resolves to the same as `finish`. */
  again(): Promise<readonly TableCount[] | null>;
  /** What was counted in the target after all that ended well; of parts only their tables. */
  fingerprint(): Promise<Fingerprint>;
  close(): Promise<void>;
}

export interface TargetState {
  /** Host, port, user and database in words, without a secret. */
  readonly place: string;
  readonly databaseName: string;
  readonly systemIdentifier: string | null;
  /** Relations and the like that a user made; null: the database does not exist. */
  readonly objects: number | null;
}

/** Everything that a restore needs to be there. */
export interface TargetSurvey extends TargetState {
  readonly serverVersion: string;
  readonly serverMajor: number;
  readonly user: { readonly name: string; readonly superuser: boolean; readonly createdb: boolean; readonly memberOf: readonly string[] };
  readonly roles: readonly string[];
  readonly tablespaces: readonly string[];
  /** Those that the server can make; `installed` in the target, where that exists. */
  readonly extensions: readonly {
    readonly name: string;
    readonly versions: readonly string[];
    readonly defaultVersion: string | null;
    readonly installed: string | null;
    /** Not only a superuser may make it. */
    readonly trusted: boolean;
  }[];
  /** Whether the server knows the collation and character type of the backup. */
  readonly knowsLocale: boolean;
  /** Of the target; null where it does not exist. */
  readonly encoding: string | null;
  readonly collate: string | null;
  readonly ctype: string | null;
  /** Sessions of others in the target. */
  readonly connections: number | null;
  /** Its own; null where it does not exist. */
  readonly properties: DatabaseProperties | null;
  /** Where the server keeps its data; null where that can not be seen from here. */
  readonly freeBytes: number | null;
  /** Why there is no program that restores the archive, in words; null: there is. */
  readonly noProgram: string | null;
}

/** A session beside a dump that looks at the server. */
export interface Watch {
  /** Whether the server's processes are processes of this host. */
  readonly local: boolean;
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
   * Throws where the server can not be reached, or has no connection to spare.
   */
  claim(database: Database, limit: number, host: string): Promise<ServerPlace | { readonly refused: string }>;
  /** What its role may not read of what a dump has to read. Quick, and locks nothing. */
  access(database: Database): Promise<Access>;
  dump(database: Database, request: DumpRequest): Promise<Dump>;
  /** Folders of this host where the server of a database, by its name here, keeps its data; none: it is elsewhere; null: it can not be told. Never throws. */
  volumes(name: string): Promise<readonly string[] | null>;
  /** Watches a database and the sessions of an event on it. Throws where the server has no place for one session more. */
  /** Calls `heard` whenever somebody notifies the channel. */
  listen(database: Database, channel: string, heard: () => void): Promise<Listening>;
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

/** An empty database to restore into for proof. */
export interface Scratch {
  readonly database: Database;
  /** Its whole server goes with it: roles may be made there. */
  readonly throwaway: boolean;
  /** Why commands that the database may hold are not kept from running; null: they are, or it is not our server. */
  readonly uncaged: string | null;
  close(): Promise<void>;
}
