/**
 * core: what `execute` would do now, as data, before any deed: the plan of `--dry-run`.
 */
import { archiveNames } from '../../model/backup/backup.js';
import { decideConditions, type ConditionReport } from '../../model/moment/conditions.js';
import type { Database } from '../../model/roles/engine/dump.js';
import { asFailure, type FailureDocument } from '../../model/errors.js';
import type { Context } from '../context.js';
import type { ExecuteRequest } from './request.js';
import { measureSurroundings, settingsOf } from './gate.js';
import { makePlan, type Plan } from './plan.js';
import { sealOf } from '../backup/sealing.js';

export interface DatabasePreview {
  readonly database: string;
  readonly databaseName: string | null;
  readonly serverVersion: string | null;
  readonly client: string | null;
  /** Bytes this dump is expected to need. */
  readonly neededBytes: number | null;
  readonly artifacts: readonly string[];
  readonly report: ConditionReport | null;
  readonly error: FailureDocument | null;
}

export interface Preview {
  readonly schedule: string | null;
  readonly storages: readonly string[];
  readonly verify: string;
  readonly databases: readonly DatabasePreview[];
}

export async function preview(context: Context, request: ExecuteRequest): Promise<Preview> {
  const plan = await makePlan(context, request);
  const databases: DatabasePreview[] = [];
  for (const target of plan.targets) {
    if ('failure' in target) databases.push({ ...unknown(target.entry), error: target.failure.toJSON() });
    else
      databases.push(
        await look(context, request, plan, target.database).catch((error: unknown) => ({
          ...unknown(target.database.name),
          error: asFailure(error).toJSON(),
        })),
      );
  }
  return {
    schedule: plan.scheduleId,
    storages: plan.storages.map((storage) => storage.name),
    verify: context.settings.verify.afterBackup,
    databases,
  };
}

const unknown = (database: string): DatabasePreview => ({
  database,
  databaseName: null,
  serverVersion: null,
  client: null,
  neededBytes: null,
  artifacts: [],
  report: null,
  error: null,
});

async function look(context: Context, request: ExecuteRequest, plan: Plan, database: Database): Promise<DatabasePreview> {
  const surroundings = await measureSurroundings(context, database, plan);
  const report = decideConditions(settingsOf(context, plan), surroundings, { now: context.clock.now(), passBy: new Set(request.passBy) });
  const probe = await context.engine.probe(database);
  const { codecs } = context.chooseCompression(plan.compression, probe, plan.jobs);
  const seal = await sealOf(context, plan.schedule);
  const suffix = [...codecs, ...(seal ? [seal.codec] : [])].map((codec) => codec.extension).join('');
  return {
    database: database.name,
    databaseName: probe.databaseName,
    serverVersion: probe.serverVersion,
    client: `${probe.clientFile} ${probe.clientVersion}`,
    neededBytes: surroundings.neededBytes,
    artifacts: [`${archiveNames[plan.jobs > 1 ? 'directory' : 'custom']}${suffix}`, `globals.sql${suffix}`],
    report,
    error: null,
  };
}
