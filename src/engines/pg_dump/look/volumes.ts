/**
 * engines: the folders in which a database's server keeps its data, where that server runs on this host. Reads only.
 */
import type { Session } from '../../../system/postgres/postgres.js';
import type { Connection } from '../connection.js';
import { onThisHost } from '../watch.js';

/** Where the server keeps what is in no tablespace of its own; null where the role may not know. */
export async function readDataFolder(session: Session): Promise<string | null> {
  const [row] = await session
    .query<{ folder: string }>("SELECT pg_catalog.current_setting('data_directory') AS folder")
    .catch((): { folder: string }[] => []);
  return row?.folder ?? null;
}

const tablespaces =
  "SELECT l.folder FROM pg_catalog.pg_tablespace t, pg_catalog.pg_tablespace_location(t.oid) l (folder) WHERE l.folder <> ''";

async function readFolders(session: Session, host: string): Promise<string[] | null> {
  const isLoopback = /^(localhost|127\.|::1$)/.test(host);
  // behind a forwarded port there may be a container, whose data lie on this host under another name
  if (!host.startsWith('/') && !(await onThisHost(session.backendPid))) return isLoopback ? null : [];
  const folder = await readDataFolder(session);
  return folder === null ? null : [folder, ...(await session.query<{ folder: string }>(tablespaces)).map((row) => row.folder)];
}

/** None: the server is elsewhere; null: it cannot be told. Never throws. */
export async function readVolumes(connection: Connection): Promise<string[] | null> {
  try {
    const { host } = (await connection.server()).address;
    return await connection.use((session) => readFolders(session, host));
  } catch {
    return null;
  }
}
