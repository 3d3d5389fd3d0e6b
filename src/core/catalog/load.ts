/**
 * core: fills a database from a backup and counts what is in it then: what `restore` and `verify` have in common.
 */
import { decodedSize, formOf, type Backup, type BackupDetails, type Fingerprint } from '../../model/backup/backup.js';
import { compareFingerprints, onlyTables } from '../../model/backup/fingerprint.js';
import type { Database, Load, LoadRequest } from '../../model/roles/engine.js';
import { Failure } from '../../model/errors.js';
import { whileHeld, withClaim } from '../event/claim.js';
import type { Context } from '../context.js';
import type { Source } from './fetch.js';
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

/** Storage, codecs reversed, engine: `execute` read from the bottom. Resolves to what was counted in the target. */
export async function fill(context: Context, request: FillRequest): Promise<Fingerprint> {
  return (await fillParts(context, request)).found;
}

/** The same, for what need not be the whole backup. */
export async function fillParts(context: Context, request: FillRequest): Promise<Filled> {
  return whileHeld(context, request.backup.backupId, () => fillHeld(context, request));
}

async function fillHeld(context: Context, request: FillRequest): Promise<Filled> {
  const { backup, source, ...how } = request;
  const artifact = backup.manifest.artifacts.find(({ kind }) => kind === 'database');
  if (!artifact) throw new Failure('verification', `backup ${backup.backupId} has no archive`);
  const runId = context.newId();
  const { fingerprint } = request.details;
  return withClaim(context, runId, async () => {
    const archiveMajor = Number.parseInt(backup.manifest.clientVersion, 10);
    const expectedSize = decodedSize(artifact, backup.manifest.databaseSize);
    const archive = { archiveMajor, form: formOf(artifact), expectedSize };
    const load = await context.engine.load(request.target, { ...how, ...archive, eventId: runId, signal: context.signal });
    try {
      const input = await source.get(backup, artifact.name);
      context.announce({ kind: 'step', step: 'load', database: backup.database, detail: artifact.name });
      await withdraw(context, { artifact, input }, [load.stage], { step: 'load', database: backup.database, total: artifact.size });
      const tables = await load.finish();
      const expected = tables ? onlyTables(fingerprint, tables) : fingerprint;
      const found = await count(context, request, load);
      const lost = (request.jobs ?? 1) > 1 ? compareFingerprints(expected, found) : [];
      if (lost.length === 0) return { found, expected, warnings: [] };
      context.announce({ kind: 'step', step: 'load', database: backup.database, detail: `${artifact.name} again, over one connection` });
      await load.again();
      return { found: await count(context, request, load), expected, warnings: [inAnotherOrder(lost)] };
    } finally {
      await load.close();
    }
  });
}

/** What a database's own functions do while tables come in another order than one connection brings them. */
const inAnotherOrder = (lost: readonly string[]): string =>
  `over several connections it came out different (${lost.slice(0, 3).join('; ')}), so it was emptied and restored again over one`;

function count(context: Context, { backup, details }: FillRequest, load: Load): Promise<Fingerprint> {
  const detail = details.fingerprint.method === 'content' ? 'hashing rows' : 'counting rows';
  context.announce({ kind: 'step', step: 'compare', database: backup.database, detail });
  return load.fingerprint();
}
