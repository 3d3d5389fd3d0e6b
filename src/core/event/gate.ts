/**
 * core: measures the surroundings, asks the pure conditions, and claims a place: go, wait or not now.
 */
import { storedSize } from '../../model/backup/backup.js';
import { decideConditions, type PassBy } from '../../model/moment/conditions.js';
import type { Database } from '../../model/roles/engine/dump.js';
import type { BackupEvent, EventMetadata } from '../../model/events/event.js';
import { preBackupHealth } from '../../model/health/health.js';
import { growth, unmeasured, type Surroundings } from '../../model/moment/measurement.js';
import { bytesPerGB } from '../../model/units.js';
import { newestManifest } from '../catalog/catalog.js';
import type { Context } from '../context.js';
import type { Plan } from './plan.js';
import { told } from './patience.js';
import { claimPlaces, type Places } from './places.js';

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
      readonly place: Places;
      readonly warnings: readonly string[];
      readonly healthIssues: readonly string[];
      readonly neededBytes: number | null;
    }
  | {
      readonly event: BackupEvent;
      readonly reasons: readonly string[];
      /** No waiting helps. */
      readonly hopeless: boolean;
    };

/** Bytes this dump will need: 1.2 times the newest stored one, else the database's size. */
async function estimate(context: Context, database: Database, databaseSize: number | null): Promise<number | null> {
  const newest = await newestManifest(context, database.name);
  return newest ? Math.ceil(storedSize(newest) * growth) : databaseSize;
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

/** Resolves to a claimed place, or to the reasons why not now; waits and looks again until the deadline, and a last time then. */
export async function awaitConditions(context: Context, request: GateRequest): Promise<Gate> {
  let { event } = request;
  for (;;) {
    const gate = await tryConditions(context, event, request);
    if ('place' in gate || gate.hopeless) return gate;
    const left = request.deadline === null ? 0 : request.deadline - context.clock.monotonic();
    if (left <= 0) return gate;
    context.announce({ kind: 'step', step: 'wait', database: request.database.name, detail: gate.reasons.join('; ') });
    event = await told(context, gate.event, gate.reasons);
    await context.clock.sleep(Math.min(pause, left), context.signal);
  }
}

/** One look. */
async function tryConditions(context: Context, asked: BackupEvent, request: GateRequest): Promise<Gate> {
  const { database, plan, passBy } = request;
  const settings = settingsOf(context, plan);
  context.announce({ kind: 'step', step: 'conditions', database: database.name, detail: 'measuring load, disk and running backups' });
  // switched off means off, whether or not the server answers
  const surroundings = settings.enabled
    ? await measureSurroundings(context, database, plan)
    : { database: unmeasured, freeBytes: null, neededBytes: null, runningBackups: 0 };
  const report = decideConditions(settings, surroundings, { now: context.clock.now(), passBy });
  const event = { ...asked, metadata: metadataOf(surroundings) };
  const limit = settings.conditions.maxConcurrentBackups;
  const place = report.met ? await claimPlaces(context, asked, database, limit) : null;
  if (!place || 'refused' in place) {
    const skips = place?.overlaps === true && plan.schedule?.overlap === 'skip';
    return { event, reasons: place ? [place.refused] : report.reasons, hopeless: !settings.enabled || skips };
  }
  const checked = settings.healthCheckBeforeBackup && !passBy.has('health');
  const healthIssues = checked ? preBackupHealth(settings.health, surroundings.database) : [];
  return { event, place, warnings: [...report.warnings, ...place.warnings], healthIssues, neededBytes: surroundings.neededBytes };
}
