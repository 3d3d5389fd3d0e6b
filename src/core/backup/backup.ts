/**
 * core: makes one backup: dump, transfer, proof, and the manifest last. From the commit on it exists; before, nothing does.
 */
import { refusal } from '../../model/backup/access.js';
import type { Artifact, BackupDetails, Manifest, Proof } from '../../model/backup/backup.js';
import { fingerprintFor } from '../../model/backup/fingerprint.js';
import type { Database, Dump } from '../../model/roles/engine.js';
import { asFailure, Failure } from '../../model/errors.js';
import { isEmergency, type BackupEvent } from '../../model/events/event.js';
import type { Mark } from '../../model/backup/mark.js';
import type { Level } from '../../model/backup/level.js';
import { detailsName, guideName } from '../../model/settings/names.js';
import type { Context, Seal } from '../context.js';
import { assureWhole, ContentsTap } from './contents.js';
import { restoreGuide } from './guide.js';
import { encodeManifest } from './manifest.js';
import type { Plan } from '../event/plan.js';
import { sealOf } from './sealing.js';
import { prepare } from './progress.js';
import { suspicionOf } from './suspicion.js';
import { alive, decodersOf, deposit, depositSealed, depositText, onEach, withdraw, type Target } from './transfer.js';

export interface BackupRequest {
  readonly event: BackupEvent;
  readonly database: Database;
  readonly plan: Pick<Plan, 'schedule' | 'storages' | 'jobs'>;
  readonly healthIssues: readonly string[];
  readonly neededBytes: number | null;
  /** Looked at before; null: it could not be told. */
  readonly mark: Mark | null;
}

export interface Missing {
  readonly storage: string;
  readonly failure: Failure;
}

export interface Made {
  readonly backupId: string;
  /** Stored bytes in one storage. */
  readonly size: number;
  readonly warnings: readonly string[];
  readonly proven: Level | null;
  /** The storages beside the good ones that have no copy, and why. */
  readonly missing: readonly Missing[];
}

/** Makes and commits a backup; rejects with the Failure, leaving nothing behind, when it can not be trusted. */
export async function backUp(context: Context, request: BackupRequest): Promise<Made> {
  const { event, database } = request;
  if (request.healthIssues.length > 0)
    throw new Failure('health-check', `${database.name}: the health check failed: ${request.healthIssues.join('; ')}`);
  const startedAt = context.clock.now().toISOString();
  const warnings: string[] = [...(database.notes ?? [])];
  const seal = await sealOf(context, request.plan.schedule);
  const dump = await openDump(context, request, (message) => keep(warnings, message));
  const targets: Target[] = [];
  try {
    const unopened = await openTargets(context, request, targets);
    const { artifacts, tap } = await store(context, request, { dump, seal }, targets);
    const contents = await assureWhole(database.name, dump, tap, (message) => keep(warnings, message));
    const details = { ...(await dump.details()), ...(contents && { objects: [...contents.objects] }) };
    artifacts.push(await describe(context, request, { details, seal }, targets));
    const proven = await prove(context, request, { dump, seal, artifacts }, targets);
    const { databaseSize } = dump.probe;
    const odd = await suspicionOf(context, { backupId: event.id, database: database.name, databaseSize, artifacts, details });
    const manifest = {
      ...manifestOf(context, request, dump),
      startedAt,
      finishedAt: context.clock.now().toISOString(),
      proven,
      warnings: [...warnings, ...leftBehind(details, seal), ...odd.suspect, ...odd.gone],
      ...(odd.suspect.length > 0 && { suspect: [...odd.suspect] }),
      ...(seal && { keys: [...seal.keys] }),
      storages: request.plan.storages.map(({ name }) => name),
    };
    artifacts.push(await depositText(restoreGuide(manifest, artifacts), { name: guideName, kind: 'guide' }, targets));
    const bytes = encodeManifest({ ...manifest, artifacts }, context.signer);
    context.announce({ kind: 'step', step: 'commit', database: database.name, detail: 'making the backup durable' });
    await onEach(targets, (target) => target.commit(bytes));
    demandQuorum(context, request, targets);
    return {
      backupId: event.id,
      size: artifacts.reduce((sum, { size }) => sum + size, 0),
      warnings: [...warnings, ...odd.warnings],
      proven: proven?.level ?? null,
      missing: [...unopened, ...(await dropFailed(targets))],
    };
  } catch (error) {
    await Promise.all(targets.map((target) => target.deposit.abort()));
    throw error;
  } finally {
    await dump.close();
  }
}

