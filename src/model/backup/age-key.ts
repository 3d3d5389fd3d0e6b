/**
 * model: age's X25519 keys as text, public `age1...` and private `AGE-SECRET-KEY-1...`; knows how they are written, not what they open.
 *
 * Bech32 of BIP 173 over 32 bytes, see age-encryption.org/v1.
 */
import { createHash } from 'node:crypto';

const alphabet = 'qpzry9x8gf2tvdw0s3jn54khce6mua7l';
const generators = [0x3b6a57b2, 0x26508e6d, 0x1ea119fa, 0x3d4233dd, 0x2a1462b3];

/** The polymod of BIP 173: 1 for a text whose checksum is right. */
function polymod(values: readonly number[]): number {
  let sum = 1;
  for (const value of values) {
    const top = sum >>> 25;
    sum = ((sum & 0x1ffffff) << 5) ^ value;
    for (const [bit, generator] of generators.entries()) if ((top >>> bit) & 1) sum ^= generator;
  }
  return sum;
}

/** `prefix`, "1", 52 characters of the key, whose last holds 4 bits that are 0, and 6 of the checksum. */
function isWhole(text: string, prefix: string): boolean {
  if (!text.startsWith(`${prefix}1`) || text.length !== prefix.length + 59) return false;
  const letters = Array.from(prefix, (letter) => letter.charCodeAt(0));
  const data = Array.from(text.slice(prefix.length + 1), (letter) => alphabet.indexOf(letter));
  if (data.includes(-1) || ((data[51] ?? 1) & 15) !== 0) return false;
  return polymod([...letters.map((code) => code >> 5), 0, ...letters.map((code) => code & 31), ...data]) === 1;
}

/** A public key, every character as it must be. */
export const isRecipient = (text: string): boolean => isWhole(text, 'age');
/** A private key. */
export const isIdentity = (text: string): boolean => /^[A-Z0-9-]+$/.test(text) && isWhole(text.toLowerCase(), 'age-secret-key-');

/** The lines of a file of keys, without comments and blank ones. */
export const keyLines = (text: string): string[] =>
  text
    .replace(/^\ufeff/, '')
    .split('\n')
    .map((line) => line.trim())
    .filter((line) => line !== '' && !line.startsWith('#'));

/** What a public key is called in manifests and messages: the first 16 hex digits of the SHA-256 of its text. */
export const keyId = (recipient: string): string => createHash('sha256').update(recipient).digest('hex').slice(0, 16);
