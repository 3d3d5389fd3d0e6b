/**
 * api: what a person sees who opens the server in a browser: the way to the documentation.
 */
import type { FastifyInstance } from 'fastify';

/** Adds `/`. */
export function registerPage(app: FastifyInstance): void {
  app.get('/', { config: { open: true } }, (_request, reply) => reply.redirect('/docs'));
}
