/**
 * system: libpq's target_session_attrs: whether a server that answered is of the kind that was asked for. Never changes it.
 */
import { Failure } from '../../model/errors.js';
import { describePlace, type Destination, type Session } from '../postgres/postgres.js';

export type Target = 'any' | 'read-write' | 'read-only' | 'primary' | 'standby';

/** The kinds to look for, one round over all hosts each. */
export function targetOf(attribute = 'any'): readonly Target[] {
  if (attribute === 'prefer-standby') return ['standby', 'any'];
  const targets: readonly Target[] = ['any', 'read-write', 'read-only', 'primary', 'standby'];
  const target = targets.find((known) => known === attribute);
  if (target) return [target];
  throw new Failure('configuration', `target_session_attrs is "${attribute}", expected one of ${targets.join(', ')}, prefer-standby`);
}

/** Throws `connection` when this server is of another kind, so that the next host is tried. */
export async function suits(session: Session, target: Target, place: Destination): Promise<void> {
  if (target === 'any') return;
  const [found] = await session.query<{ standby: boolean; readonly: boolean }>(
    `SELECT pg_catalog.pg_is_in_recovery() AS standby,
      pg_catalog.pg_is_in_recovery() OR pg_catalog.current_setting('default_transaction_read_only') = 'on' AS readonly`,
  );
  const { standby = false, readonly = false } = found ?? {};
  const good = { 'read-write': !readonly, 'read-only': readonly, primary: !standby, standby };
  if (!good[target])
    throw new Failure(
      'connection',
      `${describePlace(place)} is ${standby ? 'a standby' : readonly ? 'read-only' : 'a primary'}, and ${target} was asked for`,
    );
}
