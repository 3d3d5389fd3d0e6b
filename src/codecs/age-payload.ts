/**
 * codecs: the payload of the age format, ChaCha20-Poly1305 in chunks of 64 KiB (STREAM); it never gives out a byte that was not proven.
 *
 * Each chunk has the nonce of its number, 11 bytes, and a last byte that is 1 for the final chunk alone: what ends without that one
 * was cut short. See age-encryption.org/v1.
 */
import { createCipheriv, createDecipheriv } from 'node:crypto';
import { Failure } from '../model/errors.js';

const cipher = 'chacha20-poly1305';
const chunkSize = 64 * 1024;
const tagSize = 16;
const nothing = Buffer.alloc(0);

export interface Payload {
  /** What can be told of these and the bytes before them; the last chunk is held back until `end`. */
  take(data: Buffer): Buffer;
  /** The final chunk. */
  end(): Buffer;
}

function nonceOf(chunk: number, final: boolean): Buffer {
  const nonce = Buffer.alloc(12);
  nonce.writeUIntBE(chunk, 5, 6);
  nonce[11] = final ? 1 : 0;
  return nonce;
}

/** Cuts what comes into pieces of `size`, of which the last is only known at the end. */
function inPieces(size: number, convert: (piece: Buffer, number: number, final: boolean) => readonly Buffer[]): Payload {
  let held: Buffer[] = [];
  let length = 0;
  let number = 0;
  return {
    take: (data) => {
      held.push(data);
      length += data.length;
      if (length <= size) return nothing;
      const all = held.length > 1 ? Buffer.concat(held) : data;
      const done: Buffer[] = [];
      let at = 0;
      for (; length - at > size; at += size) done.push(...convert(all.subarray(at, at + size), number++, false));
      held = [all.subarray(at)];
      length -= at;
      return Buffer.concat(done);
    },
    end: () => Buffer.concat(convert(Buffer.concat(held), number, true)),
  };
}

export const sealPayload = (key: Uint8Array): Payload =>
  inPieces(chunkSize, (piece, number, final) => {
    const sealer = createCipheriv(cipher, key, nonceOf(number, final), { authTagLength: tagSize });
    const sealed = [sealer.update(piece), sealer.final()];
    return [...sealed, sealer.getAuthTag()];
  });

const damaged = (number: number): Failure =>
  new Failure('archive', `what is sealed was changed or cut short: its part ${number + 1} of 64 KiB cannot be opened`);

/** Throws `archive` for a chunk that is not as it was sealed, and for a missing final one. */
export const openPayload = (key: Uint8Array): Payload =>
  inPieces(chunkSize + tagSize, (piece, number, final) => {
    // only an empty payload has an empty chunk
    if (piece.length < tagSize || (piece.length === tagSize && number > 0)) throw damaged(number);
    const opener = createDecipheriv(cipher, key, nonceOf(number, final), { authTagLength: tagSize });
    opener.setAuthTag(piece.subarray(-tagSize));
    const opened = opener.update(piece.subarray(0, -tagSize));
    try {
      opener.final();
    } catch {
      throw damaged(number);
    }
    return [opened];
  });
