/**
 * core: makes, lists, revokes and recognises the tokens of the REST API. A token is shown once, and kept only as a hash.
 */
import { createHash, randomBytes, timingSafeEqual } from 'node:crypto';
import type { Actor } from '../model/access/actor.js';
import { isExpired, tokenPrefix, type Role, type Token } from '../model/access/token.js';
import { Failure } from '../model/errors.js';
import type { Clock } from '../model/roles/clock.js';
import type { Tokens } from '../model/roles/tokens.js';
import { nearest } from '../model/settings/nearest.js';
import type { Context } from './context.js';

/** What tokens need of a Context. */
export interface TokenContext extends Pick<Context, 'ledger' | 'newId'> {
  readonly clock: Pick<Clock, 'now'>;
  readonly tokens: Tokens;
}

export interface TokenRequest {
  readonly name: string;
  readonly role: Role;
  /** ms from now; null: it does not end. */
  readonly lifetime: number | null;
}

/** What is said of a token after it was made. */
export type TokenLine = Omit<Token, 'sha256'> & { readonly expired: boolean };

const digest = (token: string): Buffer => createHash('sha256').update(token).digest();

/** `token` is shown this once. Throws `usage` when the name is taken. */
export async function createToken(
  { tokens, clock, newId, ledger }: TokenContext,
  { name, role, lifetime }: TokenRequest,
  actor: Actor,
): Promise<Pick<Token, 'id' | 'name' | 'role' | 'expiresAt'> & { readonly token: string }> {
  const token = `${tokenPrefix}${randomBytes(32).toString('base64url')}`;
  const now = clock.now();
  const expiresAt = lifetime === null ? null : new Date(now.getTime() + lifetime).toISOString();
  const kept: Token = { id: newId(), name, role, sha256: digest(token).toString('hex'), createdAt: now.toISOString(), expiresAt };
  await tokens.change((all) => {
    if (all.some((one) => one.name === name))
      throw new Failure('usage', `there is a token "${name}" already`, {
        hint: `take another name, or revoke it: \`backup-automation token revoke ${name}\``,
      });
    return [...all, kept];
  });
  await ledger.appendFact({ record: 'audit', ...actor, action: 'token create', target: `${name} (${role})`, ok: true });
  return { token, id: kept.id, name, role, expiresAt };
}

export const listTokens = ({ tokens, clock }: Pick<TokenContext, 'tokens' | 'clock'>): TokenLine[] =>
  tokens.list().map(({ sha256: _sha256, ...rest }) => ({ ...rest, expired: isExpired(rest, clock.now()) }));

/** By its name, its id or the beginning of one; from then on it opens nothing. Throws `not-found` naming the nearest. */
export async function revokeToken(
  { tokens, ledger }: TokenContext,
  which: string,
  actor: Actor,
): Promise<Pick<Token, 'id' | 'name' | 'role'>> {
  const all = tokens.list();
  const found = all.filter(({ name, id }) => name === which || id === which || (which.length >= 8 && id.startsWith(which)));
  const [one, second] = found;
  if (!one || second) {
    const near = nearest(which, all.map(({ name }) => name)); // prettier-ignore
    throw new Failure('not-found', second ? `"${which}" is the beginning of ${found.length} tokens` : `there is no token "${which}"`, {
      hint: near.length > 0 ? `there are: ${near.join(', ')}` : 'there is none: make one with `backup-automation token create`',
    });
  }
  await tokens.change((now) => now.filter(({ id }) => id !== one.id));
  await ledger.appendFact({ record: 'audit', ...actor, action: 'token revoke', target: `${one.name} (${one.role})`, ok: true });
  return { id: one.id, name: one.name, role: one.role };
}

/**
 * The token that was presented; null for one that is unknown or over. Every hash is compared, each in constant time, so that the
 * time tells nothing, whatever was presented.
 */
export function recognise(tokens: readonly Token[], presented: string, now: Date): Token | null {
  const given = digest(presented);
  let found: Token | null = null;
  for (const token of tokens) if (timingSafeEqual(given, Buffer.from(token.sha256, 'hex'))) found = token;
  return found && !isExpired(found, now) ? found : null;
}
