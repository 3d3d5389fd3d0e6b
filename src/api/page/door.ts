/**
 * api: the door of the page: a token is typed once, and a cookie stands for it from then on. The API beside it knows no cookie, and the
 * page takes no token but here.
 */
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import * as z from 'zod';
import type { Role } from '../../model/access/token.js';
import type { Access } from '../door/access.js';
import { requireRole } from '../door/access.js';
import { isForPerson, isOwn } from '../door/hosts.js';
import { Refusal } from '../problem.js';
import type { Caller, Tools } from '../tools.js';
import { anySession, cookieAge, isSame, Sessions } from './sessions.js';

/** Who looks at the page. */
export interface Visitor {
  readonly caller: Caller;
  readonly csrf: string;
  /** Null: nobody is asked for a token. */
  readonly session: string | null;
  /** When the token ends, ISO 8601; null: it does not. */
  readonly expiresAt: string | null;
}

declare module 'fastify' {
  interface FastifyContextConfig {
    /** A page for whoever has not logged in. */
    readonly guest?: true;
    /** What a visitor of the page needs to be. */
    readonly visitor?: Role;
  }
  interface FastifyRequest {
    visitor: Visitor | null;
  }
}

/** Browsers keep a `__Host-` cookie from being set by a neighbour, and send it over TLS alone. */
const cookieName = (secure: boolean): string => `${secure ? '__Host-' : ''}backup-automation`;

function cookieOf({ headers, protocol }: FastifyRequest): string | null {
  const name = `${cookieName(protocol === 'https')}=`;
  const found = (headers.cookie ?? '').split(/; */).find((one) => one.startsWith(name));
  return found?.slice(name.length) ?? null;
}

function setCookie(request: FastifyRequest, reply: FastifyReply, id: string, age: number): void {
  const secure = request.protocol === 'https';
  const attributes = ['Path=/', 'HttpOnly', 'SameSite=Strict', `Max-Age=${age}`, ...(secure ? ['Secure'] : [])];
  reply.header('set-cookie', [`${cookieName(secure)}=${id}`, ...attributes].join('; '));
}

const forms = z.object({ csrf: z.string().max(100) });

/** Text of a form; the last of a name that is there twice. */
const readForm = (body: string): Readonly<Record<string, string>> => Object.fromEntries(new URLSearchParams(body));

export interface Door {
  /** Whether a visitor whom the door let in may still look. */
  isIn(visitor: Visitor): boolean;
  /** Throws 401, and 429 after too many guesses. */
  enter(request: FastifyRequest, reply: FastifyReply, token: string): Promise<void>;
  leave(request: FastifyRequest, reply: FastifyReply): Promise<void>;
}

/** For the page's own routes alone: `app` is a part of the server. */
export function addDoor(app: FastifyInstance, tools: Tools, access: Access): Door {
  const sessions = new Sessions();
  const open = anySession();
  const now = () => tools.clock.now().getTime();
  const audit = (by: string, address: string, action: string, ok: boolean) =>
    tools.access.ledger
      .appendFact({ record: 'audit', by, address, action, target: 'page', ok })
      .catch((error: unknown) => tools.log('error', `the ${action} of ${by} cannot be recorded: ${String(error)}`));
  const visitor = (request: FastifyRequest): Visitor | null => {
    const anybody = access.anybody(request.ip);
    if (anybody) return { caller: anybody, csrf: open.csrf, session: null, expiresAt: null };
    const id = cookieOf(request);
    const session = id === null ? null : sessions.find(id, now());
    const known = session && access.known(session.token, request.ip);
    if (id === null || !session) return null;
    if (known) return { caller: known.caller, csrf: session.csrf, session: id, expiresAt: known.expiresAt };
    sessions.close(id);
    return null;
  };
  app.addContentTypeParser('application/x-www-form-urlencoded', { parseAs: 'string', bodyLimit: 16_384 }, (_request, body, done) =>
    done(null, readForm(String(body))),
  );
  app.decorateRequest('visitor', null);
  app.addHook('onRequest', async (request, reply) => {
    // with `no-referrer` browsers would call a form's origin null
    reply.header('referrer-policy', 'same-origin');
    const { guest, visitor: role = 'read' } = request.routeOptions.config;
    request.visitor = visitor(request);
    if (guest) return;
    // a program that looks what is here is shown what is for programs
    if (!request.visitor && request.url === '/' && !isForPerson(request)) return reply.redirect('/docs');
    if (!request.visitor) throw new Refusal(401);
    requireRole(tools, request, request.visitor.caller, role);
    const { session, expiresAt } = request.visitor;
    if (session !== null && request.method === 'GET') setCookie(request, reply, session, cookieAge(expiresAt, now()));
  });
  app.addHook('preValidation', async (request) => {
    if (request.method !== 'POST') return;
    if (!isOwn(request)) throw new Refusal(403, { detail: 'this was not sent by a page of this server' });
    if (request.routeOptions.config.guest) return;
    const given = forms.safeParse(request.body);
    if (!given.success || !request.visitor || !isSame(given.data.csrf, request.visitor.csrf))
      throw new Refusal(403, { detail: 'the form is not of this session; load the page anew' });
  });
  return {
    isIn: ({ session, caller }) =>
      session === null || (caller.token !== null && access.known(caller.token, caller.address) !== null && sessions.isOpen(session, now())),
    async enter(request, reply, token) {
      const caller = await access.admit(request, reply, token.trim()).catch(async (error: unknown) => {
        if (error instanceof Refusal && error.problem.status === 401) await audit('anybody', request.ip, 'login', false);
        throw error;
      });
      const before = cookieOf(request);
      if (before !== null) sessions.close(before);
      if (caller.token === null) return;
      const { id } = sessions.open(caller.token, now());
      setCookie(request, reply, id, cookieAge(access.known(caller.token, request.ip)?.expiresAt ?? null, now()));
      await audit(caller.by, request.ip, 'login', true);
    },
    async leave(request, reply) {
      const { visitor: who } = request;
      if (!who?.session) return;
      sessions.close(who.session);
      setCookie(request, reply, '', 0);
      await audit(who.caller.by, request.ip, 'logout', true);
    },
  };
}
