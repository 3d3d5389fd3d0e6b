/**
 * core: the storages that take part in a backup, and whether enough of them are left. What fails is dropped, and never forgotten.
 */
import { asFailure, Failure } from '../../model/errors.js';
import type { Deposit } from '../../model/roles/storage.js';
import type { Context } from '../context.js';
import type { BackupRequest, Missing } from './request.js';

/** A storage that takes part in a backup. One that fails is dropped, with the reason, while another one is left. */
export interface Target {
  readonly storage: string;
  readonly deposit: Deposit;
  /** Without it there is no use in going on. */
  readonly required: boolean;
  failure: Failure | null;
}

export const alive = (targets: readonly Target[]): Target[] => targets.filter((target) => target.failure === null);

/** Does a deed on every target that is left; rejects when a required one failed, or none is left after it. */
export async function onEach(targets: readonly Target[], deed: (deposit: Deposit) => Promise<void>): Promise<void> {
  await Promise.all(
    alive(targets).map((target) =>
      deed(target.deposit).catch((error: unknown) => {
        target.failure = asFailure(error, 'storage');
      }),
    ),
  );
  const failed = targets.filter(({ failure }) => failure !== null);
  const lost = failed.find(({ required }) => required) ?? (alive(targets).length === 0 ? failed[0] : null);
  if (lost === undefined) throw new Failure('storage', 'no storage is configured');
  if (lost?.failure) throw lost.failure;
}

const quorumOf = ({ settings }: Context, { plan }: BackupRequest): number => plan.schedule?.quorum ?? settings.quorum;

/** Opens a deposit in every storage; resolves to why some could not be opened, rejects when it would not be enough. */
export async function openTargets(context: Context, request: BackupRequest, targets: Target[]): Promise<Missing[]> {
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
export function demandQuorum(context: Context, request: BackupRequest, targets: readonly Target[], missing: readonly Missing[] = []): void {
  const quorum = quorumOf(context, request);
  const { length } = alive(targets);
  if (length >= quorum) return;
  const [first] = [...missing.map(({ failure }) => failure), ...targets.flatMap(({ failure }) => failure ?? [])];
  if (!first) throw new Failure('storage', 'no storage is configured');
  if (quorum === 1) throw first;
  const message = `${request.database.name}: ${length} of at least ${quorum} copies (\`quorum\`) can be made: ${first.message}`;
  throw new Failure(first.code, message, { hint: first.hint, class: first.class, cause: first });
}

/** Ends the deposits that failed; resolves to why. */
export async function dropFailed(targets: readonly Target[]): Promise<Missing[]> {
  const dropped = targets.flatMap((target) => (target.failure ? [{ ...target, failure: target.failure }] : []));
  await Promise.all(dropped.map((target) => target.deposit.abort()));
  return dropped.map(({ storage, failure }) => ({ storage, failure }));
}
