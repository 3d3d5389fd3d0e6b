/**
 * codecs: the shelf of what is done to an artifact's bytes, one file a member; adding one is a file and a line here.
 */
import { gzip } from './gzip.js';
import { zstd } from './zstd.js';

export const codecs = { zstd, gzip } as const;
export type CodecKind = keyof typeof codecs;
/** What seals, and the keys for it. */
export { openKeyring } from './age-keys.js';
