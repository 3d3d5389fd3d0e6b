/**
 * engines: an empty database on a server that somebody gave for proof, and the end of those that killed processes left there.
 */
import type { BackupDetails } from '../../../model/backup/backup.js';
import { literal } from '../../../model/quote.js';
import type { Server } from '../../../system/connection/connection.js';
import type { Session } from '../../../system/postgres/postgres.js';
import { applicationName } from '../connection.js';
import { createDatabase, dropDatabase } from './load.js';

const prefix = 'backup-automation_verify_';

/** The server lets go of it with the session of the process that made the database. */
const lockOf = (name: string): string => `hashtext(${literal(name)})`;

/** Drops the scratch databases whose makers are gone; one that cannot be dropped is left to the next run. */
async function sweep(server: Server, session: Session): Promise<void> {
  const pattern = literal(`${prefix.replaceAll('_', '\\_')}%`);
  const found = await session.query<{ name: string }>(
    `SELECT datname::text AS name FROM pg_catalog.pg_database WHERE datname LIKE ${pattern} AND pg_catalog.pg_has_role(datdba, 'USAGE')`,
  );
  for (const { name } of found) {
    const [lock] = await session.query<{ free: boolean }>(`SELECT pg_catalog.pg_try_advisory_lock(${lockOf(name)}) AS free`);
    if (!lock?.free) continue;
    await dropDatabase(server, name).catch(() => {});
    await session.query(`SELECT pg_catalog.pg_advisory_unlock(${lockOf(name)})`);
  }
}

/** Makes it, on the maintenance database's `server`; resolves to what ends the claim to it once it was dropped. */
export async function makeScratch(
  server: Server,
  suffix: string,
  texts: Pick<BackupDetails, 'encoding' | 'collate' | 'ctype'>,
): Promise<{ readonly name: string; drop(): Promise<void> }> {
  const name = `${prefix}${suffix}`;
  const session = await server.connect({ applicationName });
  try {
    await sweep(server, session);
    await session.query(`SELECT pg_catalog.pg_advisory_lock(${lockOf(name)})`);
    await createDatabase(server, name, texts);
  } catch (error) {
    await session.close();
    throw error;
  }
  const drop = async () => {
    try {
      await dropDatabase(server, name);
    } finally {
      await session.close();
    }
  };
  return { name, drop };
}
