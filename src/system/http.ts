/**
 * system: the one hand for HTTP: one request, one answer. It follows no redirect, repeats nothing, and always verifies certificates.
 */
import { readFile } from 'node:fs/promises';
import { request as clear, type IncomingHttpHeaders, type IncomingMessage, type RequestOptions } from 'node:http';
import { request as encrypted } from 'node:https';
import { within } from './deadline.js';

export interface HttpRequest {
  /** http or https. */
  readonly url: URL;
  readonly headers: Readonly<Record<string, string>>;
  /** Sent by POST. */
  readonly body: string;
  /** A file of certificates in PEM, trusted in place of the public authorities. */
  readonly ca?: string | undefined;
  /** For all of it: connecting, sending, the whole answer. */
  readonly timeoutMs: number;
}

export interface HttpAnswer {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  /** At most its first 64 KiB. */
  readonly body: string;
}

const largest = 64 * 1024;

async function read(incoming: IncomingMessage): Promise<HttpAnswer> {
  const pieces: Buffer[] = [];
  let size = 0;
  for await (const piece of incoming) {
    pieces.push(piece as Buffer);
    size += (piece as Buffer).length;
    // leaving the loop ends the connection
    if (size >= largest) break;
  }
  return { status: incoming.statusCode ?? 0, headers: incoming.headers, body: Buffer.concat(pieces).toString('utf8', 0, largest) };
}

/** Posts, on a connection of its own. Any status is an answer; throws an Error when there is none in time, or the signal's reason. */
export async function post(request: HttpRequest, signal: AbortSignal): Promise<HttpAnswer> {
  const { url, body } = request;
  const ca = request.ca === undefined ? {} : { ca: await readFile(request.ca) };
  const headers = { ...request.headers, 'User-Agent': 'backup-automation', 'Content-Length': String(Buffer.byteLength(body)) };
  return within(request.timeoutMs, signal, async (signal) => {
    const options: RequestOptions = { method: 'POST', headers, agent: false, signal, ...ca };
    const incoming = await new Promise<IncomingMessage>((resolve, reject) => {
      const outgoing = (url.protocol === 'https:' ? encrypted : clear)(url, options, resolve);
      outgoing.on('error', reject);
      outgoing.end(body);
    });
    return read(incoming);
  });
}
