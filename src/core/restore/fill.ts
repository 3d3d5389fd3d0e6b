/**
 * core: fills a database from a backup and counts what is in it then: what `restore` and `verify` have in common.
 */
import { decodedSize, formOf, type Backup, type BackupDetails, type Fingerprint, type TableCount } from '../../model/backup/backup.js';
import { compareFingerprints, onlyTables } from '../../model/backup/fingerprint.js';
import type { Load, LoadRequest } from '../../model/roles/engine/load.js';
import type { Database } from '../../model/roles/engine/dump.js';
import { asFailure, Failure, type FailureCode } from '../../model/errors.js';
import { withClaim } from '../event/claim.js';
import type { Context } from '../context.js';
import { whileKept, type Source } from '../catalog/fetch.js';
import { withdraw } from '../backup/transfer.js';

export interface FillRequest {
  readonly backup: Backup;
  readonly source: Source;
  readonly details: BackupDetails;
  readonly target: Database;
  readonly create: boolean;
  readonly noOwner: boolean;
  readonly createRoles: boolean;
  readonly noTablespaces?: boolean | undefined;
  /** Takes the place of what is there, in one transaction. */
  readonly replace: boolean;
  readonly parts?: LoadRequest['parts'];
  readonly jobs?: number | undefined;
  readonly role?: string | undefined;
}

export interface Filled {
  /** Counted in the target. */
  readonly found: Fingerprint;
  /** What the backup says of the tables that were restored. */
  readonly expected: Fingerprint;
  /** What a person should know although it is well. */
  readonly warnings: readonly string[];
}

/** Storage, codecs reversed, engine: `execute` read from the bottom. */
export async function fill(context: Context, request: FillRequest): Promise<Filled> {
  return whileKept(context, request.backup, () => fillHeld(context, request));
}

async function fillHeld(context: Context, request: FillRequest): Promise<Filled> {
  const { backup, source, ...how } = request;
  const artifact = backup.manifest.artifacts.find(({ kind }) => kind === 'database');
  if (!artifact) throw new Failure('verification', `backup ${backup.backupId} has no archive`);
  const runId = context.newId();
  return withClaim(context, runId, async () => {
    const archiveMajor = Number.parseInt(backup.manifest.clientVersion, 10);
    const expectedSize = decodedSize(artifact, backup.manifest.databaseSize);
    const archive = { archiveMajor, form: formOf(artifact), expectedSize };
    const load = await context.engine.load(request.target, { ...how, ...archive, eventId: runId, signal: context.signal });
    try {
      const input = await source.get(backup, artifact.name);
      context.announce({ kind: 'step', step: 'load', database: backup.database, detail: artifact.name });
      await withdraw(context, { artifact, input }, load.stages, { step: 'load', database: backup.database, total: artifact.size });
      return await finish(context, request, load, artifact.name);
    } finally {
      await load.close();
    }
  });
}

/** What several connections spoilt is done once more over one. */
async function finish(context: Context, request: FillRequest, load: Load, artifact: string): Promise<Filled> {
  const { fingerprint } = request.details;
  const look = async (tables: readonly TableCount[] | null) => {
    const found = await count(context, request, load);
    return { found, expected: tables ? onlyTables(fingerprint, tables) : fingerprint };
  };
  if ((request.jobs ?? 1) <= 1) return { ...(await load.finish().then(look)), warnings: [] };
  const first = await load.finish().then(look).catch(asFailure);
  if (first instanceof Failure && (context.signal.aborted || inAnyOrder.has(first.code))) throw first;
  const wrong = whatWentWrong(first);
  if (!(first instanceof Failure) && wrong === null) return { ...first, warnings: [] };
  context.announce({ kind: 'step', step: 'load', database: request.backup.database, detail: `${artifact} again, over one connection` });
  const second = await load.again().then(look);
  return { ...second, warnings: [`over several connections ${wrong}, so it was emptied and restored again over one`] };
}

/** What comes to the same over one connection. */
const inAnyOrder: ReadonlySet<FailureCode> = new Set(['not-found', 'archive', 'restore-target', 'no-space', 'internal']);

/** By a database's own functions, or statements that need one another, where things come in another order than one connection brings them. */
function whatWentWrong(how: Failure | Pick<Filled, 'found' | 'expected'>): string | null {
  if (how instanceof Failure) return `it failed (${how.message})`;
  const lost = compareFingerprints(how.expected, how.found);
  return lost.length === 0 ? null : `it came out different (${lost.slice(0, 3).join('; ')})`;
}

function count(context: Context, { backup, details }: FillRequest, load: Load): Promise<Fingerprint> {
  const detail = details.fingerprint.method === 'content' ? 'hashing rows' : 'counting rows';
  context.announce({ kind: 'step', step: 'compare', database: backup.database, detail });
  return load.fingerprint();
}
