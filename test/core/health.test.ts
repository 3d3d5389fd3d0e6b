/** core/health: every part is asked, and a part that fails is a check. Real ledger, locks and signer; the engine and the storage are ours. */
import { appendFileSync, mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { hostname, tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { z } from 'zod';
import type { Context } from '../../src/core/context.js';
import { health } from '../../src/core/health.js';
import { encodeManifest } from '../../src/core/backup/manifest.js';
import type { Manifest } from '../../src/model/backup/backup.js';
import type { Engine } from '../../src/model/roles/engine.js';
import type { Database } from '../../src/model/roles/engine/dump.js';
import { Failure } from '../../src/model/errors.js';
import type { BackupEvent } from '../../src/model/events/event.js';
import type { Measurement } from '../../src/model/moment/measurement.js';
import { scheduleSchema, settingsShape } from '../../src/model/settings/settings.js';
import type { Storage, StoredBackup } from '../../src/model/roles/storage.js';
import { openLedger } from '../../src/system/ledger/ledger.js';
import { openMemory } from '../../src/system/files/memory.js';
import { openLocks } from '../../src/system/files/lock.js';
import { openSigner } from '../../src/system/signer.js';

const measurement: Measurement = {
  connections: 1,
  maxConnections: 100,
  averageQueryTime: 1,
  cacheHitRatio: 99,
  oldestTransactionAge: 0,
  databaseSize: 1e6,
  serverVersion: '15.1',
  inRecovery: false,
  latency: 1,
  unknown: {},
};
const settings = z.strictObject(settingsShape).parse({ timezone: 'UTC', conditions: { minDiskSpace: 1 } });
const daily = scheduleSchema.parse({ cron: '0 2 * * *', databases: ['shop'] });
const backupId = '01a20387-c78a-75f9-afb5-0decec750018';

let directory: string;
/** The hands of the clock that everything goes by. */
let now: Date;
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'backup-automation-test-'));
  now = new Date('2026-03-03T12:00:00Z');
});
afterEach(() => rmSync(directory, { recursive: true, force: true }));

const clock = { now: () => now, monotonic: () => 0, sleep: async () => undefined };
const shop: Database = { name: 'shop', entry: 'shop', connection: null };
const probe = {
  serverVersion: '15.1',
  serverMajor: 15,
  clientVersion: '15.2',
  clientMajor: 15,
  clientFile: 'pg_dump',
  compressesZstd: false,
  systemIdentifier: null,
  databaseSize: 1,
  databaseName: 'shop',
};
const access = { role: 'backup', serverMajor: 15, unreadable: [], largeObjects: { count: 0, first: [] } };
const engine: Partial<Engine> = {
  members: async () => [shop],
  measure: async () => measurement,
  probe: async () => probe,
  access: async () => access,
};
const storage: Partial<Storage> = {
  name: 'local',
  kind: 'local',
  probe: async () => ({ marker: 'known', freeBytes: 5e9, detail: '' }),
  stat: async () => null,
  sweep: async () => undefined,
  list: async function* () {},
};

function contextWith(parts: { engine?: Partial<Engine>; storage?: Partial<Storage> } = {}): Context {
  const log = () => undefined;
  // the parts that health does not ask for are left out
  return {
    settings,
    schedules: { 'daily-backup': daily },
    databases: ['shop'],
    engine: { ...engine, ...parts.engine },
    storages: [{ ...storage, ...parts.storage }],
    ledger: openLedger(directory, { clock, log }),
    locks: openLocks(directory),
    stateRoom: async () => 1e9,
    schedulers: [],
    ticks: () => ({ last: null, gaps: [] }),
    channels: [],
    routes: {},
    alertMemory: openMemory(directory, 'alerts.json'),
    signer: openSigner(directory),
    clock,
    log,
    announce: log,
    process: { host: hostname(), pid: process.pid, toolVersion: '0', configFile: null },
  } as unknown as Context;
}

const event = (change: Partial<BackupEvent>): BackupEvent => ({
  id: backupId,
  type: 'manual',
  trigger: 'cli',
  timestamp: now.toISOString(),
  status: 'pending',
  metadata: { databaseLoad: null, diskSpace: null, concurrentBackups: null },
  database: 'shop',
  attempt: 1,
  host: hostname(),
  pid: process.pid,
  ...change,
});

const manifest = (timestamp: string): Manifest => ({
  format: 1,
  backupId,
  eventId: backupId,
  scheduleId: 'daily-backup',
  database: 'shop',
  databaseName: 'shop',
  systemIdentifier: null,
  databaseSize: null,
  engine: 'pg_dump',
  serverVersion: '15.1',
  clientVersion: '15.2',
  toolVersion: '0',
  snapshotLsn: null,
  startedAt: timestamp,
  finishedAt: timestamp,
  artifacts: [{ name: 'database.dump', kind: 'database', size: 1, sha256: '0'.repeat(64), plainSha256: null, codecs: [] }],
  proven: null,
  warnings: [],
  host: 'here',
  signature: null,
});

/** A storage with one backup of that time. */
function holding(context: Context, timestamp: string): Partial<Storage> {
  const stored: StoredBackup = {
    place: { database: 'shop', backupId },
    manifest: encodeManifest(manifest(timestamp), context.signer),
    sizes: { 'database.dump': 1 },
  };
  return {
    list: async function* () {
      yield stored;
    },
  };
}

const check = (report: { checks: readonly { name: string; status: string }[] }, name: string) =>
  report.checks.find((one) => one.name === name);

