/**
 * test: how faults are injected: system calls by strace, small file systems by tmpfs, limits by prlimit. Nothing of the product's code
 * knows of it.
 */
import { execFileSync, spawnSync } from 'node:child_process';
import { chmodSync, mkdirSync, mkdtempSync, readFileSync, rmSync, statfsSync, truncateSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { CliOptions } from '../fixtures/cli.js';
import { until } from './processes.js';

const runs = (file: string, ...args: string[]): boolean => spawnSync(file, args, { stdio: 'ignore' }).status === 0;

/** Why strace cannot be used here; null when it can. */
export const noStrace: string | null = runs('strace', '-f', '--seccomp-bpf', '-qq', '-o', '/dev/null', 'true')
  ? null
  : 'strace is missing, or may not trace here';
export const noPrlimit: string | null = runs('prlimit', '--version') ? null : 'prlimit is missing';

function tryMount(): string | null {
  const folder = mkdtempSync(join(tmpdir(), 'backup-automation-mount-'));
  try {
    if (!runs('mount', '-t', 'tmpfs', '-o', 'size=64k', 'tmpfs', folder)) return 'file systems cannot be mounted here';
    execFileSync('umount', [folder]);
    return null;
  } finally {
    rmSync(folder, { recursive: true });
  }
}
/** Why a file system cannot be mounted here; null when it can. */
export const noMount: string | null = tryMount();

/** All asynchronous calls on one thread, so that strace, which counts for each thread, counts them in one row. */
const oneThread = { UV_THREADPOOL_SIZE: '1' };

/** Runs a command with faults: each an `inject=` of strace, such as `fsync:error=EIO:when=2`. Only calls on `path` are counted, when given. */
export function underStrace(faults: readonly string[], path?: string): Pick<CliOptions, 'under' | 'env'> {
  const calls = [...new Set(faults.map((fault) => fault.split(':')[0] ?? ''))];
  // strace 6.1 sends no signal with --seccomp-bpf, and knows no path with it
  const fast = path === undefined && faults.every((fault) => !fault.includes('signal='));
  const where = fast ? ['--seccomp-bpf'] : path === undefined ? [] : ['-P', path];
  const expressions = [`trace=${calls.join(',')}`, ...faults.map((fault) => `inject=${fault}`)];
  return { under: ['strace', '-f', '-qq', ...where, '-o', '/dev/null', ...expressions.flatMap((one) => ['-e', one])], env: oneThread };
}

/** Runs a command and writes down its calls, a line each: `<thread> <call>(...) = ...`. */
export function watched(calls: readonly string[], file: string): Pick<CliOptions, 'under' | 'env'> & { readonly lines: () => string[] } {
  return {
    under: ['strace', '-f', '--seccomp-bpf', '-qq', '-o', file, '-e', `trace=${calls.join(',')}`],
    env: oneThread,
    lines: () => readFileSync(file, 'utf8').split('\n'),
  };
}

export interface SmallDisk {
  readonly path: string;
  /** Leaves room for so many bytes more, in whole pages. */
  leave(bytes: number): void;
  umount(): void;
}

export const pageSize = 4096;

/** A file system of memory, of a size that can be changed. */
export function mountSmallDisk(): SmallDisk {
  const path = mkdtempSync(join(tmpdir(), 'backup-automation-disk-'));
  const mount = (...options: string[]) => execFileSync('mount', ['-o', options.join(','), '-t', 'tmpfs', 'tmpfs', path]);
  mount('size=64m', 'mode=0700');
  mkdirSync(join(path, 'data'), { mode: 0o700 });
  return {
    path: join(path, 'data'),
    leave: (bytes) => {
      const { blocks, bfree, bsize } = statfsSync(path);
      mount('remount', `size=${(blocks - bfree) * bsize + Math.ceil(bytes / pageSize) * pageSize}`);
    },
    umount: () => {
      execFileSync('umount', ['-l', path]); // even when a failed test still reads there
      rmSync(path, { recursive: true });
    },
  };
}

/** A volume of 64 MiB in a file on a disk of 24 MiB: what is written is taken, and lost when it is made durable. */
export function mountThinVolume(): { readonly path: string; grow(): void; umount(): void } {
  const below = mkdtempSync(join(tmpdir(), 'backup-automation-thin-'));
  const disk = (options: string) => execFileSync('mount', ['-t', 'tmpfs', '-o', options, 'tmpfs', below]);
  disk('size=24m');
  const volume = mountImage(join(below, 'image'), 64, ['-O', '^has_journal']);
  mkdirSync(join(volume.path, 'data'), { mode: 0o700 });
  return {
    path: join(volume.path, 'data'),
    grow: () => disk('remount,size=200m'),
    umount: () => {
      volume.umount();
      execFileSync('umount', ['-l', below]);
      rmSync(below, { recursive: true });
    },
  };
}

/** A volume of its own in a file, ext4; everyone may enter it. */
export function mountVolume(megabytes: number): { readonly path: string; umount(): void } {
  const folder = mkdtempSync(join(tmpdir(), 'backup-automation-volume-'));
  const { path, umount } = mountImage(join(folder, 'image'), megabytes);
  return {
    path,
    umount: () => {
      umount();
      rmSync(folder, { recursive: true });
    },
  };
}

/** A volume that loses, when it is cut, whatever was not made durable: names, sizes and bytes, each for itself. */
export interface FragileVolume {
  readonly path: string;
  /** As a power cut does. From then on every call on it fails; those who use it must have been stopped before, and be killed then. */
  cut(): void;
  /** The power is back. */
  remount(): Promise<void>;
  umount(): Promise<void>;
}

/** EXT4_IOC_SHUTDOWN without a flush of the journal. */
const shutdown = 'my $how = pack("L", 2); open(F, "<", $ARGV[0]) or die $!; defined(ioctl(F, 0x8004587d, $how)) or die $!';

export function mountFragileVolume(): FragileVolume {
  const folder = mkdtempSync(join(tmpdir(), 'cut-'));
  let image = join(folder, 'image');
  const path = join(folder, 'volume');
  // what hides a missing fsync is off, and nothing is written by itself for five minutes
  const mount = () => execFileSync('mount', ['-o', 'loop,noauto_da_alloc,commit=300,data=writeback', image, path]);
  const release = () => until('the volume is not used any more', () => runs('umount', path), 30);
  mkdirSync(path);
  makeImage(image, 256);
  mount();
  return {
    path,
    cut: () => void execFileSync('perl', ['-e', shutdown, path]),
    async remount() {
      await release();
      // who was caged meanwhile still sees the volume as it was cut: the kernel would give that one again
      const cut = image;
      image = `${cut}+`;
      execFileSync('cp', ['--sparse=always', cut, image]);
      rmSync(cut);
      mount();
    },
    async umount() {
      await release();
      rmSync(folder, { recursive: true });
    },
  };
}

function makeImage(file: string, megabytes: number, options: readonly string[] = []): void {
  writeFileSync(file, '');
  truncateSync(file, megabytes * 1024 * 1024);
  execFileSync('mkfs.ext4', ['-q', '-F', '-m', '0', ...options, file], { stdio: 'ignore' });
}

function mountImage(file: string, megabytes: number, options: readonly string[] = []) {
  const path = mkdtempSync(join(tmpdir(), 'vol-'));
  makeImage(file, megabytes, options);
  execFileSync('mount', ['-o', 'loop', file, path]);
  chmodSync(path, 0o777);
  return {
    path,
    umount: () => {
      execFileSync('umount', ['-l', path]);
      rmSync(path, { recursive: true });
    },
  };
}
