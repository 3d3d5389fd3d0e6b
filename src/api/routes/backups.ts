/**
 * api: the backups: what there is, what is in them, how two differ, pins, and what retention does with them.
 */
import * as z from 'zod';
import { findBackup } from '../../core/catalog/catalog.js';
import { within } from '../../core/history/within.js';
import { listBackups, showBackup } from '../../core/documents/backups.js';
import { pruneDocument } from '../../core/documents/prune.js';
import { diff } from '../../core/catalog/diff.js';
import { setPin } from '../../core/catalog/pins.js';
import { withError } from '../documents.js';
import { Refusal } from '../problem.js';
import { route } from '../route.js';
import { backupSchema, errorSchema, idSchema, nameSchema, pruneRowSchema } from '../schemas.js';
import type { Caller, Tools } from '../tools.js';

const database = z.strictObject({ database: nameSchema.optional() });
const params = z.strictObject({ backupId: idSchema.describe('an id, the beginning of one, or `latest`') });
const pinned = z.looseObject({ backupId: z.string(), pinned: z.boolean(), storages: z.array(z.string()), error: errorSchema.optional() });
const plan = z.looseObject({
  keep: z.array(pruneRowSchema),
  remove: z.array(pruneRowSchema),
  removed: z.boolean(),
  error: errorSchema.optional(),
});
const why = z.strictObject({ database: nameSchema.optional(), reason: z.string().max(500).optional() });

async function pin(pinning: boolean, id: string, { database: of, reason }: z.infer<typeof why>, { by, address }: Caller, tools: Tools) {
  const actor = { by, address };
  const context = await tools.work(actor);
  const backup = await findBackup(context, id, of);
  const { failure, ...done } = await setPin(context, backup, { pinned: pinning, reason: reason ?? 'no reason was given', actor });
  return withError(done, failure);
}

export const backupRoutes = [
  route({
    method: 'GET',
    path: '/backups',
    role: 'read',
    summary: 'What the storages hold, newest first, and what was proven of it.',
    query: database,
    answer: z.looseObject({ backups: z.array(backupSchema), problems: z.array(z.string()) }),
    async run({ query }, tools) {
      const { context } = await tools.look();
      return listBackups(await within(context, (await tools.kept()).reader), query.database);
    },
  }),
  route({
    method: 'GET',
    path: '/backups/{backupId}',
    role: 'read',
    summary: 'One backup with its manifest and its details; these are null where they are sealed and no key is here.',
    params,
    query: database,
    answer: z.looseObject({ backup: backupSchema, manifest: z.looseObject({}), details: z.looseObject({}).nullable() }),
    async run({ params: { backupId }, query }, tools) {
      const { context } = await tools.look();
      return showBackup(context, backupId, query.database);
    },
  }),
  route({
    method: 'GET',
    path: '/backups/{backupId}/diff/{other}',
    role: 'read',
    summary: 'How two backups differ; restores neither.',
    params: params.extend({ other: idSchema }),
    query: database,
    answer: z.looseObject({ a: z.string(), b: z.string(), equal: z.boolean() }),
    async run({ params: { backupId, other }, query }, tools) {
      const { context } = await tools.look();
      const found = await diff(context, { a: backupId, b: other }, query.database);
      return { ...found, a: found.a.backupId, b: found.b.backupId };
    },
  }),
  route({
    method: 'PUT',
    path: '/backups/{backupId}/pin',
    role: 'operate',
    summary: 'Keeps a backup, whatever the rules say.',
    params,
    body: why,
    answer: pinned,
    run: ({ params: { backupId }, body, caller }, tools) => pin(true, backupId, body, caller, tools),
  }),
  route({
    method: 'DELETE',
    path: '/backups/{backupId}/pin',
    role: 'admin',
    summary: 'Lets the rules hold for it again.',
    params,
    body: why,
    answer: pinned,
    run: ({ params: { backupId }, body, caller }, tools) => pin(false, backupId, body, caller, tools),
  }),
  route({
    method: 'GET',
    path: '/backups/prune',
    role: 'read',
    summary: 'What retention would keep and remove, and why. Removes nothing.',
    query: database,
    answer: plan,
    async run({ query }, tools) {
      const { context } = await tools.look();
      const { document, failure } = await pruneDocument(context, { database: query.database, yes: false, force: false });
      return withError(document, failure);
    },
  }),
  route({
    method: 'POST',
    path: '/backups/prune',
    role: 'admin',
    summary: 'Carries that out: out of the listing at once, off the disk a day later. Only where `api.allowPrune` is set.',
    body: database,
    answer: plan,
    problems: [403],
    async run({ body, caller: { by, address } }, tools) {
      if (!tools.settings.allowPrune) throw new Refusal(403, { detail: 'api.allowPrune is not set' });
      const { document, failure } = await pruneDocument(await tools.work({ by, address }), {
        ...body,
        database: body.database,
        yes: true,
        force: false,
      });
      return withError(document, failure);
    },
  }),
];
