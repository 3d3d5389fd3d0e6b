/**
 * core: `test`, the full rehearsal: everything that a backup and its restore need is really done, and nothing of it lasts.
 */
import { refusal } from '../model/backup/access.js';
import type { BackupDetails } from '../model/backup/backup.js';
import { compareFingerprints } from '../model/backup/fingerprint.js';
import { decideConditions } from '../model/moment/conditions.js';
import type { Database, Dump } from '../model/roles/engine/dump.js';
import { asFailure, Failure } from '../model/errors.js';
import type { Storage } from '../model/roles/storage.js';
import { countOf, formatBytes } from '../model/units.js';
import { withClaim } from './event/claim.js';
import { elapsed, type Context } from './context.js';
import { settingsOf, measureSurroundings } from './event/gate.js';
import { memoryDeposit } from './backup/memory-deposit.js';
import { makePlan } from './event/plan.js';
import { sealOf } from './backup/sealing.js';
import { deposit, depositText, withdraw } from './backup/transfer.js';

export interface RehearsalStep {
  readonly name: string;
  readonly ok: boolean;
  readonly detail: string;
  readonly duration: number;
}

export interface Rehearsal {
  readonly ok: boolean;
  readonly steps: readonly RehearsalStep[];
}

/** Does every step that can be done, also after one that failed; `onStep` hears each as it ends. */
export async function rehearse(context: Context, onStep: (step: RehearsalStep) => void): Promise<Rehearsal> {
  const steps: RehearsalStep[] = [];
  const step = async (name: string, deed: () => Promise<string>): Promise<boolean> => {
    const started = context.clock.monotonic();
    const told = await deed().then(
      (detail) => ({ ok: true, detail }),
      (error: unknown) => ({ ok: false, detail: inWords(asFailure(error)) }),
    );
    const done = { name, ...told, duration: elapsed(context, started) };
    steps.push(done);
    onStep(done);
    if (context.signal.aborted) throw asFailure(context.signal.reason, 'interrupted');
    return done.ok;
  };
  await step('state directory', async () => `locks hold on ${await context.locks.probe()}`);
  for (const storage of context.storages) await step(`storage ${storage.name}`, () => tryStorage(context, storage));
  const { targets } = await makePlan(context, {});
  for (const target of targets) {
    if ('failure' in target) await step(`connection ${target.entry}`, () => Promise.reject(target.failure));
    else await rehearseDatabase(context, target.database, step);
  }
  return { ok: steps.every(({ ok }) => ok), steps };
}

/** The failure that steps come to; none when all are good. */
export function shortcoming(steps: readonly RehearsalStep[]): Failure | undefined {
  const failed = steps.filter(({ ok }) => !ok).length;
  if (failed === 0) return undefined;
  return new Failure('failed', `${failed} of ${steps.length} steps failed`, {
    hint: 'mend what the failed steps name, then repeat `backup-automation test`',
  });
}

const inWords = (failure: Failure): string => `${failure.message} (${failure.hint})`;

type Step = (name: string, deed: () => Promise<string>) => Promise<boolean>;

/** Stops at the first step that the following ones need. */
async function rehearseDatabase(context: Context, database: Database, step: Step): Promise<void> {
  const { name } = database;
  if (!(await step(`connection ${name}`, () => tryConnection(context, database)))) return;
  await step(`conditions ${name}`, () => tryConditions(context, database));
  if (!(await step(`tools ${name}`, () => tryTools(context, database)))) return;
  if (!(await step(`permissions ${name}`, () => tryAccess(context, database)))) return;
  await step(`places ${name}`, () => tryPlace(context, database));
  await step(`backup and restore ${name}`, () => {
    const runId = context.newId();
    return withClaim(context, runId, () => besideOthers(context, database, runId, () => tryBackup(context, database, runId)));
  });
}

const claim = ({ engine, settings, process }: Context, database: Database) =>
  engine.claim(database, settings.conditions.maxConcurrentBackups, process.host);

/** Taken places are no fault; a pooler is none either, but other hosts will not know. */
async function tryPlace(context: Context, database: Database): Promise<string> {
  const place = await claim(context, database);
  if ('refused' in place) return `a backup would not start now: ${place.refused}`;
  await place.release();
  return place.without === null ? 'other hosts see the backups of this one' : `other hosts are not told of backups: ${place.without}`;
}

/** Among the sessions that a real backup has, so that a role with too few connections fails here. */
async function besideOthers<T>(context: Context, database: Database, runId: string, deed: () => Promise<T>): Promise<T> {
  const place = await claim(context, database);
  const watch = await context.engine.watch(database, runId).catch(() => null);
  try {
    return await deed();
  } finally {
    await watch?.close();
    if ('release' in place) await place.release();
  }
}

