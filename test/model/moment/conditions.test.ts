/** model/conditions: what lets a backup start, and what is said when it may not. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { databaseLoad, decideConditions, type ConditionSettings, type PassBy } from '../../../src/model/moment/conditions.js';
import type { Measurement, Surroundings } from '../../../src/model/moment/measurement.js';

const now = new Date('2026-03-02T03:00:00Z');
const settings: ConditionSettings = {
  enabled: true,
  loadBasedBackup: true,
  timezone: 'UTC',
  backupWindow: { start: '01:00', end: '06:00' },
  conditions: { maxDatabaseLoad: 80, minDiskSpace: 10, maxConcurrentBackups: 2 },
};
const measurement: Measurement = {
  connections: 80,
  maxConnections: 100,
  averageQueryTime: null,
  cacheHitRatio: null,
  oldestTransactionAge: null,
  databaseSize: null,
  serverVersion: '15.1',
  inRecovery: false,
  latency: 1,
  unknown: {},
};
/** Everything exactly at its limit. */
const atLimits: Surroundings = { database: measurement, freeBytes: 10e9, neededBytes: 10e9, runningBackups: 1 };
const none: PassBy = new Set();
const force: PassBy = new Set(['window', 'load', 'disk', 'health']);
const emergency: PassBy = new Set(['window', 'load', 'health']);

const decide = (change: Partial<Surroundings>, passBy = none, changed: Partial<ConditionSettings> = {}, at = now) =>
  decideConditions({ ...settings, ...changed }, { ...atLimits, ...change }, { now: at, passBy });
const loaded = { database: { ...measurement, connections: 81 } };
const unknownLoad = { database: { ...measurement, connections: null, unknown: { connections: 'the server did not answer' } } };

describe('decideConditions', () => {
  it('lets a value pass that equals its limit', () => {
    const report = decide({});
    expect(report).toMatchObject({ met: true, reasons: [], warnings: [] });
    expect(report.conditions.map(({ name }) => name)).toEqual(['enabled', 'window', 'load', 'disk', 'concurrency']);
  });

  it.each([
    ['load', loaded, /^load: 81 of 100 connections .*81 %.*limit is 80 %.*--force/],
    ['disk', { freeBytes: 9.9e9, neededBytes: null }, /^disk: 9\.9 GB are free.*limit is 10 GB.*--force/],
    ['disk', { freeBytes: 11e9, neededBytes: 12e9 }, /^disk: 11\.0 GB are free.*needs about 12\.0 GB.*--force/],
    ['concurrency', { runningBackups: 2 }, /^concurrency: 2 other backups are running, the limit is 2.*nothing passes it by/],
  ])('says why %s does not hold: value, limit, flag', (name, change, reason) => {
    const report = decide(change);
    expect(report.met).toBe(false);
    expect(report.conditions.filter(({ met }) => !met)).toMatchObject([{ name, passedBy: false }]);
    expect(report.reasons).toHaveLength(1);
    expect(report.reasons[0]).toMatch(reason);
  });

  it('names the time, the window and when it opens', () => {
    const [reason] = decide({}, none, {}, new Date('2026-03-02T14:32:00Z')).reasons;
    expect(reason).toMatch(
      /^window: it is 14:32 in UTC, the backup window is 01:00 to 06:00 and opens at 2026-03-03 01:00 UTC; --force or --emergency/,
    );
  });

  it('reports every reason at once', () => {
    const report = decide({ ...loaded, freeBytes: 1, runningBackups: 5 }, none, { enabled: false }, new Date('2026-03-02T14:00:00Z'));
    expect(report.reasons).toHaveLength(5);
  });

  it('lets nothing pass by enabled and concurrency', () => {
    expect(decide({}, force, { enabled: false }).met).toBe(false);
    expect(decide({ runningBackups: 2 }, force).met).toBe(false);
  });

  it('passes window and load by --emergency, the disk threshold by --force alone', () => {
    const midday = new Date('2026-03-02T12:00:00Z');
    expect(decide(loaded, emergency, {}, midday)).toMatchObject({ met: true, reasons: [] });
    expect(decide({ freeBytes: 1e9, neededBytes: null }, emergency).met).toBe(false);
    expect(decide({ freeBytes: 1e9, neededBytes: null }, force)).toMatchObject({ met: true, warnings: [] });
  });

  it('warns when it is forced with less room than the dump needs', () => {
    const report = decide({ freeBytes: 1e9, neededBytes: 2e9 }, force);
    expect(report.met).toBe(true);
    expect(report.warnings).toEqual([expect.stringMatching(/1\.0 GB are free.*needs about 2\.0 GB/)]);
  });

  it('runs with a warning when the load or the room is unknown', () => {
    const report = decide({ ...unknownLoad, freeBytes: null });
    expect(report.met).toBe(true);
    expect(report.warnings).toEqual([expect.stringContaining('the server did not answer'), expect.stringContaining('free space')]);
  });

  it('skips the load condition alone with loadBasedBackup off', () => {
    expect(decide(loaded, none, { loadBasedBackup: false })).toMatchObject({ met: true, warnings: [] });
    expect(decide({ ...loaded, runningBackups: 2 }, none, { loadBasedBackup: false }).met).toBe(false);
  });

  it('is met exactly when there is no reason, and a flag never makes it stricter', () => {
    const surroundings = fc.record({
      database: fc.option(fc.nat(120)).map((connections) => ({ ...measurement, connections })),
      freeBytes: fc.option(fc.nat(30).map((gb) => gb * 1e9)),
      neededBytes: fc.option(fc.nat(30).map((gb) => gb * 1e9)),
      runningBackups: fc.nat(4),
    });
    fc.assert(
      fc.property(surroundings, fc.boolean(), fc.nat(1439), (found, enabled, past) => {
        const at = new Date(now.getTime() + past * 60_000);
        const [strict, urgent, forced] = [none, emergency, force].map((passBy) => decide(found, passBy, { enabled }, at));
        for (const report of [strict, urgent, forced]) expect(report?.met).toBe(report?.reasons.length === 0);
        expect(!strict?.met || urgent?.met).toBe(true);
        expect(!urgent?.met || forced?.met).toBe(true);
      }),
    );
  });
});

it('databaseLoad is null where a part is missing or the maximum is 0', () => {
  const load = (connections: number | null, maxConnections: number | null) => databaseLoad({ connections, maxConnections });
  expect([load(null, 100), load(1, null), load(1, 0), load(1, 3)]).toEqual([null, null, null, 33.33]);
});
