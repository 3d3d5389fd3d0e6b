/**
 * system: an empty database on a throwaway server, to restore into for proof. Knows nothing of backups.
 */
import { randomBytes } from 'node:crypto';
import { chooseServer, type Installed } from '../../model/backup/client-choice.js';
import { chooseScratchPlace } from '../../model/restore/scratch-place.js';
import { localeClauses, type Texts } from '../../model/backup/properties.js';
import { identifier, literal } from '../../model/quote.js';
import { asFailure, Failure } from '../../model/errors.js';
import { startCluster, type Cluster } from './cluster.js';
import { capture, type Captured } from '../programs/exec.js';
import { findServers } from '../programs/programs.js';
import { devicesOf, measurePlaces } from './scratch-places.js';

/** What the scratch server must be able to hold. */
interface ScratchRequest extends Texts {
  readonly serverMajor: number;
  /** What will be restored into it, bytes; null when unknown. */
  readonly expectedSize?: number | null;
  /** Folders of this host where the source's server keeps its data; none: it is elsewhere; null: it cannot be told. */
  readonly source: readonly string[] | null;
  /** Where the server's data shall be, and nowhere else. */
  readonly folder?: string | undefined;
  /** Where it may be, when the temp folders will not do. */
  readonly last: string;
  /** Bytes that stay free on a volume of the source. */
  readonly reserve: number;
  readonly signal: AbortSignal;
}

export interface ScratchDatabase {
  readonly url: string;
  /** Why what it runs is not kept in a cage; null: it is. */
  readonly uncaged: string | null;
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
 * locale, away from the source's data where that is possible. Throws `server-missing`, `scratch`.
 */
export async function openScratch(request: ScratchRequest, env: NodeJS.ProcessEnv = process.env): Promise<ScratchDatabase> {
  const passedOver: string[] = [];
  const programs = chooseServer(await findServers({ env, passOver: (reason) => passedOver.push(reason) }), request.serverMajor, passedOver);
  const { folder, last, source, reserve, expectedSize = null, signal } = request;
  const need = { size: expectedSize, reserve, source: devicesOf(source) };
  const directory = chooseScratchPlace(await measurePlaces(folder, last), need);
  const cluster = await startCluster({ programs, directory, signal, cage: true }).catch((error: unknown) => {
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
  return { url: cluster.url(name), uncaged: cluster.uncaged, close: () => cluster.stop() };
}
