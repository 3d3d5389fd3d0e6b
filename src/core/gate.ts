/**
 * core: measures the surroundings, asks the pure conditions, and claims a place: go, wait or not now.
 */
import { decideConditions, type PassBy } from '../model/conditions.js';
import type { Database } from '../model/engine.js';
import type { BackupEvent, EventMetadata } from '../model/event.js';
import { preBackupHealth } from '../model/health.js';
import type { Lock } from '../model/locks.js';
import type { Surroundings } from '../model/measurement.js';
import { bytesPerGB } from '../model/units.js';
import { catalog } from './catalog.js';
import type { Context } from './context.js';
import type { Plan } from './plan.js';
import { record } from './record.js';

/** Between two looks at conditions that do not hold yet, ms. */
const pause = 15_000;

export interface GateRequest {
  readonly event: BackupEvent;
  readonly database: Database;
  readonly plan: Pick<Plan, 'schedule' | 'storages'>;
  readonly passBy: PassBy;
  /** Monotonic ms until which to wait; null: not at all. */
  readonly deadline: number | null;
}

export type Gate =
  | {
      readonly event: BackupEvent;
      readonly place: Lock;
      readonly warnings: readonly string[];
      readonly healthIssues: readonly string[];
      readonly neededBytes: number | null;
    }
  | { readonly event: BackupEvent; readonly reasons: readonly string[] };

/** Bytes this dump will need: 1.2 times the newest stored one, else the database's size. */
async function estimate(context: Context, database: Database, databaseSize: number | null): Promise<number | null> {
  const [newest] = (await catalog(context, database.name)).backups;
  return newest ? Math.ceil(newest.size * 1.2) : databaseSize;
}

async function leastFree(storages: Plan['storages']): Promise<number | null> {
  const probes = await Promise.all(storages.map((storage) => storage.probe().catch(() => null)));
  const known = probes.flatMap((probe) => (probe?.freeBytes == null ? [] : [probe.freeBytes]));
  return known.length > 0 ? Math.min(...known) : null;
}

export async function measureSurroundings(context: Context, database: Database, plan: Pick<Plan, 'storages'>): Promise<Surroundings> {
  const measurement = await context.engine.measure(database);
  return {
    database: measurement,
    freeBytes: await leastFree(plan.storages),
    neededBytes: await estimate(context, database, measurement.databaseSize),
    runningBackups: await context.locks.placesTaken(context.settings.conditions.maxConcurrentBackups),
  };
}

export const settingsOf = (context: Context, plan: Pick<Plan, 'schedule'>) =>
  plan.schedule?.timezone ? { ...context.settings, timezone: plan.schedule.timezone } : context.settings;

function metadataOf({ database, freeBytes, runningBackups }: Surroundings): EventMetadata {
  const { connections, maxConnections } = database;
  return {
    databaseLoad: connections === null || !maxConnections ? null : Math.round((connections / maxConnections) * 1000) / 10,
    diskSpace: freeBytes === null ? null : Math.round(freeBytes / (bytesPerGB / 10)) / 10,
    concurrentBackups: runningBackups,
  };
}

/** Resolves to a claimed place, or to the reasons why not now; waits and looks again until the deadline. */
export async function awaitConditions(context: Context, request: GateRequest): Promise<Gate> {
  let { event } = request;
  for (;;) {
    context.announce({
      kind: 'step',
      step: 'conditions',
      database: request.database.name,
      detail: 'measuring load, disk and running backups',
    });
    const surroundings = await measureSurroundings(context, request.database, request.plan);
    const decided = { now: context.clock.now(), passBy: request.passBy };
    const report = decideConditions(settingsOf(context, request.plan), surroundings, decided);
    event = { ...event, metadata: metadataOf(surroundings) };
    const place = report.met ? await context.locks.claimPlace(context.settings.conditions.maxConcurrentBackups) : null;
    if (place) {
      const checked = context.settings.healthCheckBeforeBackup && !request.passBy.has('health');
      const healthIssues = checked ? preBackupHealth(context.settings.health, surroundings.database) : [];
      return { event, place, warnings: report.warnings, healthIssues, neededBytes: surroundings.neededBytes };
    }
    const reasons = report.met
      ? [`all ${context.settings.conditions.maxConcurrentBackups} places for backups are taken (conditions.maxConcurrentBackups)`]
      : report.reasons;
    const hopeless = report.conditions.some((condition) => condition.name === 'enabled' && !condition.met);
    if (hopeless || request.deadline === null || context.clock.monotonic() + pause > request.deadline) return { event, reasons };
    context.announce({ kind: 'step', step: 'wait', database: request.database.name, detail: reasons.join('; ') });
    event = await record(context, { ...event, reasons });
    await context.clock.sleep(pause, context.signal);
  }
}
