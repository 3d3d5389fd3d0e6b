/**
 * system: the Tokens role in `tokens.json` of the state directory, which is its owner's alone. It holds hashes, never a token.
 */
import { closeSync, constants, fstatSync, openSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { roles, type Token } from '../../model/access/token.js';
import { Failure } from '../../model/errors.js';
import type { Tokens } from '../../model/roles/tokens.js';
import { ensurePrivateDirectory, errnoOf, writeAtomic } from './files.js';
import { takeLock } from './flock.js';

/** Seconds that another process may take to change them. */
const lockWait = 10;

const isToken = (value: unknown): value is Token => {
  const { id, name, role, sha256, createdAt, expiresAt } = Object(value) as Record<string, unknown>;
  const texts = [id, name, createdAt, ...(expiresAt === null ? [] : [expiresAt])].every((one) => typeof one === 'string');
  return texts && roles.some((one) => one === role) && typeof sha256 === 'string' && /^[0-9a-f]{64}$/.test(sha256);
};

const refuse = (path: string, why: string, hint: string): never => {
  throw new Failure('configuration', `the tokens in ${path} cannot be trusted: ${why}`, { hint });
};

/** The file's text; null where there is none. */
function readOwn(path: string): string | null {
  let fd: number;
  try {
    fd = openSync(path, constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK);
  } catch (error) {
    if (errnoOf(error) === 'ENOENT') return null;
    return refuse(path, `it cannot be read (${errnoOf(error)})`, 'check owner and mode');
  }
  try {
    const { uid, mode } = fstatSync(fd);
    if (uid !== process.geteuid?.()) refuse(path, `it belongs to user ${uid}`, 'run as its owner');
    if ((mode & 0o077) !== 0) refuse(path, `its mode is ${(mode & 0o777).toString(8)}`, `chmod 600 '${path}'`);
    return readFileSync(fd, 'utf8');
  } finally {
    closeSync(fd);
  }
}

/** Touches nothing until something is changed. */
export function openTokens(stateDirectory: string): Tokens {
  const path = join(stateDirectory, 'tokens.json');
  const list = (): Token[] => {
    const text = readOwn(path);
    if (text === null) return [];
    try {
      const parsed: unknown = JSON.parse(text);
      if (Array.isArray(parsed) && parsed.every(isToken)) return parsed;
    } catch {
      // told below
    }
    return refuse(path, 'it is damaged', 'remove it, and make the tokens anew with `backup-automation token create`');
  };
  return {
    list,
    async change(change) {
      const locks = join(stateDirectory, 'locks');
      ensurePrivateDirectory(stateDirectory);
      ensurePrivateDirectory(locks);
      const lock = await takeLock(join(locks, 'tokens.lock'), lockWait);
      if (!lock) throw new Failure('not-now', 'another process changes the tokens');
      try {
        writeAtomic(path, `${JSON.stringify(change(list()), null, 2)}\n`);
      } finally {
        lock.release();
      }
    },
  };
}
