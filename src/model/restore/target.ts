/**
 * model: whether a restore may go into a target. Pure: it looks at none.
 */
import { Failure } from '../errors.js';
import type { TargetState } from '../roles/engine/load.js';
import { isSource, type RestoreWish } from './plan.js';
import { countOf } from '../units.js';

interface Wish extends Pick<RestoreWish, 'manifest' | 'create' | 'forceTarget'> {
  /** Connections at once. */
  readonly jobs: number;
}

/** Never onto the source or into a database that is not empty, unless its name was typed again: throws `restore-target`, else says what it will do. */
export function admit({ manifest, create, forceTarget, jobs }: Wish, state: TargetState): string[] {
  if (state.objects === null && !create)
    throw new Failure('restore-target', `${state.place} does not exist`, { hint: 'add --create to have it made, or create it first' });
  if (state.objects !== null && create && forceTarget === undefined)
    throw new Failure('restore-target', `${state.place} exists already`, {
      hint: 'leave --create out to restore into it when it is empty, or name another',
    });
  if (forceTarget !== undefined && forceTarget !== state.databaseName)
    throw new Failure('restore-target', `--force-target names "${forceTarget}", the target is "${state.databaseName}"`, {
      hint: 'type the name of the target database after --force-target',
    });
  const source = isSource(manifest, state);
  const { objects } = state;
  const occupied = objects !== null && objects > 0;
  if (!source && !occupied) return [];
  const what = source ? 'is the database that the backup was taken from' : `is not empty: it holds ${countOf(objects ?? 0, 'object')}`;
  if (forceTarget === undefined)
    throw new Failure('restore-target', `${state.place} ${what}`, {
      hint: `restore into a new database with --create; or add --force-target ${JSON.stringify(state.databaseName)} if you are sure`,
    });
  if (occupied && jobs > 1)
    throw new Failure('usage', `--jobs cannot replace what is in ${state.place}: that is done in one transaction, by one connection`, {
      hint: 'leave --jobs out, or restore into an empty database',
    });
  return [`${state.place} ${what}; its tables of the same names were replaced, because --force-target named it`];
}
