/**
 * core: the Context, everything the verbs are given to work with. Only `wire.ts` makes one; tests make theirs from fakes.
 */
import type { Memory } from '../model/roles/memory.js';
import type { Actor } from '../model/access/actor.js';
import type { Channel } from '../model/roles/channel.js';
import type { Clock } from '../model/roles/clock.js';
import type { Codec } from '../model/roles/codec.js';
import type { Confinement } from '../model/roles/confinement.js';
import type { Engine } from '../model/roles/engine.js';
import type { Scratch } from '../model/roles/engine/load.js';
import type { EngineProbe } from '../model/roles/engine/dump.js';
import type { RunFlow } from '../model/roles/flow.js';
import type { Texts } from '../model/backup/properties.js';
import type { Ledger } from '../model/roles/ledger.js';
import type { DueMemory } from '../model/roles/due-memory.js';
import type { Locks } from '../model/roles/locks.js';
import type { Log } from '../model/roles/log.js';
import type { Announce } from '../model/roles/progress.js';
import type { Compression, Encryption, Schedule, Settings } from '../model/settings/settings.js';
import type { Entry, Scheduler, Ticks } from '../model/roles/scheduler.js';
import type { Routes } from '../model/alert/owed.js';
import type { Storage } from '../model/roles/storage.js';
import type { WholeFile } from '../model/roles/whole-file.js';

/** What compresses an artifact: the engine itself, or codecs behind it. */
export interface CompressionChoice {
  readonly engine: false | string;
  readonly codecs: readonly Codec[];
}

/** What seals artifacts. */
export interface Seal {
  readonly codec: Codec;
  /** The public ids of the keys that open it; none: a passphrase does. */
  readonly keys: readonly string[];
}

/** Signs manifests with the state directory's key. */
export interface Signer {
  key(): string;
  sign(bytes: Uint8Array): string;
  /** `unknown`: signed with another key than ours. */
  verify(key: string, bytes: Uint8Array, signature: string): 'good' | 'bad' | 'unknown';
}

export interface Context {
  readonly settings: Settings;
  readonly schedules: Readonly<Record<string, Schedule>>;
  /** Names of the configured `databases` entries. */
  readonly databases: readonly string[];
  readonly storages: readonly Storage[];
  /** By the names of the configured `alerts` entries, in their order. */
  readonly channels: readonly Channel[];
  /** Who hears what, by the channel's name. */
  readonly routes: Routes;
  readonly alertMemory: Memory;
  readonly metricsMemory: Memory;
  readonly engine: Engine;
  readonly confinement: Confinement;
  readonly schedulers: readonly Scheduler[];
  /** What a scheduler starts for this configuration. */
  readonly entry: Entry;
  /** When one did. */
  ticks(): Ticks;
  readonly ledger: Ledger;
  readonly locks: Locks;
  /** Free bytes where ledger and locks are; null: it cannot be told. */
  stateRoom(): Promise<number | null>;
  readonly dueMemory: DueMemory;
  /** When a file was last written or touched; null: it is not there, or may not be seen. */
  touchedAt(path: string): Date | null;
  readonly clock: Clock;
  /** On whose behalf; left out: a scheduler's. */
  readonly actor?: Actor;
  readonly signer: Signer;
  readonly run: RunFlow;
  readonly announce: Announce;
  readonly log: Log;
  /** Aborts when the process is asked to stop; its reason is a Failure `interrupted`. */
  readonly signal: AbortSignal;
  readonly process: {
    readonly host: string;
    readonly pid: number;
    readonly toolVersion: string;
    readonly configFile: string | null;
    /** It ends with the deed: what is done to it for a backup need not be undone. */
    readonly alone?: boolean;
  };
  /** UUIDv7: sortable by time. */
  newId(): string;
  /** 0 <= x < 1, for jitter. */
  random(): number;
  /** Throws `configuration`, where what is asked for is not to be had. */
  chooseCompression(compression: Compression, probe: Pick<EngineProbe, 'compressesZstd'>, jobs: number): CompressionChoice;
  /** Throws `configuration` when it is not possible: then nothing may be stored. */
  seal(encryption: Encryption): Promise<Seal>;
  /** The public ids of the private keys that `verify.identity` names. Throws `no-key`, `configuration`. */
  ownKeys(): Promise<readonly string[]>;
  /** The codecs by the kinds that a manifest names. Throws when one is not to be had here. */
  codecsOf(kinds: readonly string[]): Codec[];
  /** A file that appears under its name only when it is whole. Throws `usage` when something is there already. */
  createFile(path: string): Promise<WholeFile>;
  openScratch(request: ScratchRequest): Promise<Scratch>;
}

/** Whole milliseconds since a moment of the clock's `monotonic`. */
export const elapsed = (context: Pick<Context, 'clock'>, since: number): number => Math.round(context.clock.monotonic() - since);

/** What the scratch server must be able to hold. */
export interface ScratchRequest extends Texts {
  readonly serverMajor: number;
  /** What will be restored into it, bytes; null when unknown. */
  readonly expectedSize?: number | null;
  /** The database that it comes from, by its name here. */
  readonly database: string;
  readonly signal: AbortSignal;
}

export type { Log };
