/**
 * api: the configuration: the specification's object, and its change. Never a URL, a path, a command or a token.
 */
import * as z from 'zod';
import { here } from '../../config/load.js';
import { ConfigurationFailure } from '../../config/problem.js';
import { updateKeys } from '../../config/update.js';
import type { Config } from '../../config/schema.js';
import { Refusal, wrongKeys } from '../problem.js';
import { route } from '../route.js';
import { configurationShape, nameSchema } from '../schemas.js';

const configuration = z.strictObject(configurationShape);
const keys = Object.keys(configurationShape) as (keyof typeof configurationShape)[];

const asked = configuration
  .extend({
    backupWindow: configurationShape.backupWindow.partial(),
    conditions: configurationShape.conditions.partial(),
    schedules: z.record(
      nameSchema,
      z.strictObject({
        enabled: z.boolean().optional(),
        cron: z.string().max(200).optional(),
        retention: z
          .strictObject({
            ...Object.fromEntries(
              ['keepLast', 'keepDaily', 'keepWeekly', 'keepMonthly', 'keepYearly', 'minimum'].map((key) => [key, z.number().optional()]),
            ),
            keepWithin: z.string().max(20).optional(),
          })
          .optional(),
      }),
    ),
  })
  .partial();

/** The whole object, whatever else the configuration holds. */
const view = (config: Config): object => Object.fromEntries(keys.map((key) => [key, config[key]]));

/** Dotted keys with their values: objects are gone into, but a retention is replaced as a whole. */
function changesOf(value: object, path: readonly string[] = []): [string, unknown][] {
  return Object.entries(value).flatMap(([key, inner]): [string, unknown][] => {
    const whole = typeof inner !== 'object' || inner === null || key === 'retention';
    if (inner === undefined) return [];
    return whole ? [[[...path, key].join('.'), inner]] : changesOf(inner as object, [...path, key]);
  });
}

export const configRoutes = [
  route({
    method: 'GET',
    path: '/config',
    role: 'read',
    summary: 'The configuration, as the specification names it.',
    answer: configuration,
    async run(_asked, tools) {
      const { loaded } = await tools.look();
      return view(loaded.config);
    },
  }),
  route({
    method: 'PUT',
    path: '/config',
    role: 'admin',
    summary: "Changes any part of it, and of the schedules' `enabled`, `cron` and `retention`: all of it, or nothing.",
    body: asked,
    answer: z.looseObject({ ...configurationShape, warnings: z.array(z.string()).optional() }),
    problems: [422, 503],
    async run({ body, caller }, tools) {
      const { context, loaded } = await tools.look();
      for (const id of Object.keys(body.schedules ?? {}))
        if (!Object.hasOwn(loaded.config.schedules, id))
          throw new Refusal(422, { errors: [{ key: `schedules.${id}`, message: 'there is no such schedule' }] });
      const changes = changesOf(body);
      try {
        const { warnings } = updateKeys(changes, tools.options, here());
        for (const [key] of changes)
          await context.ledger.appendFact({ record: 'configuration', key, by: caller.by, address: caller.address });
        const { loaded: now } = await tools.look();
        return { ...view(now.config), ...(warnings.length > 0 && { warnings }) };
      } catch (error) {
        if (error instanceof ConfigurationFailure) throw new Refusal(422, { code: error.code, errors: wrongKeys(error) });
        throw error;
      }
    },
  }),
];
