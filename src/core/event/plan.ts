/**
 * core: what a request comes to: which databases, under which schedule, into which storages. Data, before any deed.
 */
import type { Database } from '../../model/roles/engine/dump.js';
import { asFailure, Failure } from '../../model/errors.js';
import { nearest } from '../../model/settings/nearest.js';
import type { Compression, Schedule } from '../../model/settings/settings.js';
import type { Storage } from '../../model/roles/storage.js';
import type { Context } from '../context.js';

export type PlanTarget = { readonly database: Database } | { readonly entry: string; readonly failure: Failure };

export interface Plan {
  readonly scheduleId: string | null;
  readonly schedule: Schedule | null;
  readonly targets: readonly PlanTarget[];
  readonly storages: readonly Storage[];
  readonly compression: Compression;
  /** Processes that dump at once. */
  readonly jobs: number;
}

const unknown = (what: string, name: string, known: readonly string[]): Failure =>
  new Failure('not-found', `there is no ${what} "${name}"`, {
    hint: known.length > 0 ? `did you mean ${nearest(name, known).join(', ')}?` : `no ${what} is configured`,
  });

/** The schedule's storages, or all. Throws `not-found`. */
function storagesOf(context: Context, schedule: Schedule | null): Storage[] {
  const names = schedule?.storages ?? context.storages.map((storage) => storage.name);
  return names.map((name) => {
    const storage = context.storages.find((one) => one.name === name);
    if (!storage)
      throw unknown(
        'storage',
        name,
        context.storages.map((one) => one.name),
      );
    return storage;
  });
}

/** Expands entries to databases; an entry whose server does not answer becomes a failed target. */
async function expand(context: Context, entries: readonly string[]): Promise<PlanTarget[]> {
  const targets: PlanTarget[] = [];
  for (const entry of entries) {
    try {
      targets.push(...(await context.engine.members(entry)).map((database) => ({ database })));
    } catch (error) {
      targets.push({ entry, failure: asFailure(error, 'connection') });
    }
  }
  return targets;
}

/** The whole plan of a request; throws for names that do not exist, never for a server that is down. */
export async function makePlan(
  context: Context,
  request: { readonly scheduleId?: string; readonly database?: string; readonly jobs?: number },
): Promise<Plan> {
  const { scheduleId, database } = request;
  const schedule = scheduleId === undefined ? null : context.schedules[scheduleId];
  if (schedule === undefined) throw unknown('schedule', scheduleId ?? '', Object.keys(context.schedules));
  const storages = storagesOf(context, schedule);
  const entries = schedule?.databases ?? context.databases;
  // a member of a cluster is named <entry>--<member>
  const wanted = database === undefined ? entries : entries.filter((entry) => database === entry || database.startsWith(`${entry}--`));
  if (wanted.length === 0) throw unknown('database', database ?? '', entries);
  const expanded = await expand(context, wanted);
  const targets =
    database === undefined || wanted.includes(database)
      ? expanded
      : expanded.filter((target) => 'failure' in target || target.database.name === database);
  if (targets.length === 0)
    throw unknown(
      'database',
      database ?? wanted.join(', '),
      expanded.flatMap((target) => ('database' in target ? [target.database.name] : [])),
    );
  return {
    scheduleId: scheduleId ?? null,
    schedule,
    targets,
    storages,
    compression: schedule?.compression ?? context.settings.compression,
    jobs: request.jobs ?? schedule?.jobs ?? context.settings.jobs,
  };
}
