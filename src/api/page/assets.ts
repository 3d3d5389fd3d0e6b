/**
 * api: the style, the script and the icon of the page, each under a name that changes with what is in it, so that browsers keep them.
 */
import { createHash } from 'node:crypto';
import type { FastifyInstance } from 'fastify';
import { icon } from './look/icon.js';
import { script } from './look/script.js';
import { style } from './look/style.js';

interface Asset {
  readonly path: string;
  readonly type: string;
  readonly text: string;
  readonly etag: string;
}

function asset(name: string, ending: string, type: string, text: string): Asset {
  const hash = createHash('sha256').update(text).digest('hex').slice(0, 16);
  return { path: `/assets/${name}-${hash}.${ending}`, type: `${type}; charset=utf-8`, text, etag: `"${hash}"` };
}

export const assets = {
  style: asset('page', 'css', 'text/css', style),
  script: asset('page', 'js', 'text/javascript', script),
  icon: asset('icon', 'svg', 'image/svg+xml', icon),
};

export function addAssets(app: FastifyInstance): void {
  for (const { path, type, text, etag } of Object.values(assets))
    app.get(path, { config: { open: true, guest: true } }, (request, reply) => {
      reply.header('cache-control', 'public, max-age=31536000, immutable').header('etag', etag);
      return request.headers['if-none-match'] === etag ? reply.code(304).send() : reply.type(type).send(text);
    });
}
