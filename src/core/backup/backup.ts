/**
 * core: makes one backup: dump, transfer, proof, and the manifest last. From the commit on it exists; before, nothing does.
 */
import { refusal } from '../../model/backup/access.js';
import type { Artifact, BackupDetails, Manifest } from '../../model/backup/backup.js';
import { fingerprintFor } from '../../model/backup/fingerprint.js';
import { Failure } from '../../model/errors.js';
import { isEmergency } from '../../model/events/event.js';
import type { Dump } from '../../model/roles/engine/dump.js';
import { detailsName, guideName } from '../../model/settings/names.js';
import type { Context, Seal } from '../context.js';
import { assureWhole, ContentsTap } from './contents.js';
import { restoreGuide } from './guide.js';
import { encodeManifest } from './manifest.js';
import { prepare } from './progress.js';
import { prove } from './proof.js';
import type { BackupRequest, Made } from './request.js';
import { sealOf } from './sealing.js';
import { suspicionOf } from './suspicion.js';
import { demandQuorum, dropFailed, onEach, openTargets, type Target } from './targets.js';
import { decodersOf, deposit, depositSealed, depositText } from './transfer.js';

/** Makes and commits a backup; rejects with the Failure, leaving nothing behind, when it cannot be trusted. */
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
    const proven = await prove(context, request, { dump, sealed: seal !== null, artifacts }, targets);
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
