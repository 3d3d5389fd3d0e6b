/**
 * system: the Ed25519 key of a state directory, which signs manifests. Made at the first signature, never shown.
 */
import { createHash, createPrivateKey, createPublicKey, generateKeyPairSync, sign, verify, type KeyObject } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { Failure } from '../model/errors.js';
import { createAtomic, ensurePrivateDirectory, errnoOf } from './files/files.js';
import { ledgerFailure } from './ledger/segments.js';

export interface Signer {
  /** First 16 hex digits of the SHA-256 of the public key. */
  key(): string;
  /** base64 */
  sign(bytes: Uint8Array): string;
  /** `unknown`: signed with another key than ours. */
  verify(key: string, bytes: Uint8Array, signature: string): 'good' | 'bad' | 'unknown';
}

const nameOf = (key: KeyObject): string =>
  createHash('sha256')
    .update(key.export({ type: 'spki', format: 'der' }))
    .digest('hex')
    .slice(0, 16);

export function openSigner(stateDirectory: string): Signer {
  const file = join(stateDirectory, 'signing-key.pem');
  let loaded: KeyObject | undefined;

  const load = (): KeyObject | undefined => {
    try {
      loaded ??= createPrivateKey(readFileSync(file));
    } catch (error) {
      if (errnoOf(error) !== 'ENOENT')
        throw new Failure('ledger', `the signing key ${file} cannot be read: ${String(error)}`, { cause: error });
    }
    return loaded;
  };
  const make = (): KeyObject => {
    const existing = load();
    if (existing) return existing;
    ensurePrivateDirectory(stateDirectory);
    const made = generateKeyPairSync('ed25519').privateKey;
    try {
      createAtomic(file, made.export({ type: 'pkcs8', format: 'pem' }));
    } catch (error) {
      throw ledgerFailure('write', file, error);
    }
    return load() ?? made; // another process may have been faster
  };
  const publicKey = (key: KeyObject) => createPublicKey(key);
  return {
    key: () => nameOf(publicKey(make())),
    sign: (bytes) => sign(null, bytes, make()).toString('base64'),
    verify: (name, bytes, signature) => {
      const own = load();
      if (!own || nameOf(publicKey(own)) !== name) return 'unknown';
      return verify(null, bytes, publicKey(own), Buffer.from(signature, 'base64')) ? 'good' : 'bad';
    },
  };
}
