/**
 * codecs: age, sealing to public keys or a passphrase (age-encryption.org/v1): what anybody opens with the program of that name.
 *
 * The final chunk is made when the input ends well, and never when it breaks off: then what was written cannot be opened.
 */
import { hkdfSync, randomBytes } from 'node:crypto';
import { Transform, type TransformCallback } from 'node:stream';
import type { Codec } from '../model/roles/codec.js';
import { asFailure, Failure } from '../model/errors.js';
import { makeHeader, openHeader, type Lid, type Opener } from './age-header.js';
import { openPayload, sealPayload, type Payload } from './age-payload.js';

const piece = 1024 * 1024;
const nonceSize = 16;
/** A header is some 100 bytes a recipient. */
const longestHeader = 1024 * 1024;

const payloadKey = (fileKey: Uint8Array, nonce: Uint8Array): Uint8Array =>
  new Uint8Array(hkdfSync('sha256', fileKey, nonce, 'payload', 32));

/** Runs what may throw, and hands its outcome on as a stream wants it. */
function answer(next: TransformCallback, deed: () => Buffer): void {
  try {
    next(null, deed());
  } catch (error) {
    next(asFailure(error, 'archive'));
  }
}

function sealing(lid: Lid): Transform {
  let payload: Payload | undefined;
  const begin = async (): Promise<Buffer> => {
    const { header, fileKey } = await makeHeader(lid);
    const nonce = randomBytes(nonceSize);
    payload = sealPayload(payloadKey(fileKey, nonce));
    return Buffer.concat([header, nonce]);
  };
  return new Transform({
    readableHighWaterMark: piece,
    writableHighWaterMark: piece,
    construct(next) {
      begin().then(
        (head) => {
          this.push(head);
          next();
        },
        (error: unknown) => next(asFailure(error, 'configuration')),
      );
    },
    transform: (data: Buffer, _encoding, next) => next(null, payload?.take(data)),
    flush: (next) => next(null, payload?.end()),
  });
}

/** Where the header ends, behind its line of the MAC; -1: not yet. */
function headerEnd(bytes: Buffer): number {
  const mac = bytes.indexOf('\n--- ');
  return mac < 0 ? -1 : bytes.indexOf('\n', mac + 1) + 1 || -1;
}

function opening(opener: Opener): Transform {
  let head: Buffer = Buffer.alloc(0);
  let payload: Payload | undefined;
  const begin = async (data: Buffer): Promise<Buffer> => {
    head = Buffer.concat([head, data]);
    const end = headerEnd(head);
    if (!'age-encryption.org/v1\n'.startsWith(head.toString('latin1', 0, 22)) || (end < 0 && head.length > longestHeader))
      throw new Failure('archive', 'what should be sealed does not begin as an age file does');
    if (end < 0 || head.length < end + nonceSize) return Buffer.alloc(0);
    const fileKey = await openHeader(head.subarray(0, end), opener);
    payload = openPayload(payloadKey(fileKey, head.subarray(end, end + nonceSize)));
    return payload.take(head.subarray(end + nonceSize));
  };
  const cutShort = () => {
    throw new Failure('archive', 'what is sealed was cut short inside its header');
  };
  return new Transform({
    readableHighWaterMark: piece,
    writableHighWaterMark: piece,
    transform: (data: Buffer, _encoding, next) => {
      if (payload) return answer(next, () => payload?.take(data) ?? data);
      begin(data).then(
        (opened) => next(null, opened),
        (error: unknown) => next(asFailure(error, 'archive')),
      );
    },
    flush: (next) => answer(next, () => payload?.end() ?? cutShort()),
  });
}

export const age = {
  kind: 'age',
  /** Without a lid it only opens. */
  create: (lid: Lid | null, opener: Opener): Codec => ({
    kind: 'age',
    extension: '.age',
    encode: () => {
      if (!lid) throw new Failure('internal', 'nobody to seal to');
      return { kind: 'transform', create: () => sealing(lid) };
    },
    decode: () => ({ kind: 'transform', create: () => opening(opener) }),
  }),
} as const;
