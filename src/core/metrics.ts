/**
 * core: `metrics`: all that is to be told to Prometheus, found without asking a database. It writes no line and ends no event.
 */
import { levelRank, levels, type Level } from '../model/backup/level.js';
import { Failure } from '../model/errors.js';
import type { HealthReport, StorageFacts } from '../model/health/health.js';
import type { LedgerLine } from '../model/roles/ledger.js';
import type { Family } from '../model/metrics/exposition.js';
import { linesOf } from '../model/metrics/digest.js';
import { familiesOf, type MetricsFacts, type TargetState } from '../model/metrics/samples.js';
import type { Recent } from '../model/overview/recent.js';
import { bytesPerGB } from '../model/units.js';
import { catalog, type Catalog } from './catalog/catalog.js';
import { missingCopies, type MissingCopies } from './catalog/missing.js';
import type { Context } from './context.js';
import { healthWithin, probeStorages } from './health.js';
import { readHistory, type History } from './history/history.js';
import { LedgerReader, type Reading } from './history/reader.js';
import { lookingAt } from './metrics/looking.js';
import { routinesOf } from './metrics/routines.js';
import { channelFacts } from './notify/facts.js';

/** All that was found at once. */
export interface Looked {
  readonly facts: MetricsFacts;
  readonly recent: Recent;
  readonly history: History;
  /** Null: it could not be told. */
  readonly health: HealthReport | null;
}

export interface Metrics {
  /** Every metric as it is now; one look after the other. */
  families(): Promise<Family[]>;
  /** What they are made of. */
  look(): Promise<Looked>;
}

/** Longest time for all storages together, ms: a scrape does not wait for more than ten seconds. */
const patience = 5000;

/** To be kept by whoever is asked again and again: each look goes on where the one before stopped reading the ledger. */
export function openMetrics(context: Context, reader = new LedgerReader(context.ledger, context.metricsMemory)): Metrics {
  let last: Promise<unknown> = Promise.resolve();
  const look = () => {
    const looked = last.then(async () => gather(context, await reader.read()));
    last = looked.catch(() => undefined);
    return looked;
  };
  return { look, families: async () => familiesOf((await look()).facts) };
}

async function gather(context: Context, { fold, damage }: Reading): Promise<Looked> {
  const { digest, tally, recent } = fold.state;
  const lines = linesOf(digest);
  const looking = lookingAt(context, lines, damage, patience);
  try {
    const storages = await probeStorages(looking.context);
    const [history, stock, missing, listed] = [
      await readHistory(looking.context),
      await catalog(looking.context),
      await missingCopies(looking.context),
      await listedWhole(looking.context),
    ];
    const channels = await channelFacts(context);
    const health = await healthWithin(looking.context, { storages, history, stock, missing, channels }).catch(() => null);
    const facts: MetricsFacts = {
      now: context.clock.now(),
      version: context.process.toolVersion,
      tally,
      routines: routinesOf(context, { lines, tally, history, backups: stock.backups, listed }),
      interrupted: history.deadRuns.length,
      verified: verifiedOf(lines, stock, history),
      restoreTimes: history.restoreTimes,
      maxRestoreTime: context.settings.health.maxRestoreTime,
      targets: storages.map((storage) => targetOf(storage, listed, missing)),
      minFreeBytes: context.settings.conditions.minDiskSpace * bytesPerGB,
      channels: channels.map(({ name, state, owed }) => ({ name, provenAt: state?.provenAt ?? null, owed, dead: state?.dead.length ?? 0 })),
      damage,
      lastTick: context.ticks().last,
      health,
    };
    return { facts, recent, history, health };
  } finally {
    looking.close();
  }
}

/** The storages whose whole list was had. */
async function listedWhole({ storages }: Pick<Context, 'storages'>): Promise<ReadonlySet<string>> {
  const names = new Set<string>();
  for (const storage of storages)
    try {
      for await (const _ of storage.list());
      names.add(storage.name);
    } catch {
      // its `target_up` and the missing numbers say so
    }
  return names;
}

function targetOf({ name, probe }: StorageFacts, listed: ReadonlySet<string>, { missing, unknown }: MissingCopies): TargetState {
  const known = listed.has(name) && !unknown.has(name);
  return {
    name,
    up: !(probe instanceof Failure),
    freeBytes: probe instanceof Failure ? null : probe.freeBytes,
    missing: known ? missing.filter(({ to }) => to.name === name).length : null,
  };
}

/** When each database was last proven to each level or a higher one: by what its backups carry, and what the ledger tells of others. */
function verifiedOf(lines: readonly LedgerLine[], { backups }: Catalog, { restored }: History): MetricsFacts['verified'] {
  const verified: Record<string, Partial<Record<Level, string>>> = {};
  const take = (database: string, level: Level, at: string) => {
    const known = (verified[database] ??= {});
    for (const one of levels) if (levelRank(one) <= levelRank(level) && at > (known[one] ?? '')) known[one] = at;
  };
  for (const { record } of lines) if (record.record === 'verification' && record.ok) take(record.database, record.level, record.at);
  for (const { database, proven } of backups) if (proven) take(database, proven.level, proven.at);
  for (const [database, at] of restored) take(database, 'restore', at);
  return verified;
}
