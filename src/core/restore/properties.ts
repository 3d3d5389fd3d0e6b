/**
 * core: a database's own properties, which no archive holds, brought to the database that it was restored into. It never fails a restore.
 */
import type { BackupDetails } from '../../model/backup/backup.js';
import { amendments, beyondMending } from '../../model/backup/properties.js';
import { asFailure } from '../../model/errors.js';
import type { Database } from '../../model/roles/engine/dump.js';
import type { Context } from '../context.js';
import type { FillRequest } from './fill.js';

interface Bringing {
  readonly details: BackupDetails;
  readonly create: boolean;
  readonly databaseName: string;
}

/** The database's own properties: put there where it was made for this, offered else. Resolves to what is left to do. Never rejects. */
export async function bringProperties(
  context: Context,
  { backup, noOwner }: Pick<FillRequest, 'backup' | 'noOwner'>,
  target: Database,
  to: Bringing,
): Promise<string[]> {
  const wanted = to.details.properties;
  try {
    const present = wanted && (await context.engine.properties(target));
    if (!wanted || !present) return [];
    const statements = amendments(wanted, present, { databaseName: to.databaseName, noOwner });
    const beyond = beyondMending(wanted, present);
    if (to.create) return [...(await context.engine.amend(target, statements)).map((one) => `not brought back: ${one}`), ...beyond];
    const offer = `the database's own owner, privileges, settings or comment are not those of the source: see the SQL that \`backup-automation restore ${backup.backupId} --to ... --plan\` prints`;
    return [...(statements.length > 0 ? [offer] : []), ...beyond];
  } catch (error) {
    return [`the database's own properties could not be brought back: ${asFailure(error).message}`];
  }
}
