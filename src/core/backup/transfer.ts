/**
 * core: moves bytes between the engine and the storages, in constant memory, counted and hashed on the way.
 */
import { createHash } from 'node:crypto';
import { Readable, Writable } from 'node:stream';
import { finished, pipeline } from 'node:stream/promises';
import type { Artifact } from '../../model/backup/backup.js';
import type { Codec } from '../../model/roles/codec.js';
import { asFailure, Failure } from '../../model/errors.js';
import type { Flow, Stage } from '../../model/roles/flow.js';
import type { Deposit } from '../../model/roles/storage.js';
import type { Context } from '../context.js';
import { watchProgress, type Movement } from './progress.js';
import { seal, type Sealing } from './sealing.js';
import { onEach, type Target } from './targets.js';

const written = (sink: Writable, data: Buffer): Promise<void> =>
  new Promise((resolve, reject) => sink.write(data, (error) => (error ? reject(error) : resolve())));

/** A sink that broke between its last piece and its end has not ended well: `end` would call back all the same. */
const ended = (sink: Writable): Promise<void> => {
  sink.end();
  return finished(sink);
};

/** Writes each piece to every target that is left, as slow as the slowest. */
async function openTee(targets: readonly Target[], artifact: string): Promise<Writable> {
  const sinks = new Map<Deposit, Writable>();
  await onEach(targets, async (deposit) => {
    const sink = await deposit.write(artifact);
    sink.on('error', () => {});
    sinks.set(deposit, sink);
  });
  const toEach = (deed: (sink: Writable) => Promise<void>) =>
    onEach(targets, async (deposit) => {
      const sink = sinks.get(deposit);
      if (sink) await deed(sink);
    });
  const join = (pieces: readonly Buffer[]): Buffer => (pieces.length === 1 && pieces[0] ? pieces[0] : Buffer.concat(pieces));
  return new Writable({
    highWaterMark: 4 * 1024 * 1024,
    write: (data: Buffer, _encoding, next) => void toEach((sink) => written(sink, data)).then(() => next(), next),
    writev: (pieces, next) =>
      void toEach((sink) => written(sink, join(pieces.map(({ chunk }) => chunk as Buffer)))).then(() => next(), next),
    final: (next) => void toEach(ended).then(() => next(), next),
  });
}

/** Counts and hashes what passes, announces it, and calls `stalled` when nothing does. */
function meter(context: Context, movement: Movement, stalled: (reason: Failure) => unknown) {
  const hash = createHash('sha256');
  const progress = watchProgress(context, movement, stalled);
  let bytes = 0;
  return {
    pass: (data: Buffer) => {
      hash.update(data);
      bytes += data.length;
      progress.moved(bytes);
    },
    end: () => progress.end(),
    result: () => ({ size: bytes, sha256: hash.digest('hex') }),
  };
}

/** What is stored under one name. */
interface Storing {
  readonly name: string;
  readonly kind: Artifact['kind'];
  readonly codecs: readonly Codec[];
}

export interface ArtifactRequest extends Storing {
  readonly stages: readonly Stage[];
  /** What seals it at last; null: it is stored in clear. */
  readonly sealing: Sealing | null;
  /** Ends it with the signal's reason. */
  readonly signal?: AbortSignal;
  /** Hears what is stored as its codecs leave it, before it is sealed. */
  readonly tap?: Tap | null;
}

/** Listens, and holds nothing up. */
export interface Tap {
  take(data: Buffer): void;
  end(): void;
}

/** Makes an artifact: source and codecs run as one flow into every target; durable in each when it resolves. */
export async function deposit(
  context: Context,
  artifact: ArtifactRequest,
  targets: readonly Target[],
  movement: Movement,
): Promise<Artifact> {
  const { sealing, signal = context.signal } = artifact;
  const begin = () => {
    const clear = context.run([...artifact.stages, ...artifact.codecs.map((codec) => codec.encode())], { signal });
    if (artifact.tap) clear.output.on('data', (data: Buffer) => artifact.tap?.take(data));
    return sealing ? seal(context, clear, sealing, signal) : clear;
  };
  const codecs = sealing ? [...artifact.codecs, sealing.codec] : artifact.codecs;
  return keep(context, { ...artifact, codecs }, begin, targets, movement).finally(() => artifact.tap?.end());
}

