/**
 * api: whether a request was meant for this server: the name it was addressed by, and the page that sent it. A page elsewhere that
 * lets its name point here (DNS rebinding) names itself in both.
 */
import type { FastifyRequest } from 'fastify';
import type { ApiSettings } from '../../model/settings/api.js';

const loopback = ['localhost', '127.0.0.1', '[::1]'];
const written = /^(\[[0-9a-f:.]+\]|[\w.-]+)(?::\d{1,5})?$/i;

/** Without the port, in small letters; null for what is no host. */
const nameOf = (host: string): string | null => written.exec(host)?.[1]?.toLowerCase() ?? null;

const addressOf = ({ socket }: FastifyRequest): string => {
  const address = (socket.localAddress ?? '').replace(/^::ffff:/, '');
  return address.includes(':') ? `[${address}]` : address;
};

/** Whether the server goes by this name. */
export function isOurs(settings: Pick<ApiSettings, 'host' | 'allowedHosts'>, request: FastifyRequest, host: string): boolean {
  const name = nameOf(host);
  const names = [...loopback, settings.host, ...settings.allowedHosts, addressOf(request)];
  return name !== null && names.some((one) => one.toLowerCase() === name);
}

/** Whether a page that is not ours asks for a change. A program sends no Origin. */
export function isForeign(settings: Pick<ApiSettings, 'host' | 'allowedHosts' | 'cors'>, request: FastifyRequest): boolean {
  const { origin } = request.headers;
  if (origin === undefined || settings.cors.includes(origin)) return false;
  const host = /^https?:\/\/(.+)$/.exec(origin)?.[1];
  return host === undefined || !isOurs(settings, request, host);
}

/** Whether a browser says that a page of this very server, port and all, asks; a proxy need not tell by which protocol. */
export function isOwn({ headers, host }: FastifyRequest): boolean {
  const site = headers['sec-fetch-site'];
  if (site !== undefined && site !== 'same-origin') return false;
  const from = headers.origin?.replace(/^https?:\/\//, '').toLowerCase();
  return from === undefined ? site !== undefined : from === host.toLowerCase();
}

/** Whether a person's browser asks, and not for what is a program's. */
export const isForPerson = ({ headers, url }: Pick<FastifyRequest, 'headers' | 'url'>): boolean =>
  /\btext\/html\b/.test(headers.accept ?? '') && !/^\/(api|metrics|healthz|openapi\.json)\b/.test(url);
