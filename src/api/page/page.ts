/**
 * api: the page for people: the login, what is shown and what can be done there. It does nothing that the API would not do for the
 * same token, and answers whoever asks for HTML in HTML.
 */
import { Readable } from 'node:stream';
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import * as z from 'zod';
import { levels } from '../../model/backup/level.js';
import { findBackup } from '../../core/catalog/catalog.js';
import type { Role } from '../../model/access/token.js';
import { zoneOf } from '../../model/moment/slots.js';
import type { Access } from '../door/access.js';
import type { Standing } from '../standing.js';
import { problemOf, Refusal } from '../problem.js';
import { prove, start } from '../routes/execute.js';
import { idSchema, nameSchema } from '../schemas.js';
import type { Tools } from '../tools.js';
import { addAssets } from './assets.js';
import { addDoor, type Door, type Visitor } from './door.js';
import { live } from './live.js';
import { openShelf, pages, type Shelf } from './pages.js';
import { frame, type Page } from './views/frame.js';
import { loginPage, problemPage } from './views/login.js';
import type { Here } from './views/parts.js';

const pathOf = ({ url }: FastifyRequest): string => url.split('?', 1)[0] ?? '/';

const send = (reply: FastifyReply, page: Page, status: number, given: { request: FastifyRequest; here: Here | null }): FastifyReply => {
  const { request, here } = given;
  const text = frame(page, pathOf(request), request.visitor ?? null, here);
  return reply.code(status).type('text/html; charset=utf-8').send(String(text));
};

/** Anything thrown, for a person. */
export function sendProblemPage(request: FastifyRequest, reply: FastifyReply, error: unknown): FastifyReply {
  // what is not there takes no token
  const problem = problemOf(request.is404 ? new Refusal(404) : error);
  if (problem.status === 401 && request.method === 'GET') {
    // a link from elsewhere, e.g. in a mail: browsers send the cookie only when a page of ours asks
    if (/^(cross|same)-site$/.test(String(request.headers['sec-fetch-site'])))
      return send(reply, { ...problemPage(problem), again: true }, 401, { request, here: null });
    const back = encodeURIComponent(request.url);
    return reply.redirect(back === '%2F' ? '/login' : `/login?back=${back}`, 303);
  }
  return send(reply, problemPage(problem), problem.status, { request, here: null });
}

/** A path of the page and of nothing else. */
const ownPath = z
  .string()
  .max(500)
  .regex(/^\/(?![/\\])[\w\-./?=&%:+ ]*$/)
  .catch('/');

const loginForm = z.object({ token: z.string().max(500), back: ownPath });
const loginQuery = z.object({ back: ownPath.optional() });
const empty = z.literal('').transform(() => undefined);
const startForm = z.object({
  database: empty.or(nameSchema).optional(),
  schedule: empty.or(nameSchema).optional(),
  type: empty.or(z.literal('emergency')).optional(),
  key: z.string().min(8).max(100),
});
const verifyForm = z.object({ level: z.enum(levels) });
const onBackup = z.object({ backupId: idSchema });

const known = ({ visitor }: FastifyRequest): Visitor => {
  if (!visitor) throw new Refusal(401);
  return visitor;
};

const guest = { config: { open: true, guest: true } } as const;
const forRole = (visitor: Role) => ({ config: { open: true, visitor } }) as const;

function addLogin(app: FastifyInstance, door: Door): void {
  app.get('/login', guest, async (request, reply) => {
    const { back = '/' } = loginQuery.parse(request.query);
    return request.visitor ? reply.redirect(back, 303) : send(reply, loginPage(back, false), 200, { request, here: null });
  });
  app.post('/login', guest, async (request, reply) => {
    const { token, back } = loginForm.parse(request.body);
    try {
      await door.enter(request, reply, token);
      return reply.redirect(back, 303);
    } catch (error) {
      if (!(error instanceof Refusal) || error.problem.status !== 401) throw error;
      return send(reply, loginPage(back, true), 401, { request, here: null });
    }
  });
  app.post('/logout', forRole('read'), async (request, reply) => {
    await door.leave(request, reply);
    return reply.redirect('/login', 303);
  });
}

/** What can be done: a backup, a proof. */
function addDeeds(app: FastifyInstance, tools: Tools, { forget, proofs }: Shelf): void {
  app.post('/start', forRole('operate'), async (request, reply) => {
    const { database, schedule: scheduleId, type, key } = startForm.parse(request.body);
    const wish = { ...(database && { database }), ...(scheduleId && { scheduleId }), ...(type && { type }) };
    const [event, second] = await start(tools, known(request).caller, wish, key);
    forget();
    return reply.redirect(event && !second ? `/events/${event.id}` : '/', 303);
  });
  app.post('/backups/:backupId/verify', forRole('operate'), async (request, reply) => {
    const [{ level }, { caller }] = [verifyForm.parse(request.body), known(request)];
    const { context } = await tools.look();
    const { backupId } = await findBackup(context, onBackup.parse(request.params).backupId);
    if (!proofs.isOn(backupId))
      void proofs.run(backupId, { level, since: tools.clock.now() }, async () => {
        const { failure } = await prove(tools, caller, { id: backupId, level });
        forget();
        // what speaks against the backup stands in the ledger; what could not be tried does not
        if (failure) throw failure;
      });
    return reply.redirect(`/backups/${backupId}`, 303);
  });
}

/** Adds `/` and what lies behind it. */
export async function addPage(app: FastifyInstance, tools: Tools, access: Access, standing: () => Promise<Standing>): Promise<void> {
  const here = async (): Promise<Here> => {
    const { settings } = await tools.plans();
    return { now: tools.clock.now(), zone: zoneOf({}, settings) };
  };
  await app.register(async (part) => {
    const door = addDoor(part, tools, access);
    const shelf = openShelf(tools, standing);
    addAssets(part);
    addLogin(part, door);
    addDeeds(part, tools, shelf);
    for (const [path, show] of Object.entries(pages(tools, shelf)))
      part.get(path, forRole(path === '/start' ? 'operate' : 'read'), async (request, reply) => {
        const at = await here();
        const page = await show({ params: request.params, query: request.query, visitor: known(request), here: at });
        return send(reply, page, 200, { request, here: at });
      });
    part.get('/live', forRole('read'), async (request, reply) => {
      const [sight, { zone }, visitor] = [await tools.sight(), await here(), known(request)];
      const gone = new AbortController();
      request.raw.once('close', () => gone.abort());
      const events = live({
        sight,
        feed: tools.feed,
        signal: AbortSignal.any([gone.signal, tools.stopping]),
        here: () => ({ now: tools.clock.now(), zone }),
        isIn: () => door.isIn(visitor),
      });
      return reply.type('text/event-stream').send(Readable.from(events, { objectMode: false }));
    });
  });
}
