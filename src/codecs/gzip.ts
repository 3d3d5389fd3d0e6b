/**
 * codecs: gzip, by the program of that name where it is there, else by Node; the format that every machine can read.
 */
import { createGunzip, createGzip } from 'node:zlib';
import type { Codec } from '../model/roles/codec.js';
import { onPath } from '../system/files/path.js';
import { programStage } from './program.js';

export const gzip = {
  kind: 'gzip',
  isAvailable: (): boolean => true,
  create: (level: number, _threads = 1): Codec => {
    const file = onPath('gzip');
    return {
      kind: 'gzip',
      extension: '.gz',
      encode: () =>
        file
          ? programStage(file, ['-c', `-${Math.min(level, 9)}`])
          : { kind: 'transform', create: () => createGzip({ level: Math.min(level, 9) }) },
      decode: () => (file ? programStage(file, ['-d', '-c']) : { kind: 'transform', create: () => createGunzip() }),
    };
  },
} as const;
