/**
 * wire: what the demo stands on: a throwaway server, a folder to work in, and this very program run there as a user would. It shows
 * nothing, and leaves nothing.
 */
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { here } from '../config/load.js';
import type { Installed } from '../model/backup/client-choice.js';
import { Failure } from '../model/errors.js';
import { startCluster, type Cluster } from '../system/postgres/cluster.js';
import { attach, capture } from '../system/programs/exec.js';
import { findOrFetchServer } from '../system/programs/programs.js';

export interface Demo {
  /** Where the commands run; the configuration file lies there. */
  readonly folder: string;
  readonly serverVersion: string;
  /** Runs statements in the demo's database. */
  sql(text: string): Promise<void>;
  /** Runs a command of this program on our terminal; resolves to its exit code, null when a signal ended it. */
  run(args: readonly string[]): Promise<number | null>;
  /** Ends the server and removes everything. Never throws. */
  close(): Promise<void>;
}

export interface DemoRequest {
  /** The configuration file's content. */
  readonly configuration: object;
  readonly stdout: 'stdout' | 'stderr';
  readonly signal: AbortSignal;
  /** Hears what takes long, a line each. */
  readonly say: (line: string) => void;
}

const databaseName = 'shop';

/** Would lead to another database or configuration. */
const foreign = /^(PG[A-Z]+|DB_BACKUP_.*|BACKUP_AUTOMATION_.*|DATABASE_URL)$/;

async function runSql(programs: Installed, url: string, text: string): Promise<void> {
  const args = ['-X', '-q', '-v', 'ON_ERROR_STOP=1', '-d', url];
  const { exitCode, stderr } = await capture(programs.file('psql'), args, { input: text, timeoutMs: 600_000 });
  if (exitCode !== 0) throw new Failure('failed', `the sample database could not be loaded: ${stderr.trim().slice(-500)}`);
}

/** Throws `server-missing` with the one command to type where there is no PostgreSQL and none can be fetched. */
export async function openDemo(request: DemoRequest): Promise<Demo> {
  const { signal } = request;
  const [program] = process.argv.slice(1);
  if (program === undefined) throw new Failure('internal', 'this program does not know its own file');
  const programs = await findOrFetchServer({ env: here().env, signal, say: request.say });
  signal.throwIfAborted();
  const folder = await mkdtemp(join(tmpdir(), 'backup-automation-demo-'));
  let cluster: Cluster | undefined;
  const close = async () => {
    await cluster?.stop();
    await rm(folder, { recursive: true, force: true }).catch(() => {});
  };
  try {
    await writeFile(join(folder, 'backup-automation.config.json'), `${JSON.stringify(request.configuration, null, 2)}\n`, { mode: 0o600 });
    cluster = await startCluster({ programs, signal });
    const url = cluster.url(databaseName);
    await runSql(programs, cluster.url('postgres'), `CREATE DATABASE ${databaseName};`);
    const options = { cwd: folder, env: { DATABASE_URL: url }, hidden: foreign, stdout: request.stdout, signal };
    return {
      folder,
      serverVersion: programs.version,
      sql: (text) => runSql(programs, url, text),
      run: (args) => attach(process.execPath, [program, ...args], options),
      close,
    };
  } catch (error) {
    await close();
    throw error;
  }
}
