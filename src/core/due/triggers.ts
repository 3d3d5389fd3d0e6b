/**
 * core: opens an event where a schedule's trigger fires: a file that was touched, WAL written, rows changed. It runs none of them, and
 * asks servers every few minutes at most.
 */
import { isBlackout } from '../../model/moment/blackout.js';
import { decideConditions } from '../../model/moment/conditions.js';
import { unmeasured } from '../../model/moment/measurement.js';
import { zoneOf } from '../../model/moment/slots.js';
import { asksServer, firing, isTooSoon, type Before } from '../../model/moment/triggers.js';
import { wallOf } from '../../model/moment/wall.js';
import type { Database } from '../../model/roles/engine/dump.js';
import type { Schedule } from '../../model/settings/settings.js';
import type { Triggers } from '../../model/settings/timing.js';
import { msPerMinute } from '../../model/units.js';
import { catalog } from '../catalog/catalog.js';
import type { Context } from '../context.js';
import { makePlan } from '../event/plan.js';
import { openTriggeredEvent } from '../event/record.js';
import type { AgendaReader } from './agenda.js';

/** Between two times that servers are asked, ms. */
export const askEvery = 5 * msPerMinute;

/** Whoever looks at triggers holds it, so that none fires twice. */
const lockName = 'triggers';

export interface Triggered {
  readonly scheduleId: string;
  readonly schedule: Schedule;
  readonly triggers: Triggers;
}

/** The schedules that triggers start. */
export const triggered = ({ schedules }: Pick<Context, 'schedules'>): Triggered[] =>
  Object.entries(schedules).flatMap(([scheduleId, schedule]) =>
    schedule.enabled && schedule.triggers ? [{ scheduleId, schedule, triggers: schedule.triggers }] : [],
  );

/** The files whose touch starts something. */
export const watchedFiles = (context: Pick<Context, 'schedules'>): string[] =>
  triggered(context).flatMap(({ triggers }) => triggers.file ?? []);

export const hasTriggers = (context: Pick<Context, 'schedules'>): boolean => triggered(context).length > 0;

/** Opens the events; resolves to when servers were last asked, ISO 8601, null: never. */
export async function openTriggered(context: Context, reader: AgendaReader, askedAt: string | null): Promise<string | null> {
  const all = triggered(context).filter(({ schedule }) => mayRun(context, schedule));
  if (all.length === 0 || context.signal.aborted) return askedAt;
  const lock = await context.locks.claimEvent(lockName);
  if (!lock) return askedAt;
  try {
    await reader.catchUp();
    const now = context.clock.now();
    const asks = askedAt === null || askedAt > now.toISOString() || now.getTime() >= Date.parse(askedAt) + askEvery;
    for (const one of all) if (asks || one.triggers.file !== undefined) await openOf(context, reader, one, asks);
    return asks && all.some(({ triggers }) => asksServer(triggers)) ? now.toISOString() : askedAt;
  } finally {
    lock.retire();
  }
}

/** Whether the clock lets it run: a trigger that fires outside the window still does when it opens. */
export function mayRun({ settings, clock }: Context, schedule: Schedule): boolean {
  const zone = zoneOf(schedule, settings);
  const now = clock.now();
  const nothing = { database: unmeasured, freeBytes: null, neededBytes: null, runningBackups: 0 };
  const { met } = decideConditions({ ...settings, timezone: zone }, nothing, { now, passBy: new Set() });
  return met && !isBlackout(schedule.blackout ?? [], wallOf(now.getTime(), zone));
}

async function openOf(context: Context, { agenda }: AgendaReader, { scheduleId, triggers }: Triggered, asks: boolean): Promise<void> {
  const plan = await makePlan(context, { scheduleId }).catch(() => null);
  for (const target of plan?.targets ?? []) {
    // a server that does not answer has told of no change
    if ('failure' in target || context.signal.aborted) continue;
    const { name } = target.database;
    const now = context.clock.now();
    const key = `${scheduleId} ${name}`;
    if (isTooSoon(triggers, agenda.newest[key], now)) continue;
    const fired = firing(triggers, {
      now,
      before: await newestBefore(context, scheduleId, name),
      completedAt: agenda.completed[key] === undefined ? null : new Date(agenda.completed[key]),
      touchedAt: triggers.file === undefined ? null : context.touchedAt(triggers.file),
      mark: asks && asksServer(triggers) ? await markOf(context, target.database) : null,
    });
    if (fired) await openTriggeredEvent(context, scheduleId, name, fired);
  }
}

const markOf = ({ engine, log }: Context, database: Database) =>
  engine.mark(database).catch((error: unknown) => {
    log('warn', `${database.name}: its triggers cannot be looked at: ${error instanceof Error ? error.message : String(error)}`);
    return null;
  });

/** What a trigger compares with; null: there is no backup of the schedule yet. */
export async function newestBefore(context: Context, scheduleId: string, database: string): Promise<Before | null> {
  const { backups } = await catalog(context, database);
  const newest = backups.find((backup) => backup.scheduleId === scheduleId);
  return newest ? { startedAt: new Date(newest.timestamp), mark: newest.manifest.mark ?? null } : null;
}
