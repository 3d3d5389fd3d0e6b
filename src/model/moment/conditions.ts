/**
 * model: the conditions, what must hold before a backup may start. Decides from what was measured, and measures nothing.
 */
import type { PassedCondition } from '../events/event.js';
import type { Measurement, Surroundings } from './measurement.js';
import type { Settings } from '../settings/settings.js';
import { bytesPerGB, countOf, formatBytes } from '../units.js';
import { localZone, timeOfDay, windowState } from './window.js';
import { minuteOf } from './minute.js';

/** What a request passes by; nothing passes by `enabled` and the concurrency limit. */
export type PassBy = ReadonlySet<PassedCondition>;

export interface Condition {
  readonly name: 'enabled' | 'window' | 'load' | 'disk' | 'concurrency';
  /** What was found: %, GB, backups with this one, HH:mm; null where it could not be measured. */
  readonly value: string | number | boolean | null;
  readonly limit: string | number | boolean | null;
  readonly met: boolean;
  /** Not met, and passed by. */
  readonly passedBy: boolean;
  /** A sentence for a person. */
  readonly detail: string;
}

export interface ConditionReport {
  /** Whether the backup may start. */
  readonly met: boolean;
  readonly conditions: readonly Condition[];
  /** Why it may not, one sentence each: condition, value, limit, and the flag that would pass it by. */
  readonly reasons: readonly string[];
  /** What was let through without being known or being good. */
  readonly warnings: readonly string[];
}

export type ConditionSettings = Pick<Settings, 'enabled' | 'loadBasedBackup' | 'backupWindow' | 'conditions' | 'timezone'>;
interface ConditionRequest {
  readonly now: Date;
  readonly passBy: PassBy;
}

/** A condition and how a person gets round it. */
interface Judged extends Omit<Condition, 'passedBy'> {
  readonly passable: 'window' | 'load' | 'disk' | null;
  readonly remedy: string;
  readonly warning?: string;
}

const round = (value: number): number => Math.round(value * 100) / 100;

/** Connections in use, % of the server's maximum; null where it could not be measured. */
export function databaseLoad({ connections, maxConnections }: Pick<Measurement, 'connections' | 'maxConnections'>): number | null {
  return connections === null || !maxConnections ? null : round((100 * connections) / maxConnections);
}

function judgeEnabled({ enabled }: ConditionSettings): Judged {
  const detail = enabled ? 'backups are switched on' : 'backups are switched off (enabled is false)';
  const remedy = 'nothing passes it by; `backup-automation config update enabled true`';
  return { name: 'enabled', value: enabled, limit: true, met: enabled, detail, passable: null, remedy };
}

function judgeWindow({ backupWindow, timezone }: ConditionSettings, now: Date): Judged {
  const zone = timezone ?? localZone();
  const { open, opensAt } = windowState(backupWindow, zone, now);
  const { start, end } = backupWindow;
  const value = timeOfDay(now, zone);
  const hours = start === end ? 'is always open' : `is ${start} to ${end}`;
  const next = open ? '' : ` and opens at ${minuteOf(opensAt)}`;
  const detail = `it is ${value} in ${zone}, the backup window ${hours}${next}`;
  return {
    name: 'window',
    value,
    limit: `${start}-${end}`,
    met: open,
    detail,
    passable: 'window',
    remedy: '--force or --emergency passes it by',
  };
}

function judgeLoad(settings: ConditionSettings, database: Measurement): Judged {
  const limit = settings.conditions.maxDatabaseLoad;
  const value = databaseLoad(database);
  const shared = { name: 'load', value, passable: 'load', remedy: '--force or --emergency passes it by' } as const;
  if (!settings.loadBasedBackup)
    return { ...shared, limit: null, met: true, detail: 'the load is no condition (loadBasedBackup is false)' };
  if (value === null) {
    const detail = `the database load could not be measured (${database.unknown['connections'] ?? database.unknown['maxConnections'] ?? 'no reason given'})`;
    return { ...shared, limit, met: true, detail, warning: `load: ${detail}; backing up all the same` };
  }
  const detail = `${database.connections} of ${database.maxConnections} connections are in use (${value} %), the limit is ${limit} % (maxDatabaseLoad)`;
  return { ...shared, limit, met: value <= limit, detail };
}

function judgeDisk({ conditions }: ConditionSettings, { freeBytes, neededBytes }: Surroundings): Judged {
  const least = conditions.minDiskSpace * bytesPerGB;
  const limit = round(Math.max(least, neededBytes ?? 0) / bytesPerGB);
  const shared = { name: 'disk', limit, passable: 'disk', remedy: '--force passes it by' } as const;
  if (freeBytes === null) {
    const detail = 'the free space on the storage could not be told';
    return { ...shared, value: null, met: true, detail, warning: `disk: ${detail}; backing up all the same` };
  }
  const found = { ...shared, value: round(freeBytes / bytesPerGB) };
  if (neededBytes !== null && freeBytes < neededBytes) {
    const detail = `${formatBytes(freeBytes)} are free on the storage, this backup needs about ${formatBytes(neededBytes)}`;
    return { ...found, met: false, detail, warning: `disk: ${detail}` };
  }
  const detail = `${formatBytes(freeBytes)} are free on the storage, the limit is ${conditions.minDiskSpace} GB (minDiskSpace)`;
  return { ...found, met: freeBytes >= least, detail };
}

function judgeConcurrency({ conditions }: ConditionSettings, running: number): Judged {
  const limit = conditions.maxConcurrentBackups;
  const detail = `${countOf(running, 'other backup is', 'other backups are')} running, the limit is ${limit} at the same time (maxConcurrentBackups)`;
  const remedy = 'nothing passes it by; see `backup-automation active`, or wait with --wait';
  return { name: 'concurrency', value: running + 1, limit, met: running < limit, detail, passable: null, remedy };
}

/** Decides; a value equal to its limit passes. */
export function decideConditions(
  settings: ConditionSettings,
  surroundings: Surroundings,
  { now, passBy }: ConditionRequest,
): ConditionReport {
  const judged = [
    judgeEnabled(settings),
    judgeWindow(settings, now),
    judgeLoad(settings, surroundings.database),
    judgeDisk(settings, surroundings),
    judgeConcurrency(settings, surroundings.runningBackups),
  ].map((one) => ({ ...one, passedBy: !one.met && one.passable !== null && passBy.has(one.passable) }));
  const unmet = judged.filter(({ met, passedBy }) => !met && !passedBy);
  return {
    met: unmet.length === 0,
    conditions: judged.map(({ passable: _passable, remedy: _remedy, warning: _warning, ...condition }) => condition),
    reasons: unmet.map(({ name, detail, remedy }) => `${name}: ${detail}; ${remedy}`),
    warnings: judged.flatMap(({ met, passedBy, warning }) => (warning !== undefined && (met || passedBy) ? [warning] : [])),
  };
}