/** The manifest is never sealed, so it names nothing of what is. */
const leftBehind = ({ notIncluded }: BackupDetails, seal: Seal | null): readonly string[] =>
  seal && notIncluded.length > 0 ? [`the details name what is not in the backup, of ${notIncluded.length} kinds`] : notIncluded;

/** Warnings kept of one backup, and of each so many characters: they stand in the manifest and in a line of the ledger. */
const most = { warnings: 50, length: 500 };

function keep(warnings: string[], message: string): void {
  if (warnings.length < most.warnings) warnings.push(message.slice(0, most.length));
  else warnings[most.warnings] = 'there were more warnings than these';
}

async function openDump(
  context: Context,
  { event, database, plan, neededBytes }: BackupRequest,
  warn: (message: string) => void,
): Promise<Dump> {
  const probe = await context.engine.probe(database);
  const refused = refusal(database.name, await context.engine.access(database));
  if (refused) throw refused;
  const { method, warning } = fingerprintFor(context.settings, probe.databaseSize);
  if (warning !== null) warn(warning);
  return context.engine.dump(database, {
    eventId: event.id,
    compression: context.chooseCompression(plan.schedule?.compression ?? context.settings.compression, probe, plan.jobs).engine,
    jobs: plan.jobs,
    expectedSize: neededBytes,
    fingerprint: method,
    globals: true,
    content: 'all',
    signal: context.signal,
    warn,
  });
}

const quorumOf = ({ settings }: Context, { plan }: BackupRequest): number => plan.schedule?.quorum ?? settings.quorum;

/** Opens a deposit in every storage; resolves to why some could not be opened, rejects when it would not be enough. */
async function openTargets(context: Context, request: BackupRequest, targets: Target[]): Promise<Missing[]> {
  const missing: Missing[] = [];
  const { event, database, plan } = request;
  const all = plan.storages.length <= quorumOf(context, request);
  for (const storage of plan.storages) {
    const required = all || storage.required;
    try {
      const opened = await storage.put({ database: database.name, backupId: event.id });
      targets.push({ storage: storage.name, deposit: opened, required, failure: null });
    } catch (error) {
      if (required) throw error;
      missing.push({ storage: storage.name, failure: asFailure(error, 'storage') });
    }
  }
  demandQuorum(context, request, targets, missing);
  return missing;
}

/** Rejects, with what was wrong in a storage, when fewer are left than a good backup needs. */
function demandQuorum(context: Context, request: BackupRequest, targets: readonly Target[], missing: readonly Missing[] = []): void {
  const quorum = quorumOf(context, request);
  const { length } = alive(targets);
  if (length >= quorum) return;
  const [first] = [...missing.map(({ failure }) => failure), ...targets.flatMap(({ failure }) => failure ?? [])];
  if (!first) throw new Failure('storage', 'no storage is configured');
  if (quorum === 1) throw first;
  const message = `${request.database.name}: ${length} of at least ${quorum} copies (\`quorum\`) can be made: ${first.message}`;
  throw new Failure(first.code, message, { hint: first.hint, class: first.class, cause: first });
}

/** What is taken, and what it is sealed with; null: it is stored in clear. */
interface Source {
  readonly dump: Dump;
  readonly seal: Seal | null;
}

/** The artifacts, and what listened to the database's. */
interface Stored {
  readonly artifacts: Artifact[];
  readonly tap: ContentsTap | null;
}

async function store(context: Context, request: BackupRequest, { dump, seal }: Source, targets: readonly Target[]): Promise<Stored> {
  const { name } = request.database;
  const compression = request.plan.schedule?.compression ?? context.settings.compression;
  const { codecs } = context.chooseCompression(compression, dump.probe, request.plan.jobs);
  // without the snapshot that is counted in there is no use in going on, and what pg_dump says of it is not the reason
  const broken = new AbortController();
  dump.details().catch((error: unknown) => broken.abort(error));
  const signal = AbortSignal.any([context.signal, broken.signal]);
  const artifacts: Artifact[] = [];
  let heard: ContentsTap | null = null;
  for (const source of dump.artifacts) {
    const total = source.kind === 'database' ? request.neededBytes : null;
    const movement = { step: 'dump', database: name, total } as const;
    if (source.prepare) {
      context.announce({ kind: 'step', step: 'dump', database: name, detail: `by ${request.plan.jobs} processes` });
      await prepare(context, source.prepare, signal, movement);
    }
    context.announce({ kind: 'step', step: source.prepare ? 'pack' : 'dump', database: name, detail: source.name });
    // nobody may be able to look inside afterwards
    const check = context.settings.verify.afterBackup === 'archive' ? [...decodersOf(codecs), ...source.check] : [];
    const sealing = seal && { codec: seal.codec, check };
    const tap = source.contents ? new ContentsTap(context, source.contents, codecs) : null;
    heard ??= tap;
    artifacts.push(await deposit(context, { ...source, codecs, sealing, signal, tap }, targets, movement));
    demandQuorum(context, request, targets);
  }
  return { artifacts, tap: heard };
}

