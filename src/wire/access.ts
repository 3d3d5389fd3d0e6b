/**
 * wire: the tokens of the REST API and the files of its certificate, found without what reaches databases and storages.
 */
import { randomBytes } from 'node:crypto';
import { readFileSync, statSync } from 'node:fs';
import { here, locateState } from '../config/load.js';
import type { TokenContext } from '../core/tokens.js';
import { Failure } from '../model/errors.js';
import { uuidv7 } from '../model/id.js';
import type { ApiSettings } from '../model/settings/api.js';
import { systemClock } from '../system/clock.js';
import { openTokens } from '../system/files/tokens.js';
import { openLedger } from '../system/ledger/ledger.js';

/** Touches nothing until a token is made or revoked. */
export async function openAccess(options: { readonly config?: string; readonly set: readonly string[] }): Promise<TokenContext> {
  const stateDirectory = await locateState(options, here());
  return {
    tokens: openTokens(stateDirectory),
    ledger: openLedger(stateDirectory, { clock: systemClock }),
    clock: systemClock,
    newId: () => uuidv7(systemClock.now(), randomBytes(10)),
  };
}

/** PEM. */
export interface Certificate {
  readonly cert: string;
  readonly key: string;
}

function read(path: string, secret: boolean): string {
  try {
    if (secret && (statSync(path).mode & 0o007) !== 0)
      throw new Failure('configuration', `api.tls: everybody may read ${path}`, { hint: `chmod 600 '${path}'` });
    return readFileSync(path, 'utf8');
  } catch (error) {
    if (error instanceof Failure) throw error;
    throw new Failure('configuration', `api.tls: ${path} cannot be read: ${(error as NodeJS.ErrnoException).code}`, { cause: error });
  }
}

/** What the files hold now; null: no TLS. Throws `configuration`. */
export const readCertificate = ({ tls }: Pick<ApiSettings, 'tls'>): Certificate | null =>
  tls && { cert: read(tls.cert, false), key: read(tls.key, true) };
