/**
 * core: a deposit that lives in memory, for what is tried and thrown away; never for a backup.
 */
import { Readable, Writable } from 'node:stream';
import { Failure } from '../../model/errors.js';
import type { Deposit } from '../../model/roles/storage.js';

export function memoryDeposit(): Deposit {
  const artifacts = new Map<string, Buffer[]>();
  const piecesOf = (artifact: string): Buffer[] => {
    const pieces = artifacts.get(artifact);
    if (!pieces) throw new Failure('internal', `${artifact} was not written`);
    return pieces;
  };
  return {
    write: (artifact) => {
      const pieces: Buffer[] = [];
      artifacts.set(artifact, pieces);
      const write = (data: Buffer, _encoding: string, next: () => void) => {
        pieces.push(data);
        next();
      };
      return Promise.resolve(new Writable({ write }));
    },
    seal: () => Promise.resolve(),
    read: (artifact) => Promise.resolve(Readable.from(piecesOf(artifact))),
    commit: () => Promise.reject(new Failure('internal', 'what is in memory cannot be committed')),
    abort: () => Promise.resolve(artifacts.clear()),
  };
}
