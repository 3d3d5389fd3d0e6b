/**
 * engines: the databases that an entry of the configuration stands for: one, or the members of a cluster, by its server's own list.
 */
import { createHash } from 'node:crypto';
import { Failure } from '../../model/errors.js';
import type { Database } from '../../model/roles/engine/dump.js';
import type { DatabaseEntry } from '../../model/settings/connection.js';
import { matches } from '../../model/settings/glob.js';
import type { Session } from '../../system/postgres/postgres.js';
import { Connection, type ConnectionGiven } from './connection.js';

/** `<entry>--<slug>-<8 hex of the SHA-256 of the true name>`: readable, unique, and safe whatever the name. */
export function memberName(entry: string, databaseName: string): string {
  const slug = databaseName
    .toLowerCase()
    .replace(/[^a-z0-9]+/g, '-')
    .replace(/^-+|-+$/g, '')
    .slice(0, 40);
  return `${entry}--${slug || 'x'}-${createHash('sha256').update(databaseName).digest('hex').slice(0, 8)}`;
}

/** The entry that a database's name stems from. */
export const isOf = (name: string, entry: string): boolean => name === entry || name.startsWith(`${entry}--`);

/** Names that one of the globs fits and no exclusion does; templates and databases that take no connections are not asked for. */
export const selectMembers = (names: readonly string[], globs: readonly string[], exclude: readonly string[]): string[] =>
  names.filter((name) => globs.some((glob) => matches(glob, name)) && !exclude.some((glob) => matches(glob, name)));

/** Those that take connections, and those that nobody can connect to any more. */
async function listDatabases(session: Session): Promise<{ names: string[]; broken: string[] }> {
  const rows = await session.query<{ name: string; broken: boolean }>(
    `SELECT datname AS name, datconnlimit = -2 AS broken FROM pg_catalog.pg_database
      WHERE (datallowconn OR datconnlimit = -2) AND NOT datistemplate ORDER BY datname`,
  );
  const those = (wanted: boolean) => rows.filter(({ broken }) => broken === wanted).map(({ name }) => name);
  return { names: those(false), broken: those(true) };
}

export async function membersOf(entry: string, options: DatabaseEntry, given: ConnectionGiven): Promise<Database[]> {
  if (!options.databases) return [{ name: entry, entry, connection: new Connection(options, given) }];
  const { databases: globs, exclude = [] } = options;
  const { names, broken } = await new Connection(options, given).use(listDatabases);
  const members = selectMembers(names, globs, exclude);
  const notes = selectMembers(broken, globs, exclude).map(
    (name) => `the database ${JSON.stringify(name)} is not valid, because a DROP DATABASE was interrupted: it is left out; drop it`,
  );
  if (members.length === 0) throw new Failure('no-database', `${entry}: no database of the server fits ${globs.join(', ')}`);
  return members.map((name, index) => ({
    name: memberName(entry, name),
    entry,
    connection: new Connection({ ...options, database: name }, given),
    ...(index === 0 && notes.length > 0 && { notes }),
  }));
}
