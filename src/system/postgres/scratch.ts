/**
 * system: an empty database on a throwaway server, to restore into for proof. Knows nothing of backups.
 */
import { randomBytes } from 'node:crypto';
import { tmpdir } from 'node:os';
import { chooseServer, type Installed } from '../../model/backup/client-choice.js';
import { localeClauses, type Texts } from '../../model/backup/properties.js';
import { identifier, literal } from '../../model/quote.js';
import { asFailure, Failure } from '../../model/errors.js';
import { formatBytes } from '../../model/units.js';
import { freeBytes } from '../files/disk.js';
import { startCluster, type Cluster } from './cluster.js';
import { capture, type Captured } from '../programs/exec.js';
import { findServers } from '../programs/programs.js';

/** What the scratch server must be able to hold. */
interface ScratchRequest extends Texts {
  readonly serverMajor: number;
  /** What will be restored into it, bytes; null when unknown. */
  readonly expectedSize?: number | null;
  readonly signal: AbortSignal;
}

/** A server that runs full in the middle helps nobody, and may fill the disk of others. */
async function demandRoom(expectedSize: number | null | undefined): Promise<void> {
  const free = await freeBytes(tmpdir());
  if (!expectedSize || free === null || free >= expectedSize) return;
  const message = `the temp folder has ${formatBytes(free)} free, the restored database needs about ${formatBytes(expectedSize)}`;
  throw new Failure('scratch', message);
}

export interface ScratchDatabase {
  readonly url: string;
  /** Ends the server and removes everything. Never throws. */
  close(): Promise<void>;
}

async function createDatabase(cluster: Cluster, programs: Installed, name: string, request: ScratchRequest): Promise<void> {
  const attempt = (texts: Texts): Promise<Captured> => {
    const create = `CREATE DATABASE ${identifier(name)} TEMPLATE template0 ENCODING ${literal(request.encoding)}`;
    const args = ['-X', '-q', '-v', 'ON_ERROR_STOP=1', '-d', cluster.url('postgres'), '-c'];
    return capture(programs.file('psql'), [...args, create + localeClauses(texts, programs.major)]);
  };
  const plain = { encoding: request.encoding, collate: 'C', ctype: 'C' };
  let result = await attempt({ ...request, collate: request.collate ?? 'C', ctype: request.ctype ?? 'C' });
  // a locale that this machine does not have: sorting differs, the data does not
  if (result.exitCode !== 0) result = await attempt(plain);
  if (result.exitCode !== 0) throw new Failure('scratch', `no scratch database could be created: ${result.stderr.trim()}`);
}

/**
 * Starts a throwaway server at least as new as `serverMajor` with one empty database of this encoding and, where it exists here, this
 * locale. Throws `server-missing`, `scratch`.
 */
export async function openScratch(request: ScratchRequest, env: NodeJS.ProcessEnv = process.env): Promise<ScratchDatabase> {
  await demandRoom(request.expectedSize);
  const passedOver: string[] = [];
  const programs = chooseServer(await findServers({ env, passOver: (reason) => passedOver.push(reason) }), request.serverMajor, passedOver);
  const cluster = await startCluster({ programs, signal: request.signal }).catch((error: unknown) => {
    const failure = asFailure(error);
    throw failure.code === 'failed' ? new Failure('scratch', failure.message, { hint: failure.hint, cause: failure }) : failure;
  });
  const name = `backup-automation_verify_${randomBytes(4).toString('hex')}`;
  try {
    await createDatabase(cluster, programs, name, request);
  } catch (error) {
    await cluster.stop();
    throw error;
  }
  return { url: cluster.url(name), close: () => cluster.stop() };
}
