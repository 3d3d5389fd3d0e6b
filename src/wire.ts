/**
 * wire: the one place that knows every part, and makes a Context out of a configuration and this machine.
 */
import { randomBytes } from 'node:crypto';
import { hostname } from 'node:os';
import { join } from 'node:path';
import { channels, type ChannelMember } from './channels/index.js';
import { codecs, openKeyring, type CodecKind } from './codecs/index.js';
import { fingerprintOf } from './config/fingerprint.js';
import { here, loadConfig, type LoadedConfig } from './config/load.js';
import type { Config } from './config/schema.js';
import type { Context } from './core/context.js';
import { engines } from './engines/index.js';
import type { Codec } from './model/roles/codec.js';
import { decideCompression } from './model/backup/compression.js';
import type { Actor } from './model/access/actor.js';
import { Failure } from './model/errors.js';
import { uuidv7 } from './model/id.js';
import { bytesPerGB } from './model/units.js';
import type { Log } from './model/roles/log.js';
import type { Announce } from './model/roles/progress.js';
import { schedulers } from './schedulers/index.js';
import { storages, type StorageMember } from './storages/index.js';
import { openMemory } from './system/files/memory.js';
import { systemClock } from './system/clock.js';
import { openDueMemory } from './system/due-memory.js';
import { readTicks } from './system/files/ticks.js';
import { confinement } from './system/programs/confinement.js';
import { runFlow } from './system/programs/flow.js';
import { openLedger } from './system/ledger/ledger.js';
import { openLocks } from './system/files/lock.js';
import { openLog } from './system/log.js';
import { keepAwake } from './system/pulse.js';
import { openScratch } from './system/postgres/scratch.js';
import { resolveSecret, resolveSecretText } from './system/secrets.js';
import { openSigner } from './system/signer.js';
import { openStorageMemory } from './system/files/storage-memory.js';
import { entryOf } from './wire/entry.js';
import { freeBytes } from './system/files/disk.js';
import { touchedAt } from './system/files/path.js';
import { createWhole } from './system/files/whole-file.js';

export interface WireOptions {
  readonly config?: string;
  readonly set: readonly string[];
  /** For what a scheduler starts, see `wire/entry`. */
  readonly environmentFile?: string;
  readonly verbose?: boolean;
  readonly quiet?: boolean;
  /** On whose behalf it works, which its records keep. */
  readonly actor?: Actor;
  /** The process ends with what it is asked for. */
  readonly alone?: boolean;
}

export interface Wired {
  readonly context: Context;
  readonly loaded: LoadedConfig;
}

const isCodec = (kind: string): kind is CodecKind => Object.hasOwn(codecs, kind);

/** The private keys and passphrases that this configuration names. */
function keyringOf({ config, base }: LoadedConfig) {
  const encryptions = [config.encryption, ...Object.values(config.schedules).map((schedule) => schedule.encryption)];
  return openKeyring({
    identity: config.verify.identity,
    passphrases: [...new Set(encryptions.flatMap((encryption) => encryption?.passphrase ?? []))],
    secret: (reference) => resolveSecret(reference, base),
    text: (reference) => resolveSecretText(reference, base),
  });
}

function codecsOf(kinds: readonly string[], sealed: Codec) {
  return kinds.map((kind) => {
    if (kind === sealed.kind) return sealed;
    if (!isCodec(kind))
      throw new Failure('configuration', `the codec "${kind}" is not known here`, { hint: 'it may need a newer backup-automation' });
    return codecs[kind].create(1);
  });
}

function openStorages(config: Config, log: Log) {
  const memory = openStorageMemory(config.stateDirectory);
  return Object.entries(config.storages).map(([name, options]) => {
    const member: StorageMember = storages[options.kind];
    return member.create(name, options, memory, (message) => log('warn', message));
  });
}

/** The longest that one sending of an alert may take, ms. */
const patience = 30_000;

