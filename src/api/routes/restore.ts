/**
 * api: brings a backup back into a database that the configuration names. Never into one that a request names, nor over what is there.
 */
import * as z from 'zod';
import { findBackup } from '../../core/catalog/catalog.js';
import { restore } from '../../core/restore.js';
import { planOf } from '../../core/restore/plan.js';
import { Refusal } from '../problem.js';
import { route } from '../route.js';
import { idSchema, nameSchema } from '../schemas.js';
import type { Tools } from '../tools.js';

const names = z.array(z.string().min(1).max(200)).max(100).default([]);
const wish = z.strictObject({
  backupId: z.union([idSchema, z.literal('latest')]),
  database: nameSchema.optional().describe('whose latest, where there are several'),
  target: nameSchema.describe('a name in `api.restoreTargets`'),
  create: z.boolean().default(false).describe('create the target database first'),
  owner: z.boolean().default(true).describe('false: leave out owners and privileges'),
  role: z.string().min(1).max(63).optional().describe('do it as this role of the target'),
  tables: names.describe('only these tables'),
  schemas: names.describe('only these schemas'),
  jobs: z.int().min(1).max(64).default(1).describe('load by so many connections at once'),
});
type Wish = z.infer<typeof wish>;

/** The URL of a target, or a reference to it. */
function urlOf({ settings: { restoreTargets } }: Tools, name: string): string {
  const known = Object.keys(restoreTargets);
  if (known.length === 0) throw new Refusal(403, { detail: 'api.restoreTargets names no database to restore into' });
  const target = Object.hasOwn(restoreTargets, name) ? restoreTargets[name] : undefined;
  if (!target) throw new Refusal(404, { detail: `api.restoreTargets has no "${name}"`, hint: `there are: ${known.join(', ')}` });
  return target.url;
}

const wayOf = ({ create, owner, role }: Pick<Wish, 'create' | 'owner' | 'role'>) => ({ create, noOwner: !owner, role });

export const restoreRoutes = [
  route({
    method: 'POST',
    path: '/restore/plan',
    role: 'admin',
    summary: 'What the target lacks for a backup, and the SQL that mends it. Changes nothing.',
    body: wish.omit({ tables: true, schemas: true, jobs: true }),
    answer: z.looseObject({ backupId: z.string(), target: z.string(), missing: z.array(z.looseObject({})), sql: z.array(z.string()) }),
    problems: [403, 404],
    async run({ body }, tools) {
      const to = urlOf(tools, body.target);
      const { context } = await tools.look();
      const backup = await findBackup(context, body.backupId, body.database);
      return { backupId: backup.backupId, ...(await planOf(context, { backup, to, ...wayOf(body) })) };
    },
  }),
  route({
    method: 'POST',
    path: '/restore',
    role: 'admin',
    summary: 'Restores into an empty or a new database that `api.restoreTargets` names, and compares. Answers when it is over.',
    body: wish,
    answer: z.looseObject({ backupId: z.string(), target: z.string(), ok: z.boolean(), compared: z.boolean(), duration: z.number() }),
    problems: [403, 404, 409, 429],
    async run({ body, caller: { by, address } }, tools) {
      const to = urlOf(tools, body.target);
      return tools.runs.costly(async () => {
        const context = await tools.work({ by, address });
        const backup = await findBackup(context, body.backupId, body.database);
        const { tables, schemas, jobs } = body;
        const parts = tables.length + schemas.length > 0 ? { tables, schemas } : undefined;
        return restore(context, { backup, to, ...wayOf(body), parts, jobs });
      });
    },
  }),
];