async function tryStorage(context: Context, storage: Storage): Promise<string> {
  const probe = await storage.probe();
  const free = probe.freeBytes === null ? '' : `, ${formatBytes(probe.freeBytes)} free`;
  if (probe.marker === 'new') return `${probe.detail} is not used yet: the first backup makes it${free}`;
  const place = { database: context.databases[0] ?? 'default', backupId: context.newId() };
  const opened = await storage.put(place);
  try {
    const artifact = await depositText('rehearsal\n'.repeat(1000), { name: 'rehearsal', kind: 'guide' }, [
      { storage: storage.name, deposit: opened, required: true, failure: null },
    ]);
    await withdraw(context, { artifact, input: await opened.read(artifact.name) }, [], {
      step: 'check',
      database: place.database,
      total: null,
    });
    return `${probe.detail}: written, read back and removed${free}`;
  } finally {
    await opened.abort();
  }
}

async function tryConnection(context: Context, database: Database): Promise<string> {
  const measured = await context.engine.measure(database);
  return `PostgreSQL ${measured.serverVersion ?? '?'}, ${measured.databaseSize === null ? 'size unknown' : formatBytes(measured.databaseSize)}, answers in ${measured.latency?.toFixed(1) ?? '?'} ms`;
}

/** Not met is no fault: it is said, and a backup would wait or be cancelled. */
async function tryConditions(context: Context, database: Database): Promise<string> {
  const surroundings = await measureSurroundings(context, database, context);
  const settings = settingsOf(context, { schedule: null });
  const report = decideConditions(settings, surroundings, { now: context.clock.now(), passBy: new Set() });
  return report.met ? 'all are met: a backup would start now' : `a backup would not start now: ${report.reasons.join('; ')}`;
}

async function tryTools(context: Context, database: Database): Promise<string> {
  const probe = await context.engine.probe(database);
  const { engine, codecs } = context.chooseCompression(context.settings.compression, probe, context.settings.jobs);
  const seal = await sealOf(context, null);
  const sealed = seal ? `, sealed ${seal.keys.length > 0 ? `to the keys ${seal.keys.join(', ')}` : 'with a passphrase'}` : '';
  return `pg_dump ${probe.clientVersion} (${probe.clientFile}), compressed by ${codecs.map(({ kind }) => kind).join(', ') || (engine === false ? 'nothing' : `itself (${engine})`)}${sealed}`;
}

/** Of what a dump reads, by name; the hint is the SQL that grants it. */
async function tryAccess(context: Context, database: Database): Promise<string> {
  const access = await context.engine.access(database);
  const refused = refusal(database.name, access);
  if (refused) throw refused;
  return `the role ${JSON.stringify(access.role)} may read everything that a dump reads`;
}

/** The database without its rows: dumped for real, checked, restored on a scratch server, compared. Kept in memory only. */
async function tryBackup(context: Context, database: Database, runId: string): Promise<string> {
  const probe = await context.engine.probe(database);
  const { engine: compression, codecs } = context.chooseCompression(context.settings.compression, probe, 1);
  const request = {
    eventId: runId,
    compression,
    fingerprint: 'counts',
    globals: false,
    jobs: 1,
    expectedSize: null,
    content: 'schema',
    signal: context.signal,
  } as const;
  const dump = await context.engine.dump(database, { ...request, warn: () => {} });
  const memory = memoryDeposit();
  try {
    const [source] = dump.artifacts;
    if (!source) throw new Failure('internal', 'the engine dumped nothing');
    const movement = { step: 'dump', database: database.name, total: null } as const;
    const artifact = await deposit(
      context,
      { ...source, codecs, sealing: null },
      [{ storage: 'memory', deposit: memory, required: true, failure: null }],
      movement,
    );
    const details = await dump.details();
    await withdraw(context, { artifact, input: await memory.read(artifact.name) }, source.check, movement);
    await restoreInto(context, { dump, details, database: database.name, runId }, (stages) =>
      memory.read(artifact.name).then((input) => withdraw(context, { artifact, input }, stages, movement)),
    );
    return `the schema (${countOf(details.fingerprint.tables.length, 'table')}) was dumped, checked, restored on a throwaway server and equals the source`;
  } finally {
    await dump.close();
  }
}

async function restoreInto(
  context: Context,
  {
    dump,
    details,
    database,
    runId,
  }: { readonly dump: Dump; readonly details: BackupDetails; readonly database: string; readonly runId: string },
  fill: (stages: Parameters<typeof withdraw>[2]) => Promise<void>,
): Promise<void> {
  const scratch = await context.openScratch({ ...details, database, serverMajor: dump.probe.serverMajor, signal: context.signal });
  try {
    const load = await context.engine.load(scratch.database, {
      eventId: runId,
      details,
      create: false,
      noOwner: !scratch.throwaway,
      createRoles: scratch.throwaway,
      noTablespaces: true,
      archiveMajor: dump.probe.clientMajor,
      form: 'custom',
      replace: false,
      signal: context.signal,
    });
    try {
      await fill(load.stages);
      const differences = compareFingerprints(details.fingerprint, await load.fingerprint());
      if (differences.length > 0) throw new Failure('verification', `the restored schema differs: ${differences.slice(0, 5).join('; ')}`);
    } finally {
      await load.close();
    }
  } finally {
    await scratch.close();
  }
}