/** Takes what a flow yields into every target. */
async function keep(
  context: Context,
  { name: bare, kind, codecs }: Storing,
  begin: () => Flow,
  targets: readonly Target[],
  movement: Movement,
): Promise<Artifact> {
  const name = bare + codecs.map((codec) => codec.extension).join('');
  const tee = await openTee(targets, name);
  const flow = begin();
  const counted = meter(context, movement, (reason) => flow.stop(reason));
  flow.output.on('data', counted.pass);
  try {
    await pipeline(flow.output, tee);
    await flow.done;
  } catch (error) {
    flow.stop(asFailure(error, 'storage'));
    await flow.done.catch(() => {});
    throw error;
  } finally {
    counted.end();
  }
  const { size, sha256 } = counted.result();
  if (size === 0) throw new Failure('archive', `${movement.database}: ${name} came out empty`);
  await onEach(targets, (target) => target.seal(name, size));
  return { name, kind, size, sha256, plainSha256: null, codecs: codecs.map((codec) => codec.kind) };
}

/** Stores a small text that this process made itself. */
export async function depositText(
  text: string,
  artifact: { readonly name: string; readonly kind: Artifact['kind'] },
  targets: readonly Target[],
): Promise<Artifact> {
  const bytes = Buffer.from(text);
  const sha256 = createHash('sha256').update(bytes).digest('hex');
  const tee = await openTee(targets, artifact.name);
  await pipeline([bytes], tee);
  await onEach(targets, (target) => target.seal(artifact.name, bytes.length));
  return { ...artifact, size: bytes.length, sha256, plainSha256: sha256, codecs: [] };
}

/** The same, sealed. The SHA-256 of what it says is not told: it could be guessed by it. */
export async function depositSealed(
  context: Context,
  text: string,
  artifact: Storing,
  targets: readonly Target[],
  movement: Movement,
): Promise<Artifact> {
  const stages = artifact.codecs.map((codec) => codec.encode());
  const begin = () => context.run(stages, { input: Readable.from([Buffer.from(text)]), signal: context.signal });
  return keep(context, artifact, begin, targets, movement);
}

/** What undoes codecs, the outermost first. */
export const decodersOf = (codecs: readonly Codec[]): Stage[] => codecs.toReversed().map((codec) => codec.decode());

/**
 * Reads an artifact back through its codecs reversed into `sink` stages. The stored bytes must have the artifact's size and
 * SHA-256; that is checked even when every stage was content.
 */
export async function withdraw(
  context: Context,
  from: { readonly artifact: Artifact; readonly input: Readable; readonly signal?: AbortSignal },
  sink: readonly Stage[],
  movement: Movement,
  into?: Writable,
): Promise<void> {
  const { artifact, input } = from;
  // once all was read, an index may take its hours
  const counted = meter(context, movement, (reason) => !input.readableEnded && stop(reason));
  let stop = (reason: Failure): void => void input.destroy(reason);
  try {
    const decoders = decodersOf(context.codecsOf(artifact.codecs));
    const signal = from.signal ?? context.signal;
    const stages = [...decoders, ...sink];
    const flow = stages.length > 0 ? context.run(stages, { input, signal }) : null;
    if (flow) stop = (reason) => flow.stop(reason);
    input.on('data', counted.pass);
    const end = into ?? new Writable({ write: (_data, _encoding, next) => next(), highWaterMark: 1024 * 1024 });
    if (flow) await Promise.all([pipeline(flow.output, end), flow.done]);
    else await pipeline(input, end, { signal });
  } finally {
    counted.end();
    // also where nothing came to read it
    input.destroy();
  }
  const { size, sha256 } = counted.result();
  if (size !== artifact.size) throw new Failure('verification', `${artifact.name} has ${size} bytes instead of ${artifact.size}`);
  if (sha256 !== artifact.sha256) throw new Failure('verification', `${artifact.name} does not have the SHA-256 of its manifest`);
}
