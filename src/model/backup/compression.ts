/**
 * model: what compresses an artifact, decided in one place from what is asked for and what is to be had.
 */
import { Failure } from '../errors.js';
import { compressors, type CompressorKind } from '../settings/compressors.js';
import type { Compression } from '../settings/settings.js';

/** What compresses: the engine itself, a codec behind it, or nothing. Never both. */
export interface CompressionDecision {
  /** For `DumpRequest.compression`. */
  readonly engine: false | string;
  readonly codec: CompressorKind | null;
}

export interface CompressionOffer {
  /** There is the codec. */
  readonly zstd: boolean;
  /** The engine's program has zstd built in: one process less, and no byte of the clear archive in a pipe. */
  readonly engineZstd: boolean;
  /** Processes that dump at once: gzip, which is slow, is shared among them. */
  readonly jobs: number;
}

/** Throws `configuration` where zstd is asked for by name and nobody has it. */
export function decideCompression({ algorithm, level }: Compression, has: CompressionOffer): CompressionDecision {
  if (algorithm === 'none') return { engine: false, codec: null };
  const gzip = (): CompressionDecision =>
    has.jobs > 1 ? { engine: String(Math.min(level, compressors.gzip.highestLevel)), codec: null } : { engine: false, codec: 'gzip' };
  if (algorithm === 'gzip') return gzip();
  if (has.engineZstd) return { engine: `zstd:${level}`, codec: null };
  if (has.zstd) return { engine: false, codec: 'zstd' };
  if (algorithm === 'auto') return gzip();
  throw new Failure('configuration', 'compression.algorithm is zstd, and neither pg_dump, the program zstd nor Node has it', {
    hint: 'install it, e.g. `apt-get install zstd`, or set compression.algorithm to auto',
  });
}
