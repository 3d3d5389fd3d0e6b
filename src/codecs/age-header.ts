/**
 * codecs: the header of the age format, by the library that age's author keeps: whom a file key is sealed to. It sees no payload.
 */
import { createCipheriv, createDecipheriv, randomBytes, scrypt } from 'node:crypto';
import type { Identity, Recipient, Stanza as StanzaClass } from 'age-encryption';
import { Failure } from '../model/errors.js';

/** To whom: public keys, or one passphrase alone. */
export type Lid = { readonly recipients: readonly string[] } | { readonly passphrase: string };

/** What may open a file, looked up when it is needed. */
export interface Opener {
  /** Private keys, `AGE-SECRET-KEY-1...`. Throws when there are none. */
  identities(): Promise<readonly string[]>;
  passphrases(): Promise<readonly string[]>;
}

/** N = 2^18, as age itself takes: about a second and 256 MB for one guess. */
const workFactor = 18;
/** A harder one in a file asks for more than 1 GB: it is not ours, and may be meant to use up this machine. */
const hardestWork = 20;
const label = 'age-encryption.org/v1/scrypt';
const zeroNonce = Buffer.alloc(12);

/** The key that a passphrase stands for, worked out beside the event loop. */
function stretch(passphrase: string, salt: Uint8Array, logN: number): Promise<Buffer> {
  const cost = { N: 2 ** logN, r: 8, p: 1, maxmem: 2 ** (logN + 11) };
  return new Promise((resolve, reject) =>
    scrypt(passphrase, Buffer.concat([Buffer.from(label), salt]), 32, cost, (error, key) => (error ? reject(error) : resolve(key))),
  );
}

const base64 = (bytes: Uint8Array): string => Buffer.from(bytes).toString('base64').replaceAll('=', '');

/** Age's own library works it out inside the event loop, and lets nobody see the file key: hence ours. */
function byPassphrase(passphrase: string, Stanza: typeof StanzaClass): Recipient {
  return {
    wrapFileKey: async (fileKey) => {
      const salt = randomBytes(16);
      const sealer = createCipheriv('chacha20-poly1305', await stretch(passphrase, salt, workFactor), zeroNonce, { authTagLength: 16 });
      const body = Buffer.concat([sealer.update(fileKey), sealer.final(), sealer.getAuthTag()]);
      return [new Stanza(['scrypt', base64(salt), String(workFactor)], body)];
    },
  };
}

function ofPassphrase(passphrase: string): Identity {
  return {
    unwrapFileKey: async ([stanza, ...others]) => {
      const [type, salt = '', work = ''] = stanza?.args ?? [];
      if (!stanza || type !== 'scrypt') return null;
      const logN = Number(work);
      if (others.length > 0 || !/^[1-9]\d?$/.test(work) || logN > hardestWork || stanza.body.length !== 32)
        throw new Error('a wrong stanza');
      const key = await stretch(passphrase, Buffer.from(salt, 'base64'), logN);
      const opener = createDecipheriv('chacha20-poly1305', key, zeroNonce, { authTagLength: 16 });
      opener.setAuthTag(stanza.body.subarray(16));
      const fileKey = opener.update(stanza.body.subarray(0, 16));
      try {
        opener.final();
        return fileKey;
      } catch {
        return null;
      }
    },
  };
}

/** What the library appends for an empty payload: its nonce and the tag of an empty chunk. */
const emptyPayload = 32;

/** A fresh file key and the header that seals it. */
export async function makeHeader(lid: Lid): Promise<{ header: Uint8Array; fileKey: Uint8Array }> {
  const { Encrypter, Stanza } = await import('age-encryption');
  const encrypter = new Encrypter();
  let fileKey = new Uint8Array();
  encrypter.addRecipient({
    wrapFileKey: (key) => {
      fileKey = Uint8Array.from(key);
      return [];
    },
  });
  if ('passphrase' in lid) encrypter.addRecipient(byPassphrase(lid.passphrase, Stanza));
  else for (const recipient of lid.recipients) encrypter.addRecipient(recipient);
  const sealed = await encrypter.encrypt(new Uint8Array());
  return { header: sealed.subarray(0, -emptyPayload), fileKey };
}

/** The file key. Throws `no-key` when nothing here opens it, `archive` when the header is not as it was written. */
export async function openHeader(header: Uint8Array, opener: Opener): Promise<Uint8Array> {
  const { Decrypter } = await import('age-encryption');
  const decrypter = new Decrypter();
  const isPassphrase = /^-> scrypt /m.test(Buffer.from(header).toString('latin1'));
  if (isPassphrase) for (const passphrase of await opener.passphrases()) decrypter.addIdentity(ofPassphrase(passphrase));
  else for (const identity of await opener.identities()) decrypter.addIdentity(identity);
  let tried = false;
  decrypter.addIdentity({
    unwrapFileKey: () => {
      tried = true;
      return null;
    },
  });
  try {
    return await decrypter.decryptHeader(header);
  } catch (error) {
    if (!tried) throw new Failure('archive', 'what is sealed was changed: its header is not as it was written', { cause: error });
    const own = isPassphrase ? 'another passphrase than the configured ones' : 'other keys than those that verify.identity names';
    throw new Failure('no-key', `it is sealed to ${own}`, {
      hint: 'a manifest names its keys (`backup-automation backups show ID`); name the file of one with --set verify.identity=file:PATH',
    });
  }
}
