/**
 * engines: a dump under way. One session exports a snapshot and counts in it, while pg_dump dumps exactly that snapshot.
 */
import { archiveNames, type BackupDetails } from '../../model/backup/backup.js';
import type { Installed } from '../../model/backup/client-choice.js';
import type { ArtifactSource, Dump, DumpRequest, EngineProbe } from '../../model/roles/engine/dump.js';
import { asFailure, Failure } from '../../model/errors.js';
import type { ProgramStage } from '../../model/roles/flow.js';
import type { Session } from '../../system/postgres/postgres.js';
import { lockTables, readNeeds } from './look/catalogue.js';
import { applicationNameOf, type ChildEnvironment, type Connection } from './connection.js';
import { collect, compareStage, contentsIn, directoryIn, packStage } from './archive/directory.js';
import { readSequences, takeFingerprint } from './look/content.js';
import { readInventory } from './look/inventory.js';
import { readLeftovers } from './look/leftovers.js';
import { checkRoom } from './archive/spool.js';
import { archiveStage, explainExit, globalsCheck } from './archive/stages.js';
import { readContents } from './archive/toc.js';

export interface DumpSource {
  readonly connection: Connection;
  readonly name: string;
  readonly probe: EngineProbe;
  readonly client: Installed;
  readonly lockWaitTimeout: number;
}

interface Snapshot {
  readonly id: string;
  readonly lsn: string | null;
  readonly readsPasswords: boolean;
}

async function exportSnapshot(session: Session, lockWaitTimeout: number): Promise<Snapshot> {
  await session.query('BEGIN ISOLATION LEVEL REPEATABLE READ, READ ONLY');
  await session.query(`SET LOCAL row_security = off; SET LOCAL lock_timeout = '${lockWaitTimeout}s'`);
  const [row] = await session.query<{ id: string; lsn: string | null; reads: boolean }>(
    `SELECT pg_catalog.pg_export_snapshot() AS id,
      (CASE WHEN pg_catalog.pg_is_in_recovery() THEN pg_catalog.pg_last_wal_replay_lsn() ELSE pg_catalog.pg_current_wal_lsn() END)::text AS lsn,
      pg_catalog.has_table_privilege('pg_catalog.pg_authid', 'SELECT') AS reads`,
  );
  if (!row) throw new Failure('engine', 'the server exported no snapshot');
  return { id: row.id, lsn: row.lsn, readsPasswords: row.reads };
}

/** Who holds what pg_dump waited for; a sentence, or nothing. */
async function blockers(source: DumpSource): Promise<string> {
  try {
    const rows = await source.connection.use((session) =>
      session.query<{ pid: number; relation: string; who: string }>(
        `SELECT l.pid, l.relation::pg_catalog.regclass::text AS relation, a.usename || ' (' || a.application_name || ')' AS who
          FROM pg_catalog.pg_locks l JOIN pg_catalog.pg_stat_activity a ON a.pid = l.pid
          WHERE l.granted AND l.mode = 'AccessExclusiveLock' AND l.locktype = 'relation' AND a.datname = pg_catalog.current_database() LIMIT 3`,
      ),
    );
    return rows.map(({ pid, relation, who }) => `; ${relation} is locked by pid ${pid}, ${who}`).join('');
  } catch {
    return '';
  }
}

async function explainLock(source: DumpSource, failure: Failure): Promise<Failure> {
  return failure.code === 'lock-timeout' ? new Failure('lock-timeout', failure.message + (await blockers(source))) : failure;
}

interface Frame {
  readonly child: ChildEnvironment;
  readonly snapshot: Snapshot;
  readonly request: DumpRequest;
}

/** Onto its output, or into a directory by several processes. */
function dumpStage(source: DumpSource, { child, snapshot, request }: Frame, directory: string | null = null): ProgramStage {
  return {
    kind: 'program',
    file: source.client.file('pg_dump'),
    ...(directory !== null && { forks: true as const }),
    args: [
      ...(directory === null ? ['--format=custom'] : ['--format=directory', `--jobs=${request.jobs}`, `--file=${directory}`]),
      `--compress=${request.compression === false ? '0' : request.compression}`,
      `--snapshot=${snapshot.id}`,
      `--lock-wait-timeout=${source.lockWaitTimeout}s`,
      '--no-password',
      ...(request.content === 'schema' ? ['--schema-only'] : []),
    ],
    env: child.env,
    explain: (exit) => explainLock(source, explainExit(source.name, exit, 'engine')),
    warned: (lines) => lines.forEach((line) => request.warn(line)),
  };
}

