/**
 * api: who is logged in to the page: an id in a cookie stands for a token's id here, in memory alone. It knows no token, so that one that
 * was revoked ends its sessions, and it decides about nobody's rights.
 */
import { createHash, randomBytes, timingSafeEqual } from 'node:crypto';
import { msPerHour } from '../../model/units.js';

/** ms without a request. */
const longestIdle = 12 * msPerHour;
/** The one that was silent for longest makes room. */
const most = 1000;

export interface Session {
  /** Of the token. */
  readonly token: string;
  /** Stands in every form of this session. */
  readonly csrf: string;
  seen: number;
}

const secret = (): string => randomBytes(32).toString('base64url');
const digest = (text: string): Buffer => createHash('sha256').update(text).digest();
const keyOf = (id: string): string => digest(id).toString('hex');

/** Takes as long, whatever was written. */
export const isSame = (a: string, b: string): boolean => timingSafeEqual(digest(a), digest(b));

export class Sessions {
  /** By the hash of the id: the one that was seen last is the last. */
  readonly #all = new Map<string, Session>();

  /** Of a new id always, so that nobody can have planted it. `now` ms. */
  open(token: string, now: number): { readonly id: string; readonly session: Session } {
    const id = secret();
    const session = { token, csrf: secret(), seen: now };
    const [silent] = this.#all.keys();
    if (this.#all.size >= most && silent !== undefined) this.#all.delete(silent);
    this.#all.set(keyOf(id), session);
    return { id, session };
  }

  find(id: string, now: number): Session | null {
    const key = keyOf(id);
    const session = this.#all.get(key);
    this.#all.delete(key);
    if (!session || now - session.seen > longestIdle) return null;
    session.seen = now;
    this.#all.set(key, session);
    return session;
  }

  /** Without it counting as a request. */
  isOpen(id: string, now: number): boolean {
    const session = this.#all.get(keyOf(id));
    return session !== undefined && now - session.seen <= longestIdle;
  }

  close(id: string): void {
    this.#all.delete(keyOf(id));
  }
}

/** In forms where nobody logs in. */
export const anySession = (): Pick<Session, 'csrf'> => ({ csrf: secret() });

/** s that a cookie lives, as long as its session may be silent, or until the token ends. */
export const cookieAge = (expiresAt: string | null, now: number): number =>
  Math.max(0, Math.floor((expiresAt === null ? longestIdle : Math.min(longestIdle, Date.parse(expiresAt) - now)) / 1000));
