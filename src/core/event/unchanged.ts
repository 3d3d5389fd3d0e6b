/**
 * core: whether a backup of before still holds the database as it is (`skipIfUnchanged`). Where anything is uncertain it says no.
 */
import { isUnchanged, type Mark } from '../../model/backup/mark.js';
import type { BackupEvent } from '../../model/events/event.js';
import { sealOf } from '../backup/sealing.js';
import { catalog } from '../catalog/catalog.js';
import type { Context } from '../context.js';
import type { Plan } from './plan.js';

interface Asked {
  readonly event: Pick<BackupEvent, 'scheduleId' | 'database' | 'passBy'>;
  readonly plan: Pick<Plan, 'schedule' | 'storages'>;
  readonly healthIssues: readonly string[];
  readonly mark: Mark | null;
}

/** The id of the schedule's newest backup, when it is good, lies in every storage it should, is sealed as one would be now, and nothing changed since. */
export async function equalBackup(context: Context, { event, plan, healthIssues, mark }: Asked): Promise<string | null> {
  const { scheduleId, database, passBy = [] } = event;
  // who passes something by wants a backup
  if (!plan.schedule?.skipIfUnchanged || !mark || passBy.length > 0 || healthIssues.length > 0) return null;
  const { backups } = await catalog(context, database);
  const newest = backups.find((backup) => backup.scheduleId === scheduleId && backup.manifest.emergency === undefined);
  if (!newest?.manifest.mark || !newest.signed || newest.suspect || newest.badCopies.length > 0) return null;
  if (!plan.storages.every(({ name }) => newest.storages.includes(name))) return null;
  const seal = await sealOf(context, plan.schedule);
  if (String(seal?.keys) !== String(newest.manifest.keys)) return null;
  return isUnchanged(newest.manifest.mark, mark) ? newest.backupId : null;
}
