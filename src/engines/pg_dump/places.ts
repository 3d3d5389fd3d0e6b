/**
 * engines: places for backups on a server, held by advisory locks of an idle session, so that every host sees them and none outlives its
 * holder. It waits for nobody.
 *
 * Such a lock belongs to one database. So a place that was taken is looked for in all of them before it counts: of two sessions that took
 * the same one in different databases, the later at least sees the other, and gives it back.
 */
import { randomInt } from 'node:crypto';
import { asFailure } from '../../model/errors.js';
import type { ServerPlace } from '../../model/roles/engine.js';
import { systemClock } from '../../system/clock.js';
import type { Session } from '../../system/postgres/postgres.js';
import { applicationName, type Connection } from './connection.js';

/** Our first key; the second is the place, from 1. The letters "baut". */
const application = 0x62617574;

/** A host that is gone is noticed by the server within 15 + 3 * 5 seconds. */
const settings = {
  tcp_keepalives_idle: '15',
  tcp_keepalives_interval: '5',
  tcp_keepalives_count: '3',
  statement_timeout: '5s',
};

/** Times that two who met at one place try again. */
const mostTries = 5;

interface Holder {
  readonly key: number;
  readonly ours: boolean;
  readonly database: string | null;
  readonly name: string | null;
  readonly address: string | null;
  readonly since: string | null;
}

const holders = `SELECT l.objid::int8 AS key, l.pid = pg_catalog.pg_backend_pid() AS ours, d.datname AS database, a.application_name AS name, COALESCE(pg_catalog.host(a.client_addr), 'the server itself') AS address,
  pg_catalog.to_char(a.backend_start AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS"Z"') AS since
FROM pg_catalog.pg_locks l LEFT JOIN pg_catalog.pg_database d ON d.oid = l.database LEFT JOIN pg_catalog.pg_stat_activity a ON a.pid = l.pid
WHERE l.locktype = 'advisory' AND l.classid = ${application} AND l.objsubid = 2 AND l.granted ORDER BY key`;

const take = `SELECT pg_catalog.pg_try_advisory_lock(${application}, $1) AS taken`;

const inWords = ({ database, name, address, since }: Holder): string =>
  `"${name ?? '?'}" from ${since === null ? 'a host that the role may not see' : `${address} since ${since}`}, for ${database ?? '?'}`;

/** A place that nobody holds, or who holds what is wanted. */
function choose(held: readonly Holder[], limit: number): { readonly place: number } | { readonly refused: string } {
  const taken = held.filter(({ key, ours }) => key <= limit && !ours);
  const place = Array.from({ length: limit }, (_, index) => index + 1).find((key) => taken.every((holder) => holder.key !== key));
  if (place !== undefined) return { place };
  return { refused: `all ${limit} places on the server are taken (maxConcurrentBackups), by ${taken.map(inWords).join('; ')}` };
}

const noDirect = 'cross-host places need a direct connection, and a pooler stands in front of this one';

/** Why nothing can be held; null: a place is. */
type Taken = { readonly without: string | null } | { readonly refused: string };

async function tryTake(session: Session, limit: number): Promise<Taken> {
  if (!session.isDirect) return { without: noDirect };
  for (let tries = 0; tries < mostTries; tries += 1) {
    const choice = choose(await session.query<Holder>(holders), limit);
    if ('refused' in choice) return choice;
    const [row] = await session.query<{ taken: boolean }>(take, [choice.place]);
    const held = row?.taken ? await session.query<Holder>(holders) : [];
    const same = held.filter(({ key }) => key === choice.place);
    if (row?.taken && !same.some(({ ours }) => ours)) return { without: noDirect };
    if (row?.taken && same.every(({ ours }) => ours)) return { without: null };
    await session.query('SELECT pg_catalog.pg_advisory_unlock_all()');
    await systemClock.sleep(randomInt(10, 100));
  }
  return { refused: 'others take the places on the server at the same moment' };
}

/** Opens the session, and keeps it open while it holds something. */
export async function claimPlace(connection: Connection, limit: number, host: string): Promise<ServerPlace | { readonly refused: string }> {
  const server = await connection.server();
  const session = await server.connect({ applicationName: `${applicationName} on ${host}`.slice(0, 63), settings });
  const taken = await tryTake(session, limit).catch(async (error: unknown): Promise<Taken> => {
    const failure = asFailure(error);
    if (failure.code !== 'engine' && failure.code !== 'permission') {
      await session.close();
      throw failure;
    }
    return { without: failure.message };
  });
  if ('refused' in taken || taken.without !== null) await session.close();
  if ('refused' in taken) return taken;
  return { ...taken, isLost: () => taken.without === null && session.isLost(), release: () => session.close() };
}