describe('health', () => {
  it('is healthy on a fresh machine, shows the settings, and writes no event', async () => {
    const report = await health(contextWith());
    expect(report).toMatchObject({ status: 'healthy', issues: [], activeBackups: 0, configuration: { maxRetries: 3 } });
    expect(report.advice[0]).toContain('no backup was made yet');
    expect(report.advice).toContainEqual(expect.stringContaining('nobody is told'));
  });

  it('makes a check of every part that fails', async () => {
    const down = async () => {
      throw new Failure('connection', 'the server is down');
    };
    const gone = async () => {
      throw new Failure('storage-marker', 'not mounted');
    };
    expect(await health(contextWith({ engine: { members: down } }))).toMatchObject({
      status: 'critical',
      issues: [expect.stringContaining('the server is down')],
    });
    expect(await health(contextWith({ engine: { measure: down, probe: down } }))).toMatchObject({
      status: 'critical',
      issues: [expect.stringContaining('the server is down')],
    });
    expect(await health(contextWith({ storage: { probe: gone } }))).toMatchObject({
      status: 'critical',
      issues: [expect.stringContaining('not mounted')],
    });
    const none = await health(contextWith({ engine: { members: async () => [] } }));
    expect(none.issues).toEqual([expect.stringContaining('no database of "shop" matches')]);
  });

  it('takes the newest good backup that a storage holds, and misses one that is late', async () => {
    const context = contextWith();
    await context.ledger.appendEvent(event({}));
    const fresh = contextWith({ storage: holding(context, '2026-03-03T02:00:05.000Z') });
    expect(check(await health(fresh), 'last-backup')).toMatchObject({ status: 'healthy', value: '2026-03-03T02:00:05.000Z' });
    const late = contextWith({ storage: holding(context, '2026-03-01T02:00:05.000Z') });
    expect(check(await health(late), 'last-backup')).toMatchObject({ status: 'critical' });
  });

  it('is not put at ease by a backup that another installation made under the same names', async () => {
    const context = contextWith();
    await context.ledger.appendEvent(event({}));
    const other = { ...context, signer: openSigner(join(directory, 'other')) };
    const report = await health(contextWith({ storage: holding(other, '2026-03-03T02:00:05.000Z') }));
    expect(check(report, 'last-backup')).toMatchObject({ value: null });
    expect(report.advice).toContainEqual(expect.stringContaining('made by another installation'));
  });

  it('counts never succeeded only from the first slot after the records begin', async () => {
    await contextWith().ledger.appendEvent(event({}));
    expect(check(await health(contextWith()), 'last-backup')?.status).toBe('healthy');
    now = new Date('2026-03-04T12:00:00Z');
    const report = await health(contextWith());
    expect(report.issues).toContainEqual(expect.stringMatching(/last-backup of shop \(daily-backup\): .*never succeeded/));
  });

  it('remembers a good backup by the ledger while its storage cannot be reached', async () => {
    const { ledger } = contextWith();
    for (const status of ['pending', 'running', 'completed'] as const)
      await ledger.appendEvent(event({ status, scheduleId: 'daily-backup' }));
    now = new Date('2026-03-03T13:00:00Z');
    const unreachable = { probe: () => Promise.reject(new Failure('storage', 'gone')) };
    expect(check(await health(contextWith({ storage: unreachable })), 'last-backup')).toMatchObject({
      status: 'healthy',
      value: '2026-03-03T12:00:00.000Z',
    });
    // it can be reached, and does not hold it any more
    expect(check(await health(contextWith()), 'last-backup')).toMatchObject({ value: null });
  });

  it('ends the events of dead processes, and says so once', async () => {
    const { ledger } = contextWith();
    const dead = { pid: 2 ** 22 + 1 };
    for (const status of ['pending', 'running'] as const) await ledger.appendEvent(event({ status, ...dead }));
    const report = await health(contextWith());
    expect(check(report, 'interrupted-runs')).toMatchObject({ status: 'warning', value: 1 });
    expect((await ledger.find(backupId))?.status).toBe('failed');
    const again = await health(contextWith());
    expect(check(again, 'interrupted-runs')).toMatchObject({ status: 'healthy' });
    expect(check(again, 'last-run')).toMatchObject({ status: 'warning' });
  });

  it('finds a restore in the ledger, and asks for another when it is old', async () => {
    const context = contextWith();
    await context.ledger.appendFact({
      record: 'verification',
      backupId,
      database: 'shop',
      storage: 'local',
      level: 'restore',
      ok: true,
      detail: '',
      duration: 1,
    });
    const stocked = () => contextWith({ storage: holding(context, '2026-03-03T02:00:05.000Z') });
    expect((await health(stocked())).advice.join()).not.toContain('verify latest');
    now = new Date('2026-03-20T12:00:00Z');
    expect((await health(stocked())).advice).toContainEqual(expect.stringMatching(/17d ago, every 7 days is asked for/));
  });

  it('is critical for a damaged line, and a warning for a backup that failed its verification', async () => {
    const context = contextWith();
    const failed = {
      record: 'verification',
      backupId,
      database: 'shop',
      storage: 'local',
      level: 'checksum',
      ok: false,
      detail: '',
      duration: 1,
    } as const;
    await context.ledger.appendFact(failed);
    const report = await health(contextWith({ storage: holding(context, '2026-03-03T02:00:05.000Z') }));
    expect(check(report, 'backups')).toMatchObject({ status: 'warning' });
    const [segment = ''] = readdirSync(join(directory, 'ledger')).filter((name) => name.endsWith('.jsonl'));
    appendFileSync(join(directory, 'ledger', segment), 'garbage\n');
    expect(check(await health(contextWith()), 'ledger')).toMatchObject({ status: 'critical', value: 1 });
  });
});