function openChannels({ config, base }: LoadedConfig) {
  const tools = { secret: (reference: string) => resolveSecret(reference, base), now: () => systemClock.now(), patience };
  return Object.entries(config.alerts).map(([name, options]) => {
    const member: ChannelMember = channels[options.kind];
    return member.create(name, options, tools);
  });
}

function openEngine({ config, base }: LoadedConfig, signal: AbortSignal) {
  return engines.pg_dump.create({
    entries: config.databases,
    clientDirectory: config.clientDirectory,
    lockWaitTimeout: config.lockWaitTimeout,
    env: here().env,
    secret: (reference) => resolveSecret(reference, base),
    runFolder: (eventId) => join(config.stateDirectory, 'run', eventId),
    signal,
  });
}

const never = new AbortController().signal;

/** A log whose warnings a person sees too: for parts that have no other way to say them. */
const aloud =
  (log: Log, announce: Announce): Log =>
  (level, message, facts) => {
    log(level, message, facts);
    if (level === 'warn' || level === 'error') announce({ kind: 'warning', database: null, message });
  };

/** Loads the configuration and puts everything together. `announce` hears what happens; `signal` stops it. */
export async function makeContext(options: WireOptions, announce: Announce = () => {}, signal: AbortSignal = never): Promise<Wired> {
  keepAwake();
  const fingerprint = fingerprintOf(options, here());
  const loaded = await loadConfig(options, here());
  const { config } = loaded;
  const log = openLog({ ...config.log, level: options.verbose ? 'debug' : 'info', stderr: options.verbose === true, clock: systemClock });
  const engine = openEngine(loaded, signal);
  const keyring = keyringOf(loaded);
  const context: Context = {
    settings: config,
    schedules: config.schedules,
    databases: Object.keys(config.databases),
    storages: openStorages(config, aloud(log, announce)),
    channels: openChannels(loaded),
    routes: config.alerts,
    alertMemory: openMemory(config.stateDirectory, 'alerts.json'),
    metricsMemory: openMemory(config.stateDirectory, 'metrics.json'),
    engine,
    schedulers: Object.values(schedulers).map((member) => member.create()),
    entry: entryOf(loaded, options, here()),
    ticks: () => readTicks(config.stateDirectory),
    confinement,
    ledger: openLedger(config.stateDirectory, { clock: systemClock, log: aloud(log, announce) }),
    locks: openLocks(config.stateDirectory),
    stateRoom: () => freeBytes(config.stateDirectory),
    dueMemory: openDueMemory(config.stateDirectory, fingerprint, systemClock),
    touchedAt,
    clock: systemClock,
    ...(options.actor && { actor: options.actor }),
    signer: openSigner(config.stateDirectory),
    run: runFlow,
    announce,
    log,
    signal,
    process: { host: hostname(), pid: process.pid, toolVersion: VERSION, configFile: loaded.file, alone: options.alone ?? false },
    newId: () => uuidv7(systemClock.now(), randomBytes(10)),
    random: () => randomBytes(6).readUIntBE(0, 6) / 2 ** 48,
    chooseCompression: (compression, { compressesZstd }, jobs) => {
      const offer = { zstd: codecs.zstd.isAvailable(), engineZstd: compressesZstd, jobs };
      const { engine: own, codec } = decideCompression(compression, offer);
      return { engine: own, codecs: codec ? [codecs[codec].create(compression.level, jobs)] : [] };
    },
    seal: (encryption) => keyring.seal(encryption),
    ownKeys: () => keyring.ownKeys(),
    codecsOf: (kinds) => codecsOf(kinds, keyring.codec),
    createFile: createWhole,
    openScratch: async (request) => {
      if (config.verify.server !== null) return engine.scratch(config.verify.server, request);
      const scratch = await openScratch({
        ...request,
        source: await engine.volumes(request.database),
        folder: config.verify.folder,
        last: config.stateDirectory,
        reserve: config.conditions.minDiskSpace * bytesPerGB,
      });
      return { database: engine.target(scratch.url), throwaway: true, uncaged: scratch.uncaged, close: () => scratch.close() };
    },
  };
  return { context, loaded };
}

declare const VERSION: string;
