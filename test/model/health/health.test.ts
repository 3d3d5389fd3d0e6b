/** model/health: limits, reasons and the next command; what is unknown is never bad. */
import { describe, expect, it } from 'vitest';
import type { EngineProbe } from '../../../src/model/roles/engine/dump.js';
import { Failure } from '../../../src/model/errors.js';
import { judgeHealth, preBackupHealth, type HealthFacts } from '../../../src/model/health/health.js';
import type { Measurement } from '../../../src/model/moment/measurement.js';

const now = new Date('2026-03-03T12:00:00Z');
const limits = { maxConnectionPool: 90, maxAverageQueryTime: 2000, minCacheHitRatio: 70 };
/** Everything exactly at its limit. */
const measurement: Measurement = {
  connections: 90,
  maxConnections: 100,
  averageQueryTime: 2000,
  cacheHitRatio: 70,
  oldestTransactionAge: 0,
  databaseSize: 1e6,
  serverVersion: '15.1',
  inRecovery: false,
  latency: 0.4,
  unknown: {},
};
const unknown: Measurement = {
  ...measurement,
  connections: null,
  averageQueryTime: null,
  cacheHitRatio: null,
  unknown: { connections: 'why not', averageQueryTime: 'nothing runs', cacheHitRatio: 'too few block reads to judge' },
};
const probe: EngineProbe = {
  serverVersion: '15.1',
  serverMajor: 15,
  clientVersion: '16.2',
  clientMajor: 16,
  clientFile: '/usr/bin/pg_dump',
  compressesZstd: false,
  systemIdentifier: null,
  databaseSize: null,
  databaseName: 'shop',
};
const day = 86_400_000;
const routine = {
  scheduleId: 'daily-backup',
  database: 'shop',
  expectation: { slot: new Date('2026-03-03T02:00:00Z'), interval: day },
  since: new Date('2026-01-01'),
};
const told = { since: '2026-03-01T00:00:00.000Z', provenAt: '2026-03-03T00:00:00.000Z', failing: null, dead: [], told: [] };
const facts: HealthFacts = {
  limits,
  dates: { lastRecord: null, future: [] },
  minDiskSpace: 10,
  databases: [{ name: 'shop', measurement, probe }],
  storages: [{ name: 'local', probe: { marker: 'known', freeBytes: 10e9, detail: '/backups' } }],
  newestSizes: new Map([['local', 1e6]]),
  now,
  routines: [{ ...routine, lastGood: new Date('2026-03-03T02:00:05Z') }],
  lastRuns: [{ database: 'shop', eventId: 'e1', at: now, error: null }],
  deadRuns: [],
  sealing: null,
  proofs: [{ database: 'shop', restoredAt: new Date('2026-03-01T12:00:00Z'), everyDays: 7 }],
  badBackups: [],
  heldBack: [],
  missingCopies: [],
  restoreTimes: [],
  maxRestoreTime: undefined,
  damage: { corruptLines: 0, tornTail: false, gaps: 0 },
  unwritable: null,
  stateRoom: 1e9,
  scheduler: { now: new Date(0), remembered: null, found: [], ticks: { last: null, gaps: [] }, needed: false },
  channels: ['ops', 'mail'].map((name) => ({ name, state: told, owed: 0, owedSince: null })),
};
const judge = (change: Partial<HealthFacts>) => judgeHealth({ ...facts, ...change });
const statusOf = (change: Partial<HealthFacts>, name: string) => judge(change).checks.find((check) => check.name === name)?.status;

