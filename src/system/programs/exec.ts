/**
 * system: the only door to other programs. Arguments are arrays, never a shell; the environment is an allowlist; every
 * child is its own process group and dies with us.
 */
import { execa, type ResultPromise } from 'execa';
import type { Readable, Writable } from 'node:stream';
import { Failure } from '../../model/errors.js';
import type { ProgramExit, ProgramStage } from '../../model/roles/flow.js';
import { redact } from '../../model/redact.js';
import { onPath } from '../files/path.js';

/** The exit code after SIGTERM. */
const terminated = 143;
const stderrTail = 64 * 1024;

const passedOn = ['PATH', 'HOME', 'USER', 'LOGNAME', 'TMPDIR', 'TZ', 'LD_LIBRARY_PATH', 'SSL_CERT_FILE', 'SSL_CERT_DIR'];

/** What every child gets beside its own variables; texts in English, since they are read by `classifyServerMessage`. */
function childEnvironment(own: Readonly<Record<string, string>> = {}): Record<string, string> {
  const environment: Record<string, string> = { LC_ALL: 'C' };
  for (const name of passedOn) {
    const value = process.env[name];
    if (value !== undefined) environment[name] = value;
  }
  return { ...environment, ...own };
}

/** So that a child does not outlive us, even after `kill -9` (Linux; elsewhere the group is all there is). */
function tiedToUs(file: string, args: readonly string[]): [string, string[]] {
  const setpriv = onPath('setpriv');
  return setpriv ? [setpriv, ['--pdeathsig', 'KILL', '--', file, ...args]] : [file, [...args]];
}

/**
 * Runs "$@" in this process group until it ends. Who dies with us is only told of us, by HUP: the children of "$@" are not, nor are they
 * when "$@" is killed. So the whole group is ended then.
 */
const watch = `trap 'kill -KILL 0' HUP
trap : TERM
"$0" "$@" & child=$!
while wait $child; end=$?; kill -0 $child 2>/dev/null; do :; done
[ $end -le 128 ] || kill -KILL 0
exit $end`;

/** The same for a program that has children of its own. Its arguments are only ever arguments; it reads no input. */
function familyTiedToUs(file: string, args: readonly string[]): [string, string[]] {
  const setpriv = onPath('setpriv');
  return setpriv ? [setpriv, ['--pdeathsig', 'HUP', '--', '/bin/sh', '-c', watch, file, ...args]] : [file, [...args]];
}

const groups = new Set<number>();

function signalGroup(pid: number, signal: NodeJS.Signals): void {
  try {
    process.kill(-pid, signal);
  } catch {
    // already gone
  }
}

/** Ends every running child's process group at once. For the second Ctrl-C and the last resort. */
function killAll(): void {
  for (const pid of groups) signalGroup(pid, 'SIGKILL');
}
process.on('exit', killAll);