/** Roles and tablespaces. The database to connect to first is quoted, so that it is only ever a name. */
function globalsStage(source: DumpSource, { child: { env }, snapshot }: Frame): ProgramStage {
  const name = source.probe.databaseName.replace(/[\\']/g, '\\$&');
  return {
    kind: 'program',
    file: source.client.file('pg_dumpall'),
    args: ['--globals-only', '--no-password', `--database=dbname='${name}'`, ...(snapshot.readsPasswords ? [] : ['--no-role-passwords'])],
    env,
    explain: (exit) => explainExit(source.name, exit, 'engine'),
  };
}

const withoutPasswords = 'the roles are without their passwords: the backup role may not read them';

function databaseOf(source: DumpSource, frame: Frame): ArtifactSource {
  const kind = 'database';
  const { request } = frame;
  if (request.jobs === 1)
    return {
      name: archiveNames.custom,
      kind,
      stages: [dumpStage(source, frame)],
      check: [archiveStage(source.client)],
      contents: readContents,
    };
  const { folder } = frame.child;
  const directory = directoryIn(folder);
  const needed = request.compression === false ? source.probe.databaseSize : (request.expectedSize ?? source.probe.databaseSize);
  return {
    name: archiveNames.directory,
    kind,
    prepare: async (signal, moved) => {
      await checkRoom(folder, needed, `${source.name}: ${request.jobs} jobs collect the dump`);
      await collect(dumpStage(source, frame, directory), folder, signal, moved);
    },
    stages: [packStage(folder)],
    // what was packed is what lies there, and that can be read
    check: [compareStage(folder), archiveStage(source.client, directory)],
    contents: () => readContents(contentsIn(directory)),
  };
}

const artifactsOf = (source: DumpSource, frame: Frame): ArtifactSource[] => [
  databaseOf(source, frame),
  { name: 'globals.sql', kind: 'globals', stages: [globalsStage(source, frame)], check: [globalsCheck] },
];

/** Opens the snapshot and starts counting in it. `close` ends both; the request's signal stops what waits or counts. */
export async function beginDump(source: DumpSource, request: DumpRequest): Promise<Dump> {
  const child = await source.connection.childEnvironment(request.eventId);
  let session: Session | null = null;
  const cancel = () => void session?.cancel();
  const end = async () => {
    await session?.close();
    request.signal.removeEventListener('abort', cancel);
    child.remove();
  };
  request.signal.addEventListener('abort', cancel);
  try {
    session = await (await source.connection.server()).connect({ applicationName: applicationNameOf(request.eventId) });
    const snapshot = await exportSnapshot(session, source.lockWaitTimeout);
    if (request.fingerprint !== 'none') await lockTables(session);
    const inventory = readInventory(session, request.content);
    inventory.catch(() => {});
    // before pg_dump reads them: no snapshot holds a sequence
    const sequences = request.fingerprint === 'content' ? { sequences: await readSequences(session) } : {};
    const details = describe(session, request, snapshot).then((found) => ({
      ...found,
      fingerprint: { ...found.fingerprint, ...sequences },
    }));
    let counting = true;
    details.catch(() => {}).finally(() => (counting = false));
    return {
      probe: source.probe,
      snapshotLsn: snapshot.lsn,
      artifacts: artifactsOf(source, { child, snapshot, request }).filter(({ kind }) => kind === 'database' || request.globals),
      details: () => details,
      inventory: () => inventory,
      close: async () => {
        if (counting) await session?.cancel();
        await end();
        await details.catch(() => {});
      },
    };
  } catch (error) {
    await end();
    throw await explainLock(source, asFailure(error));
  }
}

async function describe(session: Session, request: DumpRequest, snapshot: Snapshot): Promise<BackupDetails> {
  const needs = await readNeeds(session);
  const fingerprint = await takeFingerprint(session, { method: request.fingerprint, content: request.content });
  const leftovers = await readLeftovers(session);
  const notIncluded = [...(snapshot.readsPasswords || !request.globals ? [] : [withoutPasswords]), ...leftovers];
  return { format: 1, ...needs, notIncluded, fingerprint };
}
