/**
 * api: the server: its limits, its doors, and what it says when something goes wrong. It knows no person and no terminal.
 */
import type { Socket } from 'node:net';
import type { Server as SecureServer } from 'node:tls';
import cors from '@fastify/cors';
import helmet from '@fastify/helmet';
import fastify, { type FastifyInstance, type FastifyReply } from 'fastify';
import { JsonError, readJson } from '../config/json.js';
import type { Certificate } from '../wire/access.js';
import { addAccess } from './door/access.js';
import { boundConnections } from './door/connections.js';
import { addDescription } from './description.js';
import { addMetrics } from './metrics.js';
import { isForPerson } from './door/hosts.js';
import { addPage, sendProblemPage } from './page/page.js';
import { problemOf, problemType, Refusal } from './problem.js';
import { addRoutes } from './route.js';
import { routes } from './routes/index.js';
import { openStanding } from './standing.js';
import type { Tools } from './tools.js';

/** Bytes of a body, and of the first line with all headers. */
const bodyLimit = 1_048_576;
const headLimit = 16_384;
/** ms */
const headTime = 10_000;
const requestTime = 30_000;
const idleTime = 20_000;

/** Older TLS is not spoken. */
const minVersion = 'TLSv1.2';
const isSecure = (server: object): server is SecureServer => 'setSecureContext' in server;

/** Nothing from elsewhere, nothing in the document itself, in nobody's frame. */
const policy = {
  defaultSrc: ["'none'"],
  scriptSrc: ["'self'"],
  styleSrc: ["'self'"],
  imgSrc: ["'self'"],
  connectSrc: ["'self'"],
  formAction: ["'self'"],
  baseUri: ["'none'"],
  frameAncestors: ["'none'"],
};

const statusOfClientError: Readonly<Record<string, readonly [status: number, text: string]>> = {
  HPE_HEADER_OVERFLOW: [431, 'Request Header Fields Too Large'],
  ERR_HTTP_REQUEST_TIMEOUT: [408, 'Request Timeout'],
};

/** What is no HTTP, too long or too slow never becomes a request. */
function refuseClient(error: Error & { readonly code?: string }, socket: Socket): void {
  const [status, text] = statusOfClientError[error.code ?? ''] ?? [400, 'Bad Request'];
  if (!socket.writable) return void socket.destroy();
  const body = JSON.stringify(new Refusal(status).problem);
  const head = `HTTP/1.1 ${status} ${text}\r\nContent-Type: ${problemType}\r\nContent-Length: ${Buffer.byteLength(body)}\r\nConnection: close`;
  socket.end(`${head}\r\n\r\n${body}`, () => socket.destroy());
}

function create({ settings }: Tools, certificate: Certificate | null): FastifyInstance {
  const limits = { headersTimeout: headTime, requestTimeout: requestTime, connectionsCheckingInterval: 1000, maxHeaderSize: headLimit };
  const options = {
    trustProxy: settings.trustedProxy.length > 0 ? settings.trustedProxy : false,
    bodyLimit,
    requestTimeout: requestTime,
    keepAliveTimeout: idleTime,
    clientErrorHandler: refuseClient,
    forceCloseConnections: 'idle' as const,
    frameworkErrors: (error: Error, _request: unknown, reply: FastifyReply) => void sendProblem(reply, error),
  };
  // one type for both: what differs is Node's
  return (
    certificate ? fastify({ ...options, https: { ...limits, ...certificate, minVersion } }) : fastify({ ...options, http: limits })
  ) as FastifyInstance;
}

function sendProblem(reply: FastifyReply, error: unknown): FastifyReply {
  const problem = problemOf(error);
  // what is left of the request is not read
  if ([401, 408, 413, 431].includes(problem.status)) reply.header('connection', 'close');
  return reply.code(problem.status).type(problemType).send(problem);
}

function addProblems(app: FastifyInstance, { log }: Tools): void {
  app.setErrorHandler((error, request, reply) => {
    const { status } = problemOf(error);
    if (status >= 500) log('error', `${request.method} ${request.routeOptions.url ?? '?'}: ${String(error)}`, { address: request.ip });
    return isForPerson(request) ? sendProblemPage(request, reply, error) : sendProblem(reply, error);
  });
  app.setNotFoundHandler((request, reply) => {
    const refusal = new Refusal(app.supportedMethods.includes(request.method) ? 404 : 405, {
      hint: '/docs of this server has every request',
    });
    return isForPerson(request) ? sendProblemPage(request, reply, refusal) : sendProblem(reply, refusal);
  });
}

/** JSON alone, read strictly: no key twice, nothing nested without end, no prototype. */
function addBodies(app: FastifyInstance): void {
  app.removeAllContentTypeParsers();
  app.addContentTypeParser('application/json', { parseAs: 'string' }, (_request, body, done) => {
    try {
      const text = String(body).trim();
      done(null, text === '' ? undefined : readJson(text).value);
    } catch (error) {
      const detail = error instanceof JsonError ? `line ${error.line}, column ${error.column}: no JSON as it is taken here` : 'no JSON';
      done(new Refusal(400, { detail }));
    }
  });
}

export interface Server {
  /** As others write it: `http://127.0.0.1:8484`. */
  readonly url: string;
  /** For the connections that come from now on. Throws when it is no use; the one before is kept. */
  renew(certificate: Certificate): void;
  /** Takes no more requests; resolves when those that are under way are answered. */
  close(): Promise<void>;
}

export interface ServerOptions {
  readonly insecure: boolean;
  readonly certificate: Certificate | null;
}

/** Listens. Throws the system's error when it cannot. */
export async function openServer(tools: Tools, { insecure, certificate }: ServerOptions): Promise<Server> {
  const { settings } = tools;
  const app = create(tools, certificate);
  boundConnections(app.server);
  addProblems(app, tools);
  addBodies(app);
  await app.register(helmet, { hsts: certificate !== null, contentSecurityPolicy: { useDefaults: false, directives: policy } });
  app.addHook('onRequest', async (_request, reply) => void reply.header('cache-control', 'no-store'));
  if (settings.cors.length > 0) await app.register(cors, { origin: [...settings.cors], methods: ['GET', 'PUT', 'POST', 'DELETE'] });
  const access = await addAccess(app, tools, { insecure });
  const standing = openStanding(tools);
  addRoutes(app, routes, tools);
  addDescription(app, routes);
  addMetrics(app, standing);
  await addPage(app, tools, access, standing);
  await app.listen({ host: settings.host, port: settings.port });
  const address = app.server.address();
  const port = typeof address === 'object' && address !== null ? address.port : settings.port;
  const host = settings.host.includes(':') ? `[${settings.host}]` : settings.host;
  return {
    url: `${certificate ? 'https' : 'http'}://${host}:${port}`,
    renew({ cert, key }) {
      if (isSecure(app.server)) app.server.setSecureContext({ cert, key, minVersion });
    },
    close: () => app.close(),
  };
}
