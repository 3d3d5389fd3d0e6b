/**
 * core: every condition of a schedule as it is now, measured for each of its databases. Writes nothing.
 */
import type { BackupEvent } from '../../model/events/event.js';
import { asFailure } from '../../model/errors.js';
import { preBackupHealth } from '../../model/health/health.js';
import { isBlackout } from '../../model/moment/blackout.js';
import { decideConditions } from '../../model/moment/conditions.js';
import { localIso } from '../../model/moment/local.js';
import { minuteOf } from '../../model/moment/minute.js';
import { unmeasured, type Surroundings } from '../../model/moment/measurement.js';
import { wallOf } from '../../model/moment/wall.js';
import type { Schedule } from '../../model/settings/settings.js';
import type { Context } from '../context.js';
import { measureSurroundings, settingsOf } from '../event/gate.js';
import { makePlan, type Plan, type PlanTarget } from '../event/plan.js';

export interface ExplainedCondition {
  readonly name: string;
  /** Null: of the schedule as a whole. */
  readonly database: string | null;
  readonly value: string | number | boolean | null;
  readonly limit: string | number | boolean | null;
  readonly met: boolean;
  /** A sentence. */
  readonly detail: string;
}

interface Asked {
  readonly scheduleId: string;
  readonly schedule: Schedule;
  readonly zone: string;
}

/** The window and what else the clock alone decides. */
export function timeConditions(
  { settings }: Pick<Context, 'settings'>,
  { scheduleId, schedule, zone }: Asked,
  at: Date,
): ExplainedCondition[] {
  const nothing: Surroundings = { database: unmeasured, freeBytes: null, neededBytes: null, runningBackups: 0 };
  const { conditions } = decideConditions({ ...settings, timezone: zone }, nothing, { now: at, passBy: new Set() });
  const days = schedule.blackout ?? [];
  const today = localIso(at, zone).slice(0, 10);
  const isFree = !isBlackout(days, wallOf(at.getTime(), zone));
  const off = schedule.enabled
    ? []
    : [{ value: false, met: false, detail: `${scheduleId} is switched off (schedules.${scheduleId}.enabled is false)` }];
  return [
    ...conditions.filter(({ name }) => name === 'enabled').map((one) => explained({ ...one, ...off[0] }, null)),
    ...conditions.filter(({ name }) => name === 'window').map((one) => explained(one, null)),
    {
      name: 'blackout',
      database: null,
      value: today,
      limit: days.length > 0 ? days.join(', ') : null,
      met: isFree,
      detail: isFree ? (days.length > 0 ? `${today} is no blackout day` : 'there are no blackout days') : `${today} is a blackout day`,
    },
  ];
}

const explained = (
  { name, value, limit, met, detail }: Omit<ExplainedCondition, 'database'>,
  database: string | null,
): ExplainedCondition => ({ name, database, value, limit, met, detail });

/** All of them, now. A server that does not answer is a condition that is not met. */
export async function conditionsNow(context: Context, asked: Asked, active: readonly BackupEvent[]): Promise<ExplainedCondition[]> {
  const plan = await makePlan(context, { scheduleId: asked.scheduleId });
  const looks = await Promise.all(plan.targets.map((target) => look(context, plan, target, active)));
  const [running] = await runningNow(context, plan);
  return [...timeConditions(context, asked, context.clock.now()), ...(running ? [running] : []), ...looks.flat()];
}

async function runningNow(context: Context, plan: Plan): Promise<ExplainedCondition[]> {
  const settings = settingsOf(context, plan);
  const runningBackups = await context.locks.placesTaken(settings.conditions.maxConcurrentBackups);
  const surroundings = { database: unmeasured, freeBytes: null, neededBytes: null, runningBackups };
  const { conditions } = decideConditions(settings, surroundings, { now: context.clock.now(), passBy: new Set() });
  return conditions.filter(({ name }) => name === 'concurrency').map((one) => explained(one, null));
}

async function look(context: Context, plan: Plan, target: PlanTarget, active: readonly BackupEvent[]): Promise<ExplainedCondition[]> {
  const name = 'failure' in target ? target.entry : target.database.name;
  try {
    if ('failure' in target) throw target.failure;
    const surroundings = await measureSurroundings(context, target.database, plan);
    const { conditions } = decideConditions(settingsOf(context, plan), surroundings, { now: context.clock.now(), passBy: new Set() });
    return [
      ...conditions.filter((one) => one.name === 'load' || one.name === 'disk').map((one) => explained(one, name)),
      overlapOf(name, active),
      healthOf(context, name, surroundings),
    ];
  } catch (error) {
    return [
      { name: 'database', database: name, value: null, limit: null, met: false, detail: asFailure(error).message },
      overlapOf(name, active),
    ];
  }
}

/** Whether the run before is over. */
function overlapOf(database: string, active: readonly BackupEvent[]): ExplainedCondition {
  const own = active.find((event) => event.database === database);
  const detail = own ? `event ${own.id} still backs it up, since ${minuteOf(own.timestamp)}` : 'its backup before is over';
  return { name: 'overlap', database, value: own?.id ?? null, limit: null, met: !own, detail };
}

function healthOf({ settings }: Context, database: string, { database: measurement }: Surroundings): ExplainedCondition {
  const shared = { name: 'health', database, limit: null };
  if (!settings.healthCheckBeforeBackup)
    return { ...shared, value: null, met: true, detail: 'the health is not checked (healthCheckBeforeBackup is false)' };
  const issues = preBackupHealth(settings.health, measurement);
  const met = issues.length === 0;
  return { ...shared, value: met ? 'healthy' : 'unhealthy', met, detail: met ? 'the database is healthy' : issues.join('; ') };
}
