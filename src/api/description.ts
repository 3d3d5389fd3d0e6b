/**
 * api: the routes as an OpenAPI document and as a page for people, both made from the routes themselves. It serves nothing else.
 */
import type { FastifyInstance } from 'fastify';
import * as z from 'zod';
import { problemSchema } from './problem.js';
import { base, type AnyRoute } from './route.js';

type Tree = Record<string, unknown>;

const refs = '#/components/schemas/';

/** Shared schemas are written once, beside the paths. */
const made = (schema: z.ZodType, io: 'input' | 'output', shared: Tree): Tree => {
  const text = JSON.stringify(z.toJSONSchema(schema, { io, unrepresentable: 'any' })).replaceAll('#/$defs/', refs);
  const { $schema: _schema, $defs, ...rest } = JSON.parse(text) as Tree;
  Object.assign(shared, $defs);
  return rest;
};

/** One entry a member of an object schema. */
function parameters(schema: z.ZodType | undefined, place: 'path' | 'query', shared: Tree): Tree[] {
  if (!schema) return [];
  const { properties = {}, required = [] } = made(schema, 'input', shared) as { properties?: Record<string, Tree>; required?: string[] };
  return Object.entries(properties).map(([name, { description, ...inner }]) => ({
    name,
    in: place,
    required: place === 'path' || required.includes(name),
    ...(description !== undefined && { description }),
    schema: inner,
  }));
}

const problem = (description: string) => ({
  description,
  content: { 'application/problem+json': { schema: { $ref: `${refs}Problem` } } },
});

function operation(one: AnyRoute, shared: Tree): Tree {
  const { method, path, role, summary, params, query, body, answer, status = 200, stream } = one;
  const kind = stream ? 'text/event-stream' : 'application/json';
  const problems = Object.fromEntries([400, 401, 403, 429, ...(one.problems ?? [])].map((code) => [code, problem(String(code))]));
  return {
    operationId: `${method.toLowerCase()}${path.replaceAll(/[/{}]+(\w?)/g, (_, letter: string) => letter.toUpperCase())}`,
    summary,
    description: `Takes a token of role ${role}.`,
    parameters: [
      ...parameters(params, 'path', shared),
      ...parameters(query, 'query', shared),
      ...(path === '/execute'
        ? [{ name: 'Idempotency-Key', in: 'header', required: false, schema: { type: 'string', maxLength: 255 } }]
        : []),
    ],
    ...(body && { requestBody: { required: false, content: { 'application/json': { schema: made(body, 'input', shared) } } } }),
    responses: { [status]: { description: 'good', content: { [kind]: { schema: made(answer, 'output', shared) } } }, ...problems },
  };
}

/** OpenAPI 3.1. */
function describeRoutes(routes: readonly AnyRoute[]): Tree {
  const schemas: Tree = {};
  schemas['Problem'] = made(problemSchema, 'output', schemas);
  const paths: Record<string, Tree> = {};
  for (const one of routes) {
    const path = (paths[`${base}${one.path}`] ??= {});
    path[one.method.toLowerCase()] = operation(one, schemas);
  }
  return {
    openapi: '3.1.0',
    info: { title: 'backup-automation', version: '1', description: 'Automates PostgreSQL backups and proves that each one restores.' },
    servers: [{ url: '/' }],
    security: [{ token: [] }],
    paths,
    components: { securitySchemes: { token: { type: 'http', scheme: 'bearer' } }, schemas },
  };
}

const escaped = (text: string): string =>
  text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;').replaceAll('"', '&quot;');

const word = (value: unknown): string => escaped(typeof value === 'string' ? value : '');

const fieldsOf = (schema: z.ZodType | undefined): string => {
  if (!schema) return '';
  const { properties = {} } = made(schema, 'input', {}) as { properties?: Record<string, Tree> };
  const cells = ([name, { description, type, enum: values }]: [string, Tree]) => [
    `<code>${escaped(name)}</code>`,
    Array.isArray(values) ? escaped(values.join(', ')) : word(type),
    word(description),
  ];
  const rows = Object.entries(properties).map((entry) => `<tr>${cells(entry).map((cell) => `<td>${cell}</td>`).join('')}</tr>`); // prettier-ignore
  return rows.length > 0 ? `<table>${rows.join('')}</table>` : '';
};

const section = ({ method, path, role, summary, params, query, body }: AnyRoute): string =>
  `<section><h2><code>${method} ${escaped(base + path)}</code></h2><p>${escaped(summary)}</p><p>Role: ${role}</p>${fieldsOf(params)}${fieldsOf(query)}${fieldsOf(body)}</section>`;

const page = (routes: readonly AnyRoute[]): string => `<!doctype html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width"><title>backup-automation: API</title></head>
<body><main><h1>The REST API of backup-automation</h1>
<p>Every request carries <code>Authorization: Bearer TOKEN</code>; <code>backup-automation token create</code> makes one. The same for programs:
<a href="/openapi.json">/openapi.json</a>.</p>
${routes.map(section).join('\n')}
</main></body></html>
`;

/** `/openapi.json`, `/docs` and `/healthz`: without a token, since they tell nothing of this project. */
export function addDescription(app: FastifyInstance, routes: readonly AnyRoute[]): void {
  const open = { config: { open: true } } as const;
  const document = JSON.stringify(describeRoutes(routes));
  const text = page(routes);
  app.get('/openapi.json', open, (_request, reply) => reply.type('application/json; charset=utf-8').send(document));
  app.get('/docs', open, (_request, reply) => reply.type('text/html; charset=utf-8').send(text));
  app.get('/healthz', open, (_request, reply) => reply.send({ status: 'ok' }));
}
