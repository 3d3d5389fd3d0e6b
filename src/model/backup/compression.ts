/**
 * model: what compresses an artifact, decided in one place from what is asked for and what is to be had.
 */
import { Failure } from '../errors.js';
import type { Compression } from '../settings/settings.js';

/** The codec that follows the engine; null: none. The engine itself is told not to compress. */
export function decideCodec(compression: Compression, has: { readonly zstd: boolean }): 'zstd' | 'gzip' | null {
  switch (compression.algorithm) {
    case 'none':
      return null;
    case 'gzip':
      return 'gzip';
    case 'zstd':
      if (has.zstd) return 'zstd';
      throw new Failure('configuration', 'compression.algorithm is zstd, and there is neither the program nor a Node that has it', {
        hint: 'install it, e.g. `apt-get install zstd`, or set compression.algorithm to auto',
      });
    case 'auto':
      return has.zstd ? 'zstd' : 'gzip';
  }
}
