/**
 * model: one half of the Engine role, a database taken out of its server: what is asked, and what is given.
 */
import type { BackupDetails } from '../../backup/backup.js';
import type { Contents, Inventory } from '../../backup/objects.js';
import type { Stage } from '../flow.js';

/** One database to back up, or to restore into. `connection` is opaque to everyone but the engine. */
export interface Database {
  /** The configured name or `<name>--<slug>-<8 hex>`: a safe path segment. */
  readonly name: string;
  /** The entry of `databases` in the configuration it comes from. */
  readonly entry: string;
  readonly connection: unknown;
  /** What its backup should say beside: databases of the same server that cannot be backed up. */
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
  /** Reads what is in the artifact, once that is prepared, from its decoded beginning, and no further; null: it cannot be told. Left out where it tells nothing. */
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
