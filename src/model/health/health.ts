/**
 * model: the health checks, what was measured against its limits. Measures nothing, and never takes what is unknown for bad.
 */
import { databaseLoad } from '../moment/conditions.js';
import type { EngineProbe } from '../roles/engine/dump.js';
import type { Failure } from '../errors.js';
import { judgeAutomation, type AutomationFacts } from './automation.js';
import type { HealthCheck } from './check.js';
import { growth, type Measurement } from '../moment/measurement.js';
import type { HealthLimits } from '../settings/settings.js';
import type { StorageProbe } from '../roles/storage.js';
import { bytesPerGB, formatBytes, formatDuration } from '../units.js';

export interface HealthReport {
  readonly status: 'healthy' | 'warning' | 'critical';
  /** What is not healthy, a sentence and the next command each. */
  readonly issues: readonly string[];
  readonly checks: readonly HealthCheck[];
  /** What would be better; never changes the status. */
  readonly advice: readonly string[];
}

/** What was found, or why it was not. */
export interface DatabaseFacts {
  readonly name: string;
  readonly measurement: Measurement | Failure;
  readonly probe: EngineProbe | Failure;
  /** Why the role cannot back up a database of the entry, one each; left out where it was not asked. */
  readonly refused?: readonly Failure[];
}

export interface StorageFacts {
  readonly name: string;
  readonly probe: StorageProbe | Failure;
}

export interface HealthFacts extends AutomationFacts {
  readonly limits: HealthLimits;
  /** GB of 10^9 bytes. */
  readonly minDiskSpace: number;
  readonly databases: readonly DatabaseFacts[];
  readonly storages: readonly StorageFacts[];
  /** By the storage's name: what the newest backup of each database took there, bytes. */
  readonly newestSizes: ReadonlyMap<string, number>;
}

/** One figure of a database that may stop a backup. A limit named `max...` is to be kept under, one named `min...` over. */
interface Figure {
  readonly name: string;
  readonly what: string;
  readonly unit: string;
  readonly key: keyof HealthLimits;
  readonly worse: 'warning' | 'critical';
  /** The parts of the measurement it is made of, whose reasons tell why it is unknown. */
  readonly parts: readonly (keyof Measurement)[];
  value(measurement: Measurement): number | null;
}

const figures: readonly Figure[] = [
  {
    name: 'connection-pool',
    what: 'connection pool utilization',
    unit: '%',
    key: 'maxConnectionPool',
    worse: 'critical',
    parts: ['connections', 'maxConnections'],
    value: databaseLoad,
  },
  {
    name: 'query-performance',
    what: 'average query time',
    unit: 'ms',
    key: 'maxAverageQueryTime',
    worse: 'warning',
    parts: ['averageQueryTime'],
    value: ({ averageQueryTime }) => averageQueryTime,
  },
  {
    name: 'cache-hit-ratio',
    what: 'cache hit ratio',
    unit: '%',
    key: 'minCacheHitRatio',
    worse: 'warning',
    parts: ['cacheHitRatio'],
    value: ({ cacheHitRatio }) => cacheHitRatio,
  },
];

const isFailure = (found: object): found is Failure => found instanceof Error;
const round = (value: number): number => Math.round(value * 100) / 100;
const isBeyond = (key: keyof HealthLimits, value: number, limit: number): boolean =>
  key.startsWith('min') ? value < limit : value > limit;

type Finding = Omit<HealthCheck, 'name' | 'subject' | 'limit' | 'hint'> & Partial<Pick<HealthCheck, 'limit' | 'hint'>>;
const check = (name: string, subject: string, finding: Finding): HealthCheck => ({ name, subject, limit: null, hint: '', ...finding });
const failed = (name: string, subject: string, { message, hint }: Failure): HealthCheck =>
  check(name, subject, { status: 'critical', value: null, detail: message, hint });

function judgeFigure(subject: string, figure: Figure, limits: HealthLimits, measurement: Measurement): HealthCheck {
  const { name, what, unit, key } = figure;
  const limit = limits[key];
  const value = figure.value(measurement);
  if (value === null) {
    const reason = figure.parts.map((part) => measurement.unknown[part]).find(Boolean) ?? 'it was not measured';
    return check(name, subject, { status: 'unknown', value, limit, detail: `the ${what} is not known: ${reason}` });
  }
  const bad = isBeyond(key, value, limit);
  const detail = `the ${what} is ${round(value)} ${unit}, the limit is ${limit} ${unit} (health.${key})`;
  const hint = bad ? `look at pg_stat_activity, or move the limit: \`backup-automation config update health.${key} VALUE\`` : '';
  return check(name, subject, { status: bad ? figure.worse : 'healthy', value: round(value), limit, detail, hint });
}

