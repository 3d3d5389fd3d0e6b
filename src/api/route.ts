/**
 * api: what a route is: one schema for what it takes and what it answers, from which the check, the types and the description come.
 */
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import * as z from 'zod';
import type { Role } from '../model/access/token.js';
import { Refusal } from './problem.js';
import type { Caller, Tools } from './tools.js';

/** What a request asks, checked. */
export interface Asked<Params, Query, Body> {
  readonly params: Params;
  readonly query: Query;
  readonly body: Body;
  readonly caller: Caller;
  /** Null: the client does not ask to be protected against doing it twice. */
  readonly idempotencyKey: string | null;
  /** Aborts when the client has gone. */
  readonly gone: () => AbortSignal;
  /** Sets a header of the answer. */
  readonly header: (name: string, value: string) => void;
}

export interface Route<Params extends z.ZodType, Query extends z.ZodType, Body extends z.ZodType> {
  readonly method: 'GET' | 'PUT' | 'POST' | 'DELETE';
  /** Below the base, with OpenAPI's braces: `/events/{eventId}`. */
  readonly path: string;
  readonly role: Role;
  /** A sentence. */
  readonly summary: string;
  readonly params?: Params;
  readonly query?: Query;
  readonly body?: Body;
  /** What it answers; more fields may appear. */
  readonly answer: z.ZodType;
  /** 200 where left out. */
  readonly status?: 202;
  /** It answers a stream of server-sent events, each of them such a document. */
  readonly stream?: true;
  /** Statuses of problems beside those that every route may have. */
  readonly problems?: readonly number[];
  run(asked: Asked<z.output<Params>, z.output<Query>, z.output<Body>>, tools: Tools): Promise<object>;
}

/** A route whose types were forgotten, so that it goes into a list with others. */
export type AnyRoute = Omit<Route<z.ZodType, z.ZodType, z.ZodType>, 'run'> & {
  readonly run: (asked: Asked<never, never, never>, tools: Tools) => Promise<object>;
};

/** Keeps the types of one route together. */
export const route = <Params extends z.ZodType, Query extends z.ZodType, Body extends z.ZodType>(
  one: Route<Params, Query, Body>,
): AnyRoute => one;

/** Where all routes lie. */
export const base = '/api/backup-automation';

declare module 'fastify' {
  interface FastifyContextConfig {
    /** Served without a token: it does its own checks, or has nothing to hide. */
    readonly open?: true;
    readonly role?: Role;
  }
  interface FastifyRequest {
    /** Set for every route that is not `open`. */
    caller: Caller | null;
  }
}

/** The method that a path knows for a description, as fastify writes paths. */
const colons = (path: string): string => path.replaceAll(/\{(\w+)\}/g, ':$1');

const nothing = z.strictObject({});
const checked = (schema: z.ZodType = nothing, value: unknown): unknown => schema.parse(value);

/** A request with no body at all asks for the defaults. */
function askedOf(
  { params, query, body }: AnyRoute,
  request: FastifyRequest,
  reply: FastifyReply,
  caller: Caller,
): Asked<unknown, unknown, unknown> {
  const key = request.headers['idempotency-key'];
  return {
    params: checked(params, request.params),
    query: checked(query, request.query),
    body: checked(body, request.body === undefined ? {} : request.body),
    caller,
    idempotencyKey: typeof key === 'string' && key !== '' ? key.slice(0, 255) : null,
    gone() {
      const gone = new AbortController();
      request.raw.once('close', () => gone.abort());
      return gone.signal;
    },
    header: (name, value) => void reply.header(name, value),
  };
}

/** Adds the routes. What no schema names is refused. */
export function addRoutes(app: FastifyInstance, routes: readonly AnyRoute[], tools: Tools): void {
  for (const one of routes)
    app.route({
      method: one.method,
      url: `${base}${colons(one.path)}`,
      config: { role: one.role },
      async handler(request, reply) {
        const { caller } = request;
        if (!caller) throw new Error('a route was reached without a caller');
        // checked by the very schemas that the type was made from
        const asked = askedOf(one, request, reply, caller) as Asked<never, never, never>;
        const document = await one.run(asked, tools);
        if (one.stream) reply.type('text/event-stream');
        return reply.code(one.status ?? 200).send(document);
      },
    });
  for (const [path, methods] of methodsByPath(routes))
    app.route({
      method: others.filter((method) => !methods.includes(method)),
      url: path,
      handler: (_request, reply) => {
        reply.header('allow', methods.join(', '));
        throw new Refusal(405);
      },
    });
}

/** What may be asked of a path that does not do it. */
const others = ['GET', 'HEAD', 'PUT', 'POST', 'DELETE', 'PATCH', 'OPTIONS', 'TRACE'];

function methodsByPath(routes: readonly AnyRoute[]): Map<string, string[]> {
  const found = new Map<string, string[]>();
  for (const { method, path } of routes) {
    const url = `${base}${colons(path)}`;
    found.set(url, [...(found.get(url) ?? []), method, ...(method === 'GET' ? ['HEAD'] : [])]);
  }
  return found;
}
