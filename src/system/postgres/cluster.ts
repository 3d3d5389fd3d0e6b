/**
 * system: a throwaway PostgreSQL server on a socket that only we may use. It never outlives this process, and holds nothing that
 * anyone may want to keep: it does not even sync.
 */
import { chmod, chown, mkdir, mkdtemp, readdir, readFile, rm, rmdir, writeFile } from 'node:fs/promises';
import { readFileSync, readlinkSync } from 'node:fs';
import { createServer, type AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Installed } from '../../model/backup/client-choice.js';
import { Failure } from '../../model/errors.js';
import { runner, type Runner } from './account.js';
import { caged, isCaged } from './cage.js';
import { capture, start, type Running } from '../programs/exec.js';
import { everyoneMayEnter } from '../files/folders.js';

const prefix = 'backup-automation-cluster-';
const superuser = 'postgres';
/** The socket's name holds it, so it need not be free on the network. */
const socketPort = 5432;
/** Bytes of a socket's path: 107 on Linux, 103 on macOS. */
const longestSocketPath = 103;
const startLimit = 60_000;
const pause = 20;

export interface ClusterRequest {
  readonly programs: Installed;
  /** Where its folder is made; the temp folder when left out. */
  readonly directory?: string;
  readonly encoding?: string;
  /** Falls back to C, keeping the encoding, where this machine does not have it. */
  readonly locale?: string;
  /** Listens on a free port of 127.0.0.1 too, with passwords. */
  readonly tcp?: boolean;
  readonly settings?: Readonly<Record<string, string>>;
  /** In a cage where the kernel allows it: what is in its databases is not trusted. */
  readonly cage?: boolean;
  readonly signal?: AbortSignal;
}

export interface Cluster {
  readonly socketDirectory: string;
  readonly port: number;
  readonly superuser: string;
  readonly major: number;
  readonly dataDirectory: string;
  /** Why it is not in a cage although one was asked for. */
  readonly uncaged: string | null;
  /** A URL that libpq takes, over the socket. */
  url(database: string): string;
  /** Ends it at once and removes everything. Never throws; may be called twice. */
  stop(): Promise<void>;
}

const defaults = {
  fsync: 'off',
  full_page_writes: 'off',
  synchronous_commit: 'off',
  jit: 'off',
  max_wal_size: '2GB',
  shared_buffers: '64MB',
  // what goes wrong is told to the client; our pipe only hears why it does not start
  log_min_messages: 'fatal',
};

/** Tells one run of one process from every other: namespace, pid, start time. Null when there is none, or no /proc. */
function processMark(pid: number | 'self'): string | null {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
    const startTime = stat.slice(stat.lastIndexOf(')') + 2).split(' ')[19];
    return `${readlinkSync('/proc/self/ns/pid')} ${stat.split(' ')[0]} ${startTime}`;
  } catch {
    return null;
  }
}

async function discard(folder: string, as: Runner): Promise<void> {
  // as the account that owns them, so that nothing there can lead root elsewhere
  const inner = [join(folder, 'data'), join(folder, 'socket'), join(folder, 'root')];
  const [file, args] = as.command('rm', ['-rf', ...inner]);
  await capture(file, args, { timeoutMs: 600_000 });
  for (const each of inner) await rmdir(each).catch(() => {});
  await rm(join(folder, 'owner'), { force: true }).catch(() => {});
  await rmdir(folder).catch(() => {});
}

/** Removes what processes left that were killed. */
export async function sweep(parent: string, as: Runner): Promise<void> {
  const ours = processMark('self');
  if (ours === null) return;
  for (const name of (await readdir(parent)).filter((each) => each.startsWith(prefix))) {
    const owner = await readFile(join(parent, name, 'owner'), 'utf8').catch(() => '');
    const [namespace, pid] = owner.split(' ');
    if (namespace !== ours.split(' ')[0] || pid === undefined || processMark(Number(pid)) === owner) continue;
    await discard(join(parent, name), as);
  }
}

/** `data`, `socket` and what becomes the root of a cage belong to the account, the folder around them to us. */
async function makeFolder(parent: string, as: Runner): Promise<string> {
  const folder = await mkdtemp(join(parent, prefix));
  await writeFile(join(folder, 'owner'), processMark('self') ?? '');
  for (const name of ['data', 'socket', 'root']) {
    const inner = join(folder, name);
    await mkdir(inner, { mode: 0o700 });
    if (as.account) await chown(inner, as.account.uid, as.account.gid);
  }
  if (as.account) await chmod(folder, 0o711);
  return folder;
}

async function initialise(request: ClusterRequest, folder: string, as: Runner): Promise<void> {
  const attempt = async (locale: string) => {
    const encoding = request.encoding ?? 'UTF8';
    const options = ['-D', join(folder, 'data'), '-U', superuser, '-E', encoding, '--locale', locale, '--no-sync'];
    const [file, args] = as.command(request.programs.file('initdb'), [...options, '--auth-local=trust', '--auth-host=scram-sha-256']);
    return capture(file, args, { env: { HOME: folder }, timeoutMs: startLimit });
  };
  const wanted = request.locale ?? 'C';
  let result = await attempt(wanted);
  if (result.exitCode !== 0 && wanted !== 'C') result = await attempt('C');
  if (result.exitCode !== 0) throw didNotStart('initdb', `${result.stderr}\n${result.stdout}`);
}

