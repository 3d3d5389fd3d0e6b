/**
 * api: the events: the listing, one of them, following one, clearing, and who did what.
 */
import { Readable } from 'node:stream';
import * as z from 'zod';
import { listAudit } from '../../core/history/audit.js';
import { clearEvents, listEvents, seenEvent, showEvent } from '../../core/history/events.js';
import type { OpenSight } from '../../wire/sight.js';
import { eventStatuses, eventTypes, isTerminal } from '../../model/events/event.js';
import { parseSince } from '../../model/moment/typed.js';
import type { Feed } from '../feed.js';
import { route } from '../route.js';
import { auditSchema, eventSchema, idSchema, nameSchema, recordSchema } from '../schemas.js';

/** More than `most` is as much as that. */
const most = 500;
const limit = z.coerce
  .number()
  .int()
  .min(1)
  .default(20)
  .transform((count) => Math.min(count, most))
  .describe(`at most ${most}`);
const cursor = z.string().regex(/^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/, 'expected the `next` of a page');
const since = z.string().max(40).optional().describe('30m, 12h, 7d, 2w, or a date');

/** Between two looks, and between two signs of life on a line that is silent, ms. */
const pause = 300;
const silence = 15_000;

const message = (event: string, data: unknown): string => `event: ${event}\ndata: ${JSON.stringify(data)}\n\n`;

interface Following {
  /** Aborts when the server is asked to stop. */
  readonly stopping: AbortSignal;
  readonly sight: OpenSight;
  readonly feed: Feed;
  readonly id: string;
  readonly signal: AbortSignal;
}

/** Every new state of an event, and how far its backup is where it runs here, until it ends. */
async function* follow({ sight, feed, id, signal, stopping }: Following): AsyncGenerator<string> {
  let [state, doing, spoken] = ['', '', sight.clock.monotonic()];
  while (!signal.aborted) {
    const event = await seenEvent(sight, id);
    if (!event) return;
    const now = message('state', event);
    const step = feed.doing(event.database);
    const progress = event.status === 'running' && step ? message('progress', step) : doing;
    const said = [...(now === state ? [] : [now]), ...(progress === doing ? [] : [progress])];
    [state, doing] = [now, progress];
    if (said.length === 0 && sight.clock.monotonic() - spoken > silence) said.push(': still here\n\n');
    if (said.length > 0) spoken = sight.clock.monotonic();
    yield* said;
    if (isTerminal(event.status)) return;
    await sight.clock.sleep(pause, signal).catch(() => {});
  }
  if (stopping.aborted) yield message('stopping', { message: 'the server stops; what runs may still end well: ask again later' });
}

const params = z.strictObject({ eventId: idSchema });

export const eventRoutes = [
  route({
    method: 'GET',
    path: '/events',
    role: 'read',
    summary: 'What happened, newest first.',
    query: z.strictObject({
      limit,
      cursor: cursor.optional().describe('`next` of the page before'),
      status: z.enum(eventStatuses).optional(),
      type: z.enum(eventTypes).optional(),
      schedule: nameSchema.optional(),
      since,
    }),
    answer: z.looseObject({ events: z.array(eventSchema), next: z.string().nullable() }),
    async run({ query }, tools) {
      const { sight, reader } = await tools.kept();
      const { since: typed, ...rest } = query;
      return listEvents(sight, { ...rest, ...(typed !== undefined && { since: parseSince(typed, sight.clock.now()) }) }, reader);
    },
  }),
  route({
    method: 'GET',
    path: '/events/{eventId}',
    role: 'read',
    summary: 'One event, by its id or the beginning of it, with its lines in the ledger.',
    params,
    answer: z.looseObject({ event: eventSchema, records: z.array(recordSchema) }),
    async run({ params: { eventId } }, tools) {
      return showEvent(await tools.sight(), eventId);
    },
  }),
  route({
    method: 'GET',
    path: '/events/{eventId}/stream',
    role: 'read',
    summary:
      'Server-sent events: `state` with every new state of an event, `progress` while it runs in this server; ends with it, or with `stopping`.',
    params,
    answer: eventSchema,
    stream: true,
    async run({ params: { eventId }, gone }, tools) {
      const sight = await tools.sight();
      const { event } = await showEvent(sight, eventId);
      const { stopping, feed } = tools;
      const signal = AbortSignal.any([gone(), stopping]);
      return Readable.from(follow({ sight, feed, id: event.id, signal, stopping }), { objectMode: false });
    },
  }),
  route({
    method: 'DELETE',
    path: '/events',
    role: 'admin',
    summary: 'Begins anew: listings and statistics do not look behind it. Nothing is removed.',
    answer: z.looseObject({ cleared: z.int(), segments: z.array(z.string()) }),
    async run({ caller: { by, address } }, tools) {
      const { sight, reader } = await tools.kept();
      return clearEvents(sight, { by, address }, reader);
    },
  }),
  route({
    method: 'GET',
    path: '/audit',
    role: 'admin',
    summary: 'Who did what, from where, newest first.',
    query: z.strictObject({ limit }),
    answer: z.looseObject({ audit: z.array(auditSchema) }),
    async run({ query }, tools) {
      const { sight, reader } = await tools.kept();
      return { audit: await listAudit(sight, query.limit, reader) };
    },
  }),
];
