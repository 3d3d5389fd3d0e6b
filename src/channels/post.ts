/**
 * channels: how members speak to a host by HTTP: what may be sent where, and what an answer means. Never a channel itself.
 */
import { registerSecret } from '../model/redact.js';
import type { HttpAnswer } from '../system/http.js';
import { alertFailure, explain, valueOf, type ChannelTools, type Sender } from './tools.js';

export interface Post {
  /** A URL, or a reference to one. */
  readonly url: string;
  /** Behind the URL's path; may have a query. */
  readonly path?: string;
  readonly headers?: Readonly<Record<string, string>>;
  /** An object is sent as JSON. */
  readonly body: object | string;
  readonly insecure?: boolean;
  readonly ca?: string | undefined;
}

const loopback = /^(localhost|127(\.\d+){3}|\[::1\])$/;

/** The path of a hook's URL is its password: hidden by itself too, for servers say it in their errors. Ordinary words are not. */
function hidePath({ pathname, search }: URL): void {
  const parts = [pathname + search, pathname, search, ...pathname.split('/'), ...search.split(/[?&=]/)];
  for (const part of parts) if (part.length >= 16 && /\d/.test(part)) registerSecret(part);
}

async function urlOf(post: Post, sender: Sender, tools: ChannelTools): Promise<URL> {
  const text = await valueOf(post.url, sender, tools);
  const permanent = (what: string, hint: string) => alertFailure(sender, what, { class: 'permanent', hint });
  const right = 'write https://..., or a reference to it';
  if (!URL.canParse(text)) throw permanent('its url is no URL', right);
  const url = new URL(text);
  if (text !== post.url) hidePath(url);
  if (url.protocol !== 'https:' && url.protocol !== 'http:') throw permanent(`its url is one of ${url.protocol}`, right);
  if (url.protocol === 'http:' && !post.insecure && !loopback.test(url.hostname))
    throw permanent(`its url would be sent over the network in clear text, to ${url.host}`, 'use https://');
  const [path = '', query] = (post.path ?? '').split('?');
  if (path) url.pathname = url.pathname.replace(/\/$/, '') + path;
  if (query) url.search = url.search ? `${url.search}&${query}` : query;
  return url;
}

const longestWait = 86_400_000;

/** When to repeat, ms from now: `Retry-After` as seconds or a date (RFC 9110 10.2.3), else `retry_after` in a body of JSON, seconds. */
function retryAfterOf({ headers, body }: HttpAnswer, now: Date): number | null {
  const said = headers['retry-after'] ?? /"retry_after"\s*:\s*([\d.]+)/.exec(body)?.[1];
  if (said === undefined) return null;
  const wait = /^[\d.]+$/.test(said) ? Number(said) * 1000 : Date.parse(said) - now.getTime();
  return wait >= 0 ? Math.min(Math.ceil(wait), longestWait) : null;
}

/** The sender's error for an answer that is no success: a refusal that would be the same again is permanent. */
function refusal(answer: HttpAnswer, host: string, sender: Sender, now: Date): Error {
  const { status, headers, body } = answer;
  if (status >= 300 && status < 400) {
    const { location = '' } = headers;
    const target = URL.canParse(location, `https://${host}`) ? new URL(location, `https://${host}`).host : 'nowhere';
    return alertFailure(sender, `${host} answered ${status}, a redirect to ${target}, which is not followed`, {
      class: status === 301 || status === 308 ? 'permanent' : 'transient',
      hint: 'give the url that it leads to, if you trust it',
    });
  }
  const passing = status >= 500 || [408, 425, 429].includes(status);
  const retryAfter = passing ? retryAfterOf(answer, now) : null;
  return alertFailure(sender, `${host} answered ${status}${body.trim() ? `: ${body.trim().slice(0, 2000)}` : ''}`, {
    class: passing ? 'transient' : 'permanent',
    ...(retryAfter === null ? {} : { retryAfter }),
  });
}

/** Resolves to the answer when it is 2xx; throws `alert` else, and for no answer in time. */
export async function post(request: Post, sender: Sender, tools: ChannelTools, signal: AbortSignal): Promise<HttpAnswer> {
  const url = await urlOf(request, sender, tools);
  const asJson = typeof request.body === 'object';
  const headers = { 'Content-Type': asJson ? 'application/json' : 'text/plain; charset=utf-8', ...request.headers };
  const body = typeof request.body === 'object' ? JSON.stringify(request.body) : request.body;
  try {
    const hand = await import('../system/http.js');
    const answer = await hand.post({ url, headers, body, ca: request.ca, timeoutMs: tools.patience }, signal);
    if (answer.status >= 200 && answer.status < 300) return answer;
    throw refusal(answer, url.host, sender, tools.now());
  } catch (error) {
    throw explain(error, sender, signal);
  }
}
