/**
 * codecs: zstd, by the program of that name where it is there, else by Node where it has it (22.15 and newer).
 */
import zlib from 'node:zlib';
import type { Duplex } from 'node:stream';
import type { Codec } from '../model/roles/codec.js';
import { Failure } from '../model/errors.js';
import type { Stage } from '../model/roles/flow.js';
import { findProgram } from '../system/programs/programs.js';
import { programStage } from './program.js';

type ZstdOfNode = (options?: { params?: Record<number, number> }) => Duplex;
const ofNode = zlib as unknown as { createZstdCompress?: ZstdOfNode; createZstdDecompress?: ZstdOfNode };
/** ZSTD_c_compressionLevel and ZSTD_c_checksumFlag of zstd.h. */
const parameters = { level: 100, checksum: 201 };

const missing = (): Failure =>
  new Failure('configuration', 'zstd is not to be had here', {
    hint: 'install it, e.g. `apt-get install zstd`, or set compression to gzip',
  });

function stage(args: readonly string[], create: (() => Duplex) | undefined): Stage {
  const file = findProgram('zstd');
  if (file) return programStage(file, args);
  if (!create) throw missing();
  return { kind: 'transform', create };
}

export const zstd = {
  kind: 'zstd',
  isAvailable: (): boolean => findProgram('zstd') !== null || ofNode.createZstdCompress !== undefined,
  create: (level: number, threads = 1): Codec => ({
    kind: 'zstd',
    extension: '.zst',
    encode: () => {
      const compress = ofNode.createZstdCompress;
      return stage(
        ['-q', '-c', `-${level}`, `-T${threads}`],
        compress && (() => compress({ params: { [parameters.level]: level, [parameters.checksum]: 1 } })),
      );
    },
    decode: () => stage(['-q', '-d', '-c', '-M512MB'], ofNode.createZstdDecompress && (() => ofNode.createZstdDecompress?.() as Duplex)),
  }),
} as const;