/** For eyes as well; each object on a line of its own, for there may be a hundred thousand. */
function detailsText({ objects, ...rest }: BackupDetails): string {
  const text = JSON.stringify(rest, null, 2);
  const lines = objects?.map((one) => `    ${JSON.stringify(one)}`).join(',\n');
  return lines === undefined ? text : `${text.slice(0, -2)},\n  "objects": [\n${lines}\n  ]\n}`;
}

async function describe(
  context: Context,
  request: BackupRequest,
  { details, seal }: { readonly details: BackupDetails; readonly seal: Seal | null },
  targets: readonly Target[],
): Promise<Artifact> {
  const text = detailsText(details);
  const artifact = { name: detailsName, kind: 'details' } as const;
  if (!seal) return depositText(text, artifact, targets);
  const movement = { step: 'dump', database: request.database.name, total: null } as const;
  return depositSealed(context, text, { ...artifact, codecs: [seal.codec] }, targets, movement);
}

/**
 * Reads back what was stored: the whole archive once, what was proven before it was sealed by its bytes alone, and every byte in every
 * further storage. A storage that lies is dropped.
 */
async function prove(
  context: Context,
  request: BackupRequest,
  { dump, seal, artifacts }: Source & { readonly artifacts: readonly Artifact[] },
  targets: readonly Target[],
): Promise<Proof | null> {
  const wanted = context.settings.verify.afterBackup;
  if (wanted === 'none') return null;
  let level: Level = seal ? 'checksum' : wanted;
  for (const target of alive(targets)) {
    const failure = await readBack(context, request, { dump, artifacts, target, level }).catch((error: unknown) => asFailure(error));
    if (context.signal.aborted) throw asFailure(context.signal.reason, 'interrupted');
    target.failure ??= failure ?? null;
    if (!failure) level = 'checksum';
  }
  const lost = targets.find(({ failure, required }) => required && failure !== null);
  if (lost?.failure) throw lost.failure;
  demandQuorum(context, request, targets);
  return { level: wanted, at: context.clock.now().toISOString() };
}

interface Reading {
  readonly dump: Dump;
  readonly artifacts: readonly Artifact[];
  readonly target: Target;
  readonly level: Level;
}

/** Rejects with `archive` when the bytes or what they hold are not what was written. */
async function readBack(context: Context, request: BackupRequest, { dump, artifacts, target, level }: Reading): Promise<void> {
  const { name } = request.database;
  for (const artifact of artifacts) {
    const source = level === 'archive' ? dump.artifacts.find(({ kind }) => kind === artifact.kind) : undefined;
    context.announce({ kind: 'step', step: 'check', database: name, detail: `${artifact.name} (${source ? level : 'checksum'})` });
    const input = await target.deposit.read(artifact.name);
    const movement = { step: 'check', database: name, total: artifact.size } as const;
    const from = source ? { artifact, input } : { artifact: { ...artifact, codecs: [] }, input };
    await withdraw(context, from, source ? source.check : [], movement).catch((error: unknown) => {
      const failure = asFailure(error, 'archive');
      throw failure.code === 'verification' ? new Failure('archive', failure.message, { cause: failure }) : failure;
    });
  }
}

function manifestOf(context: Context, { event, database, mark }: BackupRequest, { probe, snapshotLsn }: Dump) {
  return {
    format: 1,
    backupId: event.id,
    eventId: event.id,
    scheduleId: event.scheduleId ?? null,
    ...(isEmergency(event) && { emergency: true as const }),
    ...(event.slot !== undefined && { slot: event.slot }),
    database: database.name,
    databaseName: probe.databaseName,
    systemIdentifier: probe.systemIdentifier,
    databaseSize: probe.databaseSize,
    engine: context.engine.kind,
    serverVersion: probe.serverVersion,
    clientVersion: probe.clientVersion,
    toolVersion: context.process.toolVersion,
    snapshotLsn,
    ...(mark && { mark }),
    host: context.process.host,
    signature: null,
  } as const satisfies Partial<Manifest>;
}

async function dropFailed(targets: readonly Target[]): Promise<Missing[]> {
  const dropped = targets.flatMap((target) => (target.failure ? [{ ...target, failure: target.failure }] : []));
  await Promise.all(dropped.map((target) => target.deposit.abort()));
  return dropped.map(({ storage, failure }) => ({ storage, failure }));
}
