/**
 * api: what does something that takes its time: a backup, a rehearsal, a proof.
 */
import { createHash } from 'node:crypto';
import * as z from 'zod';
import { findAsked, openAsked, runAsked, type AskedRequest } from '../../core/event/asked.js';
import { verifyDocument, type VerifyRequest } from '../../core/documents/verify.js';
import { rehearse, shortcoming } from '../../core/rehearse.js';
import type { BackupEvent, PassedCondition } from '../../model/events/event.js';
import { levels } from '../../model/backup/level.js';
import { withError } from '../documents.js';
import { Refusal } from '../problem.js';
import { base, route } from '../route.js';
import { errorSchema, eventSchema, idSchema, nameSchema, verifiedSchema } from '../schemas.js';
import type { Caller, Tools } from '../tools.js';

const wish = z
  .strictObject({
    scheduleId: nameSchema.optional(),
    database: nameSchema.optional(),
    type: z.enum(['manual', 'scheduled', 'emergency']).optional().describe('`emergency` passes by window, load and health'),
  })
  .refine(({ type, scheduleId }) => type !== 'scheduled' || scheduleId !== undefined, { message: 'type scheduled needs a scheduleId' });

type Wish = z.infer<typeof wish>;

const passedBy: readonly PassedCondition[] = ['window', 'load', 'health'];

function requestOf({ scheduleId, database, type }: Wish, requestKey: string | null): AskedRequest {
  const own = scheduleId === undefined ? 'manual' : 'scheduled';
  return {
    ...(scheduleId !== undefined && { scheduleId }),
    ...(database !== undefined && { database }),
    ...(requestKey !== null && { requestKey }),
    type: type ?? own,
    trigger: 'api',
    passBy: type === 'emergency' ? passedBy : [],
  };
}

const short = (text: string): string => createHash('sha256').update(text).digest('hex').slice(0, 32);

/** Opens the events, and has them made. */
async function begin(tools: Tools, { by, address }: Caller, request: AskedRequest): Promise<readonly BackupEvent[]> {
  tools.runs.refuseWhenFull();
  const context = await tools.work({ by, address });
  const events = await openAsked(context, request);
  for (const event of events) tools.runs.add(() => runAsked(context, event));
  return events;
}

/** The same request again opens nothing, in this process or after another one died. */
async function beginOnce(tools: Tools, caller: Caller, body: Wish, key: string): Promise<readonly BackupEvent[]> {
  const [own, content] = [short(`${caller.token ?? ''}\n${key}`), short(JSON.stringify([body.scheduleId, body.database, body.type]))];
  const events = await tools.runs.once(own, async () => {
    const known = await findAsked(await tools.sight(), own);
    return known.length > 0 ? known : begin(tools, caller, requestOf(body, `${own}.${content}`));
  });
  if (events.some(({ requestKey }) => requestKey !== `${own}.${content}`))
    throw new Refusal(409, { detail: 'this Idempotency-Key was used for another request' });
  return events;
}

/** As `POST /execute`; with a key the same request is done once. */
export const start = (tools: Tools, caller: Caller, body: Wish, key: string | null): Promise<readonly BackupEvent[]> =>
  key === null ? begin(tools, caller, requestOf(body, null)) : beginOnce(tools, caller, body, key);

/** As `POST /verify`: throws 429 when too many are under way. */
export const prove = (tools: Tools, { by, address }: Caller, request: VerifyRequest) =>
  tools.runs.costly(async () => {
    const told = await verifyDocument(await tools.work({ by, address }), request);
    for (const { database } of told.document.results) tools.feed.forget(database);
    return told;
  });

export const executeRoutes = [
  route({
    method: 'POST',
    path: '/execute',
    role: 'operate',
    summary: 'Backs up now: every database, or those of a schedule. Follow the events that it answers; unmet conditions show in them.',
    body: wish,
    answer: z.looseObject({ events: z.array(eventSchema) }),
    status: 202,
    problems: [404, 409, 503],
    async run({ body, caller, idempotencyKey, header }, tools) {
      const events = await start(tools, caller, body, idempotencyKey);
      const [first] = events;
      if (first) header('location', `${base}/events/${first.id}`);
      return { events };
    },
  }),
  route({
    method: 'POST',
    path: '/test',
    role: 'operate',
    summary: 'The full rehearsal; nothing of it lasts. Answers when it is over.',
    answer: z.looseObject({
      ok: z.boolean(),
      steps: z.array(z.looseObject({ name: z.string(), ok: z.boolean(), detail: z.string(), duration: z.number() })),
      error: errorSchema.optional(),
    }),
    problems: [429],
    run: ({ caller: { by, address } }, tools) =>
      tools.runs.costly(async () => {
        const context = await tools.work({ by, address });
        const { ok, steps } = await rehearse(context, () => {});
        await context.ledger.appendFact({ record: 'audit', by, address, action: 'test', target: 'everything', ok });
        return withError({ ok, steps }, shortcoming(steps));
      }),
  }),
  route({
    method: 'POST',
    path: '/verify',
    role: 'operate',
    summary: 'Proves backups; without `backupId` the newest of each database. Answers when it is over.',
    body: z.strictObject({
      backupId: z.union([idSchema, z.literal('latest')]).optional(),
      database: nameSchema.optional(),
      all: z.boolean().optional(),
      level: z.enum(levels).default('restore'),
    }),
    answer: z.looseObject({ results: z.array(verifiedSchema), error: errorSchema.optional() }),
    problems: [404, 429],
    async run({ body: { backupId, ...rest }, caller }, tools) {
      const { document, failure } = await prove(tools, caller, { ...rest, id: backupId });
      return withError(document, failure);
    },
  }),
];