export interface Captured {
  readonly exitCode: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

export interface CaptureOptions {
  readonly env?: Readonly<Record<string, string>>;
  readonly timeoutMs?: number;
  readonly input?: string;
  readonly signal?: AbortSignal;
  /** Whether what it started itself, and left, ends with it. */
  readonly alone?: boolean;
}

/** Runs a short program to its end, output bounded to 1 MB, its whole group ended at the time limit. One that cannot be started has exitCode null. */
export async function capture(file: string, args: readonly string[], options: CaptureOptions = {}): Promise<Captured> {
  const [program, tied] = tiedToUs(file, args);
  const child = execa(program, tied, {
    env: childEnvironment(options.env),
    extendEnv: false,
    reject: false,
    maxBuffer: 1e6,
    detached: true,
    ...(options.input === undefined ? { stdin: 'ignore' as const } : { input: options.input }),
  });
  const { pid } = child;
  if (pid !== undefined) groups.add(pid);
  const end = () => pid !== undefined && signalGroup(pid, 'SIGKILL');
  const timer = setTimeout(end, options.timeoutMs ?? 30_000);
  // at its own end, not that of its output, which what it left may hold open
  if (options.alone) child.once('exit', end);
  options.signal?.addEventListener('abort', end, { once: true });
  const result = await child;
  clearTimeout(timer);
  options.signal?.removeEventListener('abort', end);
  if (pid !== undefined) groups.delete(pid);
  const stderr = pid === undefined ? (result.originalMessage ?? '') : result.stderr;
  return { exitCode: result.exitCode ?? null, stdout: result.stdout, stderr: redact(stderr) };
}

export interface AttachOptions {
  readonly cwd: string;
  /** Set beside our whole environment, of which `hidden` is left out. */
  readonly env: Readonly<Record<string, string>>;
  readonly hidden: RegExp;
  /** Where its stdout goes: ours, or our stderr. */
  readonly stdout: 'stdout' | 'stderr';
  readonly signal: AbortSignal;
}

/**
 * Runs a program on our own terminal to its end; resolves to its exit code, null when a signal ended it. Ctrl-C reaches it from the
 * terminal, a TERM that we get is handed on.
 */
export async function attach(file: string, args: readonly string[], options: AttachOptions): Promise<number | null> {
  const [program, tied] = tiedToUs(file, args);
  const { cwd, signal } = options;
  const kept = Object.entries(process.env).filter(([name]) => !options.hidden.test(name));
  const env = { ...Object.fromEntries(kept), ...options.env };
  const stdout = options.stdout === 'stderr' ? process.stderr : 'inherit';
  const child = execa(program, tied, { cwd, env, extendEnv: false, stdin: 'inherit', stdout, stderr: 'inherit', reject: false });
  const handOn = () => signal.reason instanceof Failure && signal.reason.exit === terminated && child.kill('SIGTERM');
  signal.addEventListener('abort', handOn, { once: true });
  const { exitCode } = await child;
  signal.removeEventListener('abort', handOn);
  return exitCode ?? null;
}

/** A started program of a flow. */
export interface Running {
  readonly stage: ProgramStage;
  readonly stdin: Writable | null;
  readonly stdout: Readable | null;
  /** How it ended; never rejects. */
  readonly exit: Promise<ProgramExit>;
  /** Signals its whole process group; nothing when it has ended. */
  signal(name: NodeJS.Signals): void;
}

/** Starts a program; with a `core` on that one, behind everybody else there. A stream given as `stdout` hands its descriptor to the child: a kernel pipe between two programs. */
export function start(stage: ProgramStage, stdin: 'pipe' | 'ignore', stdout: 'pipe' | Writable, core?: number): Running {
  const tied = stage.forks ? familyTiedToUs : tiedToUs;
  const [program, args] =
    core === undefined
      ? tied(stage.file, stage.args)
      : tied('nice', ['-n', '19', 'taskset', '-c', String(core), stage.file, ...stage.args]);
  const child = execa(program, args, {
    env: childEnvironment(stage.env),
    extendEnv: false,
    stdin,
    stdout,
    stderr: 'pipe',
    buffer: false,
    reject: false,
    detached: true,
    cleanup: false,
  }) as ResultPromise<{ buffer: false; reject: false }>;
  const { pid } = child;
  if (pid !== undefined) groups.add(pid);
  let tail = Buffer.alloc(0);
  const errors = child.stderr as Readable | null;
  errors?.on('data', (data: Buffer) => {
    tail = Buffer.concat([tail, data]).subarray(-stderrTail);
  });
  errors?.on('error', () => {});
  const exit = child.then((result): ProgramExit => {
    if (pid !== undefined) groups.delete(pid);
    const said = redact(tail.toString('utf8').trim());
    return {
      file: stage.file,
      exitCode: result.exitCode ?? null,
      signal: result.signal ?? null,
      stderr: pid === undefined ? (result.originalMessage ?? said) : said,
    };
  });
  return {
    stage,
    stdin: child.stdin,
    stdout: child.stdout,
    exit,
    signal: (name) => {
      if (pid !== undefined && groups.has(pid)) signalGroup(pid, name);
    },
  };
}
