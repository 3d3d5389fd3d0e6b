/**
 * core: `restore --plan`, looks at a backup and at a target, and tells what the target lacks. It changes nothing.
 */
import type { Backup } from '../../model/backup/backup.js';
import { planRestore, type RestorePlan, type RestoreWish } from '../../model/restore/plan.js';
import type { Context } from '../context.js';
import { readDetails } from '../catalog/fetch.js';

export interface PlanRequest extends Pick<RestoreWish, 'create' | 'noOwner' | 'role' | 'forceTarget'> {
  readonly backup: Backup;
  /** A URL or a reference to one. */
  readonly to: string;
}

export async function planOf(context: Context, { backup, to, ...how }: PlanRequest): Promise<RestorePlan & { readonly target: string }> {
  const { manifest } = backup;
  const details = await readDetails(context, backup);
  const archiveMajor = Number.parseInt(manifest.clientVersion, 10);
  const target = await context.engine.survey(context.engine.target(to), { details, archiveMajor });
  return { target: target.place, ...planRestore({ manifest, details, ...how }, target) };
}
