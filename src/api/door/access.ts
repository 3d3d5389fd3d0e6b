/**
 * api: who asks, and whether they may. Every refusal of a token looks the same and takes as long; guessing is slowed down by address,
 * and never keeps out who has a valid token.
 */
import rateLimit from '@fastify/rate-limit';
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { recognise } from '../../core/tokens.js';
import { isExpired, mayDo, type Role, type Token } from '../../model/access/token.js';
import { isForeign, isOurs } from './hosts.js';
import { Refusal } from '../problem.js';
import type { Caller, Tools } from '../tools.js';

const minute = 60_000;
/** Wrong tokens a minute and address. */
const mostGuesses = 10;

const callerOf = ({ id, name, role }: Token, address: string): Caller => ({ by: `token:${name}`, address, token: id, role });

/** Of a token as it was typed. */
function identify({ access, clock }: Pick<Tools, 'access' | 'clock'>, presented: string, address: string): Caller | null {
  const token = recognise(access.tokens.list(), presented, clock.now());
  return token && callerOf(token, address);
}

const presentedBy = ({ headers }: FastifyRequest): string => /^Bearer +(\S+) *$/i.exec(headers.authorization ?? '')?.[1] ?? '';

/** What the page asks, whose visitors show no token but once. */
export interface Access {
  /** Whoever typed this token; a wrong one counts as a guess. Throws 401, and 429 after too many. */
  admit(request: FastifyRequest, reply: FastifyReply, presented: string): Promise<Caller>;
  /** As long as the token of this id is good; null from then on. */
  known(token: string, address: string): { readonly caller: Caller; readonly expiresAt: string | null } | null;
  /** Everybody, where nobody is asked for a token; else null. */
  anybody(address: string): Caller | null;
}

export interface AccessOptions {
  /** On loopback, by a flag alone: nobody is asked for a token, and everybody is an admin. */
  readonly insecure: boolean;
}

/** Counts for one minute; throws 429 above `max`. */
const counter = (app: FastifyInstance, max: number, keyOf: (request: FastifyRequest) => string) => {
  const count = app.createRateLimit({ max, timeWindow: minute, keyGenerator: keyOf });
  return async (request: FastifyRequest, reply: FastifyReply): Promise<void> => {
    const found = await count(request);
    if (found.isAllowed || !found.isExceeded) return;
    reply.header('retry-after', String(found.ttlInSeconds));
    throw new Refusal(429);
  };
};

/** The first hook of all: what does not pass it reaches nothing. */
export async function addAccess(app: FastifyInstance, tools: Tools, { insecure }: AccessOptions): Promise<Access> {
  const { settings, access, clock } = tools;
  await app.register(rateLimit, { global: false });
  const slowGuesses = counter(app, mostGuesses, ({ ip }) => `guess ${ip}`);
  const slow = counter(app, settings.rateLimit, ({ caller, ip }) => caller?.token ?? ip);
  const anybody = (address: string): Caller | null => (insecure ? { by: 'anybody', address, token: null, role: 'admin' } : null);
  const admit = async (request: FastifyRequest, reply: FastifyReply, presented: string): Promise<Caller> => {
    const caller = identify(tools, presented, request.ip);
    if (caller) return caller;
    await slowGuesses(request, reply);
    throw new Refusal(401);
  };
  app.decorateRequest('caller', null);
  app.addHook('onRequest', async (request, reply) => {
    if (!isOurs(settings, request, request.host)) throw new Refusal(421);
    if (!['GET', 'HEAD', 'OPTIONS'].includes(request.method) && isForeign(settings, request)) throw new Refusal(403);
    const { open, role = 'read' } = request.routeOptions.config ?? {};
    if (open) return slow(request, reply);
    reply.header('www-authenticate', 'Bearer realm="backup-automation"');
    request.caller = anybody(request.ip) ?? (await admit(request, reply, presentedBy(request)));
    reply.removeHeader('www-authenticate');
    await slow(request, reply);
    requireRole(tools, request, request.caller, role);
  });
  return {
    admit,
    anybody,
    known(id, address) {
      const token = access.tokens.list().find((one) => one.id === id);
      return token && !isExpired(token, clock.now()) ? { caller: callerOf(token, address), expiresAt: token.expiresAt } : null;
    },
  };
}

/** Throws 403. */
export function requireRole({ log }: Tools, request: FastifyRequest, caller: Caller, role: Role): void {
  if (mayDo(caller.role, role)) return;
  log('warn', `${caller.by} may not ${request.method} ${request.routeOptions.url}`, { address: request.ip });
  throw new Refusal(403, { detail: `it takes a token of role ${role}` });
}
