/**
 * codecs: whose keys the configuration means: public ones to seal to, private ones to open with. Reads them when they are needed.
 */
import { readFileSync, statSync } from 'node:fs';
import { isIdentity, isRecipient, keyId, keyLines } from '../model/backup/age-key.js';
import type { Codec } from '../model/roles/codec.js';
import { Failure } from '../model/errors.js';
import type { Encryption } from '../model/settings/settings.js';
import { age } from './age.js';
import type { Lid, Opener } from './age-header.js';

export interface KeySource {
  /** A reference to private keys, `verify.identity`. */
  readonly identity: string | undefined;
  /** References to passphrases, of whatever schedule. */
  readonly passphrases: readonly string[];
  /** Looks a reference up: its first line, or all of it. */
  secret(reference: string): Promise<string>;
  text(reference: string): Promise<string>;
}

const refuse = (message: string, hint: string, cause?: unknown): never => {
  throw new Failure('configuration', `nothing can be sealed, so nothing is backed up: ${message}`, { hint, cause });
};

/** Who may write the file chooses who can read the backups. */
function recipientsIn(file: string): string[] {
  let text: string;
  try {
    if (statSync(file).mode & 0o022) return refuse(`others may write the recipientsFile ${file}`, `chmod go-w '${file}'`);
    text = readFileSync(file, 'utf8');
  } catch (error) {
    if (error instanceof Failure) throw error;
    const reason = error instanceof Error ? error.message : String(error);
    return refuse(`the recipientsFile cannot be read: ${reason}`, 'check the path and its mode', error);
  }
  const lines = keyLines(text);
  const wrong = lines.findIndex((line) => !isRecipient(line));
  // the line itself may be a private key by mistake
  if (wrong >= 0) refuse(`key ${wrong + 1} of the recipientsFile ${file} is no public age key`, 'expected "age1..." of 62 characters');
  if (lines.length === 0) refuse(`the recipientsFile ${file} holds no key`, 'write a public age key a line into it');
  return lines;
}

/** Throws `configuration` when what is configured is not to be had: then nothing may be stored. */
async function lidOf({ recipients = [], recipientsFile, passphrase }: Encryption, source: KeySource): Promise<Lid> {
  if (passphrase !== undefined) return { passphrase: await source.secret(passphrase) };
  const all = new Set([...recipients, ...(recipientsFile === undefined ? [] : recipientsIn(recipientsFile))]);
  const wrong = recipients.find((one) => !isRecipient(one));
  if (wrong !== undefined)
    refuse(`${JSON.stringify(wrong)} of encryption.recipients is no public age key`, 'expected "age1..." of 62 characters');
  if (all.size === 0) refuse('encryption names nobody to seal to', 'set encryption.recipients, or encryption to null');
  return { recipients: [...all] };
}

/** The public ids of the keys that open it; none where it is a passphrase. */
const idsOf = (lid: Lid): string[] => ('recipients' in lid ? lid.recipients.map(keyId) : []);

function openerOf(source: KeySource): Opener {
  return {
    identities: async () => {
      if (source.identity === undefined) throw new Failure('no-key', 'it is sealed, and no private key is named here');
      const lines = keyLines(await source.text(source.identity));
      if (lines.length > 0 && lines.every(isIdentity)) return lines;
      throw new Failure('configuration', `${source.identity} holds no private age key`, {
        hint: 'expected lines "AGE-SECRET-KEY-1...", as age-keygen writes them',
      });
    },
    passphrases: async () => {
      if (source.passphrases.length > 0) return Promise.all(source.passphrases.map((one) => source.secret(one)));
      throw new Failure('no-key', 'it is sealed with a passphrase, and none is named here', {
        hint: 'set encryption.passphrase to a reference of it, e.g. --set encryption.passphrase=file:PATH',
      });
    },
  };
}

/** The public ids of the private keys that are named. Throws as `Opener.identities`. */
async function ownIds(opener: Opener): Promise<string[]> {
  const { identityToRecipient } = await import('age-encryption');
  return Promise.all((await opener.identities()).map(async (one) => keyId(await identityToRecipient(one))));
}

/** Age with the keys that the configuration names. */
export interface Keyring {
  /** Throws `configuration` when what is configured is not to be had. */
  seal(encryption: Encryption): Promise<{ readonly codec: Codec; readonly keys: readonly string[] }>;
  /** Public ids of the private keys. Throws `no-key`, `configuration`. */
  ownKeys(): Promise<readonly string[]>;
  /** Opens, as far as the keys go, what was sealed to whomever. */
  readonly codec: Codec;
}

export function openKeyring(source: KeySource): Keyring {
  const opener = openerOf(source);
  return {
    seal: async (encryption) => {
      const lid = await lidOf(encryption, source);
      return { codec: age.create(lid, opener), keys: idsOf(lid) };
    },
    ownKeys: () => ownIds(opener),
    codec: age.create(null, opener),
  };
}
