/**
 * model: the token of the REST API: who may do what, until when. The token itself is nowhere kept, only its hash.
 */

/** Each may do what those before it may. */
export const roles = ['read', 'operate', 'admin'] as const;
export type Role = (typeof roles)[number];

/** Before every token, so that one is known for what it is wherever it turns up. */
export const tokenPrefix = 'bat_';

export interface Token {
  readonly id: string;
  readonly name: string;
  readonly role: Role;
  /** Of the whole token, hex. */
  readonly sha256: string;
  readonly createdAt: string;
  /** ISO 8601; null: it does not end. */
  readonly expiresAt: string | null;
}

export const mayDo = (has: Role, needed: Role): boolean => roles.indexOf(has) >= roles.indexOf(needed);

export const isExpired = ({ expiresAt }: Pick<Token, 'expiresAt'>, now: Date): boolean =>
  expiresAt !== null && Date.parse(expiresAt) <= now.getTime();