/** Why a database's health stops a backup, a sentence each; empty when it does not. Unknown figures stop nothing. */
export function preBackupHealth(limits: HealthLimits, measurement: Measurement): string[] {
  return figures
    .map((figure) => judgeFigure('', figure, limits, measurement))
    .filter(({ status }) => status === 'warning' || status === 'critical')
    .map(({ detail }) => detail);
}

function judgeDatabase({ name, measurement, probe, refused }: DatabaseFacts, limits: HealthLimits): HealthCheck[] {
  const versions = isFailure(probe) ? failed('versions', name, probe) : judgeVersions(name, probe);
  if (!isFailure(measurement)) {
    const checked = figures.map((figure) => judgeFigure(name, figure, limits, measurement));
    return [judgeOverall(name, measurement), ...checked, versions, ...judgeAccess(name, refused)];
  }
  const unreached = failed('database', name, measurement);
  // one server that is down is one issue
  return isFailure(probe) && probe.code === measurement.code ? [unreached] : [unreached, versions];
}

/** Found now, not when the next backup fails. */
function judgeAccess(name: string, refused: DatabaseFacts['refused']): HealthCheck[] {
  if (refused === undefined) return [];
  if (refused.length > 0) return refused.map((failure) => failed('permissions', name, failure));
  return [check('permissions', name, { status: 'healthy', value: null, detail: 'the role may read everything that a dump reads' })];
}

function judgeVersions(subject: string, { serverVersion, clientVersion, clientFile }: EngineProbe): HealthCheck {
  const detail = `server ${serverVersion}, client ${clientVersion} (${clientFile})`;
  return check('versions', subject, { status: 'healthy', value: serverVersion, detail });
}

function judgeOverall(subject: string, { latency, inRecovery, oldestTransactionAge, databaseSize }: Measurement): HealthCheck {
  const facts = [
    inRecovery === true ? 'a standby' : null,
    databaseSize === null ? null : formatBytes(databaseSize),
    oldestTransactionAge ? `oldest transaction ${formatDuration(oldestTransactionAge)}` : null,
  ].filter(Boolean);
  if (latency === null) {
    const hint = 'look at the load of the server';
    return check('database', subject, { status: 'warning', value: null, detail: 'it connects, but does not answer in time', hint });
  }
  const detail = [`it answers in ${round(latency)} ms`, ...facts].join(', ');
  return check('database', subject, { status: 'healthy', value: round(latency), detail });
}

/** The room of a storage, for its reserve and for backups like the newest ones. */
function judgeRoom(name: string, freeBytes: number | null, { minDiskSpace, newestSizes }: HealthFacts): HealthCheck {
  const room = (told: Pick<HealthCheck, 'status' | 'detail'> & { readonly hint?: string }) =>
    check('disk-space', name, { value: freeBytes === null ? null : round(freeBytes / bytesPerGB), limit: minDiskSpace, ...told });
  if (freeBytes === null) return room({ status: 'unknown', detail: 'the free space cannot be told' });
  const detail = `${formatBytes(freeBytes)} are free, the limit is ${minDiskSpace} GB (conditions.minDiskSpace)`;
  if (freeBytes < minDiskSpace * bytesPerGB)
    return room({ status: 'critical', detail, hint: 'make room, or the next backup is cancelled; see `backup-automation backups`' });
  const newest = newestSizes.get(name) ?? 0;
  if (freeBytes >= growth * newest) return room({ status: 'healthy', detail });
  const tight = `${detail}; the newest backups took ${formatBytes(newest)}`;
  return room({ status: 'warning', detail: tight, hint: 'make room before the next ones; see `backup-automation backups prune`' });
}

function judgeStorage({ name, probe }: StorageFacts, facts: HealthFacts): HealthCheck[] {
  if (isFailure(probe)) return [failed('storage', name, probe)];
  const { marker, freeBytes, detail } = probe;
  const writable = check('storage', name, { status: 'healthy', value: marker, detail: detail || 'it can be written' });
  return [writable, judgeRoom(name, freeBytes, facts)];
}

const about = ({ name, subject }: HealthCheck): string => (subject === null ? name : `${name} of ${subject}`);

/** The whole report. */
export function judgeHealth(facts: HealthFacts): HealthReport {
  const automation = judgeAutomation(facts);
  const checks = [
    ...facts.databases.flatMap((database) => judgeDatabase(database, facts.limits)),
    ...facts.storages.flatMap((storage) => judgeStorage(storage, facts)),
    ...automation.checks,
  ];
  const bad = checks.filter(({ status }) => status === 'warning' || status === 'critical');
  return {
    status: bad.some(({ status }) => status === 'critical') ? 'critical' : bad.length > 0 ? 'warning' : 'healthy',
    issues: bad.map((check) => `${about(check)}: ${check.detail}${check.hint ? `; ${check.hint}` : ''}`),
    checks,
    advice: automation.advice,
  };
}