describe('judgeHealth', () => {
  it('is healthy with every value at its limit', () => {
    const report = judge({});
    expect(report).toMatchObject({ status: 'healthy', issues: [], advice: [] });
    expect([...new Set(report.checks.map(({ status }) => status))]).toEqual(['healthy']);
    expect(report.checks.map(({ name }) => name)).toEqual([
      'database',
      'connection-pool',
      'query-performance',
      'cache-hit-ratio',
      'versions',
      'storage',
      'disk-space',
      'last-backup',
      'last-run',
      'interrupted-runs',
      'backups',
      'retention',
      'copies',
      'ledger',
      'clock',
      'alerts',
      'alerts',
    ]);
  });

  it.each([
    [
      'connection-pool',
      { connections: 91 },
      'critical',
      /91 %, the limit is 90 % \(health\.maxConnectionPool\).*`backup-automation config update health\.maxConnectionPool/,
    ],
    ['query-performance', { averageQueryTime: 2000.5 }, 'warning', /2000\.5 ms, the limit is 2000 ms/],
    ['cache-hit-ratio', { cacheHitRatio: 69.9 }, 'warning', /69\.9 %, the limit is 70 %/],
    ['database', { latency: null }, 'warning', /does not answer in time/],
  ] as const)('%s: beyond its limit it is an issue with a next step', (name, change, status, issue) => {
    const report = judge({ databases: [{ name: 'shop', measurement: { ...measurement, ...change }, probe }] });
    expect(report.status).toBe(status);
    expect(report.issues).toEqual([expect.stringMatching(issue)]);
    expect(report.checks.find((check) => check.name === name)).toMatchObject({
      status,
      subject: 'shop',
      hint: expect.stringMatching(/\w/) as string,
    });
  });

  it('says why a value is unknown, and is no worse for it', () => {
    const report = judge({ databases: [{ name: 'shop', measurement: unknown, probe }] });
    expect(report).toMatchObject({ status: 'healthy', issues: [] });
    const details = report.checks.filter(({ status }) => status === 'unknown').map(({ detail }) => detail);
    expect(details).toEqual([
      expect.stringContaining('why not'),
      expect.stringContaining('nothing runs'),
      expect.stringContaining('too few block reads'),
    ]);
  });

  it('tells a server that is down once, and a client that is missing beside it', () => {
    const down = new Failure('connection', 'cannot connect to shop');
    expect(judge({ databases: [{ name: 'shop', measurement: down, probe: down }] })).toMatchObject({
      status: 'critical',
      issues: ['database of shop: cannot connect to shop; check host, port and that the server is up'],
    });
    const missing = new Failure('client-missing', 'no pg_dump');
    expect(statusOf({ databases: [{ name: 'shop', measurement, probe: missing }] }, 'versions')).toBe('critical');
  });

  it('looks after storages: marker, room, and room that cannot be told', () => {
    const gone = new Failure('storage-marker', 'not mounted');
    expect(judge({ storages: [{ name: 'local', probe: gone }] }).issues).toEqual([
      expect.stringContaining('storage of local: not mounted; mount the storage'),
    ]);
    const full = { marker: 'known', freeBytes: 9.99e9, detail: '' } as const;
    expect(statusOf({ storages: [{ name: 'local', probe: full }] }, 'disk-space')).toBe('critical');
    const tight = judge({ newestSizes: new Map([['local', 10e9 / 1.2 + 1]]) });
    expect(tight.issues).toEqual([
      expect.stringContaining('10.0 GB are free, the limit is 10 GB (conditions.minDiskSpace); the newest backups took 8.3 GB'),
    ]);
    expect(statusOf({ newestSizes: new Map([['local', 10e9 / 1.2]]) }, 'disk-space')).toBe('healthy');
    expect(statusOf({ storages: [{ name: 'local', probe: { ...full, freeBytes: null } }] }, 'disk-space')).toBe('unknown');
  });

  it('calls a late backup critical, and one that never succeeded by its name', () => {
    const late = judge({ routines: [{ ...routine, lastGood: new Date('2026-03-02T02:00:00Z') }] });
    expect(late).toMatchObject({
      status: 'critical',
      issues: [expect.stringMatching(/last-backup of shop \(daily-backup\): .*1d 10h ago.*`backup-automation execute daily-backup`/)],
    });
    expect(judge({ routines: [{ ...routine, lastGood: new Date('2026-02-25T02:00:00Z'), due: 6 }] }).issues).toEqual([
      expect.stringContaining('; 6 were due since, the newest 10h ago'),
    ]);
    expect(judge({ routines: [{ ...routine, lastGood: null }] }).issues).toEqual([expect.stringContaining('never succeeded')]);
    expect(statusOf({ routines: [{ ...routine, lastGood: null, since: now }] }, 'last-backup')).toBe('healthy');
    expect(statusOf({ routines: [{ ...routine, expectation: null, lastGood: null }] }, 'last-backup')).toBe('healthy');
  });

  it('tells a clock that cannot be right, and what a wrong one has dated', () => {
    const behind = judge({ dates: { lastRecord: new Date(now.getTime() + day), future: ['b1'] } });
    expect(behind).toMatchObject({
      status: 'warning',
      issues: [expect.stringMatching(/^clock: it is .*1d before the last record.*timedatectl/)],
    });
    expect(behind.advice).toContainEqual(expect.stringContaining('dated in the future, by a clock that was wrong: b1'));
    expect(judge({ now: new Date('1970-01-02T02:00:00Z'), routines: [], lastRuns: [] }).issues.join()).toContain('which cannot be');
    expect(judge({ dates: { lastRecord: now, future: [] } }).issues).toEqual([]);
  });

  it('knows a backup that waits, and one that was given up', () => {
    const reasons = ['load: 95 of 100 connections are in use'];
    const detailOf = (waits: boolean, lastGood: Date) =>
      judge({ routines: [{ ...routine, lastGood, held: { waits, reasons } }] }).checks.find(({ name }) => name === 'last-backup')?.detail;
    expect(detailOf(true, now)).toContain('the newest waits for load: 95');
    expect(detailOf(false, new Date('2026-03-02T02:00:00Z'))).toContain('the newest was not made: load: 95');
  });

  it('tells failed and dead runs, bad backups and damage of the ledger', () => {
    expect(judge({ lastRuns: [{ database: 'shop', eventId: 'e9', at: now, error: 'no space' }] }).issues).toEqual([
      expect.stringMatching(/no space; `backup-automation events show e9`/),
    ]);
    expect(statusOf({ deadRuns: ['e1'] }, 'interrupted-runs')).toBe('warning');
    expect(statusOf({ badBackups: ['backup b1 of shop failed'] }, 'backups')).toBe('warning');
    expect(statusOf({ heldBack: ['3 of shop are due and kept'] }, 'retention')).toBe('warning');
    const restoreTimes = [
      { database: 'shop', count: 1, last: 60_000, at: now.toISOString(), median: 60_000, bytesPerSecond: 1, predicted: 120_000 },
    ];
    expect(statusOf({ restoreTimes, maxRestoreTime: 2 }, 'restore-time')).toBe('healthy');
    expect(statusOf({ restoreTimes, maxRestoreTime: 1.9 }, 'restore-time')).toBe('warning');
    expect(statusOf({ missingCopies: [{ storage: 'second', backupId: 'b', database: 'shop' }] }, 'copies')).toBe('warning');
    expect(statusOf({ damage: { corruptLines: 0, tornTail: true, gaps: 0 } }, 'ledger')).toBe('warning');
    expect(statusOf({ damage: { corruptLines: 1, tornTail: false, gaps: 0 } }, 'ledger')).toBe('critical');
    expect(statusOf({ damage: { corruptLines: 0, tornTail: false, gaps: 1 } }, 'ledger')).toBe('critical');
    expect(statusOf({ unwritable: 'no space left' }, 'ledger')).toBe('critical');
    expect(statusOf({ stateRoom: 63_999_999 }, 'ledger')).toBe('critical');
    expect(statusOf({ stateRoom: 64_000_000 }, 'ledger')).toBe('healthy');
    expect(statusOf({ stateRoom: null }, 'ledger')).toBe('healthy');
  });

  it('advises without changing the status', () => {
    const old = judge({ proofs: [{ database: 'shop', restoredAt: new Date('2026-02-01'), everyDays: 7 }] });
    expect(old).toMatchObject({
      status: 'healthy',
      advice: [expect.stringContaining('`backup-automation verify latest --database shop`')],
    });
    expect(judge({ proofs: [{ database: 'shop', restoredAt: null, everyDays: 7 }] }).advice).toEqual([
      expect.stringContaining('no backup of shop was proven'),
    ]);
    expect(judge({ proofs: [], lastRuns: [] }).advice).toEqual([expect.stringContaining('`backup-automation execute`')]);
  });
});

describe('preBackupHealth', () => {
  it('stops a backup for what lies beyond its limit, and for nothing unknown', () => {
    expect(preBackupHealth(limits, measurement)).toEqual([]);
    expect(preBackupHealth(limits, unknown)).toEqual([]);
    expect(preBackupHealth(limits, { ...measurement, connections: 95, averageQueryTime: 3000, cacheHitRatio: 10 })).toEqual([
      'the connection pool utilization is 95 %, the limit is 90 % (health.maxConnectionPool)',
      'the average query time is 3000 ms, the limit is 2000 ms (health.maxAverageQueryTime)',
      'the cache hit ratio is 10 %, the limit is 70 % (health.minCacheHitRatio)',
    ]);
  });
});
