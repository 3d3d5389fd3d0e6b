/**
 * core: the proof of a backup before it is committed: what was stored is read back. It commits nothing.
 */
import type { Artifact, Proof } from '../../model/backup/backup.js';
import type { Level } from '../../model/backup/level.js';
import { asFailure, Failure } from '../../model/errors.js';
import type { Dump } from '../../model/roles/engine/dump.js';
import type { Context } from '../context.js';
import type { BackupRequest } from './request.js';
import { alive, demandQuorum, type Target } from './targets.js';
import { withdraw } from './transfer.js';

interface Written {
  readonly dump: Dump;
  /** Nobody here can look inside any more. */
  readonly sealed: boolean;
  readonly artifacts: readonly Artifact[];
}

/**
 * Reads back what was stored: the whole archive once, what was proven before it was sealed by its bytes alone, and every byte in every
 * further storage. A storage that lies is dropped.
 */
export async function prove(
  context: Context,
  request: BackupRequest,
  { dump, sealed, artifacts }: Written,
  targets: readonly Target[],
): Promise<Proof | null> {
  const wanted = context.settings.verify.afterBackup;
  if (wanted === 'none') return null;
  let level: Level = sealed ? 'checksum' : wanted;
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