const didNotStart = (program: string, said: string): Failure =>
  new Failure('failed', `no throwaway PostgreSQL could be started: ${program} says "${said.trim().slice(-500)}"`, {
    hint: 'check that the temp folder (TMPDIR) has room and may hold programs, or set verify.server',
  });

async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve) => {
    server.listen(0, '127.0.0.1', resolve);
  });
  const { port } = server.address() as AddressInfo;
  await new Promise((resolve) => {
    server.close(resolve);
  });
  return port;
}

/** A string: why it cannot be in the cage that was asked for. */
function launch(request: ClusterRequest, folder: string, port: number, as: Runner): Running | string {
  const settings = {
    ...defaults,
    listen_addresses: request.tcp ? '127.0.0.1' : '',
    unix_socket_directories: `"${join(folder, 'socket')}"`,
    port: String(port),
    ...request.settings,
  };
  const options = Object.entries(settings).flatMap(([name, value]) => ['-c', `${name}=${value}`]);
  const program = request.programs.file('postgres');
  const own = ['-D', join(folder, 'data'), ...options];
  const command = request.cage ? caged({ file: program, args: own, folder, as }) : as.command(program, own);
  if (typeof command === 'string') return command;
  const [file, args] = command;
  const explain = ({ stderr }: { stderr: string }) => didNotStart('postgres', stderr);
  const running = start({ kind: 'program', file, args, env: { HOME: folder }, explain }, 'ignore', 'pipe');
  return running;
}

/** The eighth line of the pid file says so, and a cage that it is closed. Resolves to why it ended instead. */
async function untilReady(folder: string, running: Running, { cage, signal }: ClusterRequest): Promise<string | null> {
  let ended: string | null = null;
  let closed = !cage;
  running.stdout?.on('data', (said: Buffer) => (closed ||= said.toString().includes(isCaged)));
  void running.exit.then((exit) => (ended = exit.stderr || 'nothing'));
  for (let waited = 0; waited < startLimit; waited += pause) {
    signal?.throwIfAborted();
    if (ended !== null) return ended;
    const lines = await readFile(join(folder, 'data', 'postmaster.pid'), 'utf8').catch(() => '');
    if (closed && lines.split('\n')[7]?.trim() === 'ready') return null;
    await sleep(pause);
  }
  return `nothing for ${startLimit / 1000} s`;
}

/** Whether the path of a server's socket is short enough below a folder. */
export const socketFits = (parent: string): boolean =>
  Buffer.byteLength(join(parent, `${prefix}XXXXXX/socket/.s.PGSQL.${socketPort}.lock`)) <= longestSocketPath;

/** The temp folder, where the server's account can enter it and a socket's path fits in; else /tmp. */
function placeFor(request: ClusterRequest, as: Runner): string {
  const wanted = request.directory ?? tmpdir();
  return socketFits(wanted) && (!as.account || everyoneMayEnter(wanted)) ? wanted : '/tmp';
}

/** At once, and waits for it. */
async function end(running: Running | undefined): Promise<void> {
  running?.signal('SIGQUIT');
  const late = setTimeout(() => running?.signal('SIGKILL'), 10_000);
  await running?.exit;
  clearTimeout(late);
}

/** Starts one; resolves when it takes connections. As root it runs under an unprivileged account. Throws a Failure that says why not. */
export async function startCluster(request: ClusterRequest): Promise<Cluster> {
  const as = runner();
  const parent = placeFor(request, as);
  await sweep(parent, as);
  const folder = await makeFolder(parent, as);
  let running: Running | undefined;
  const stop = async () => {
    await end(running);
    await discard(folder, as);
  };
  /** Resolves to why it did not start. */
  const attempt = async (how: ClusterRequest, port: number): Promise<string | null> => {
    const launched = launch(how, folder, port, as);
    if (typeof launched === 'string') return launched;
    running = launched;
    return untilReady(folder, running, how);
  };
  try {
    const port = request.tcp ? await freePort() : socketPort;
    await initialise(request, folder, as);
    request.signal?.throwIfAborted();
    let failed = await attempt(request, port);
    const uncaged = request.cage ? failed : null;
    if (uncaged !== null) {
      await end(running);
      await rm(join(folder, 'data', 'postmaster.pid'), { force: true });
      failed = await attempt({ ...request, cage: false }, port);
    }
    if (failed !== null) throw didNotStart('postgres', failed);
    const socketDirectory = join(folder, 'socket');
    const query = `host=${encodeURIComponent(socketDirectory)}&port=${port}&user=${superuser}`;
    return {
      socketDirectory,
      port,
      superuser,
      major: request.programs.major,
      dataDirectory: join(folder, 'data'),
      uncaged: uncaged?.trim().split('\n').at(-1) ?? null,
      url: (database) => `postgresql:///${encodeURIComponent(database)}?${query}`,
      stop,
    };
  } catch (error) {
    await stop();
    throw error;
  }
}
