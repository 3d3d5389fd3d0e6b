/**
 * model: the Tokens role: where the tokens of the REST API are kept.
 */
import type { Token } from '../access/token.js';

export interface Tokens {
  /** As they are now, oldest first. Throws `configuration` when they cannot be trusted. */
  list(): readonly Token[];
  /** Puts what `change` makes of them in their place, while nobody else changes them. */
  change(change: (tokens: readonly Token[]) => readonly Token[]): Promise<void>;
}
