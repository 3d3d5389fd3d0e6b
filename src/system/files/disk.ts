/**
 * system: how much room a file system has; decides nothing.
 */
import { access, lstat, readdir } from 'node:fs/promises';
import { release } from 'node:os';
import { join, normalize, sep } from 'node:path';
import * as module from 'check-disk-space';
import { capture } from '../programs/exec.js';

// its types describe a CommonJS module, it runs as an ES one: the callable is the default either way
const checkDiskSpace = module.default as unknown as typeof module.default.default;

/** What it works with; `df` is started as every other program is, so that it sees nothing of our environment. */
const means: module.Dependencies = {
  platform: process.platform,
  release: release(),
  fsAccess: access,
  pathNormalize: normalize,
  pathSep: sep,
  cpExecFile: async (file, args) => {
    const { exitCode, stdout, stderr } = await capture(file, args ?? []);
    if (exitCode !== 0) throw new Error(stderr);
    return { stdout, stderr };
  },
};

/** Free bytes for this user on the file system of `path` (or of its nearest parent that exists); null when it cannot be told. */
export async function freeBytes(path: string): Promise<number | null> {
  try {
    return (await checkDiskSpace(path, means)).free;
  } catch {
    return null;
  }
}

/** Bytes of the files in a folder, without those further down; 0 while it is not there. */
export async function sizeOfFolder(path: string): Promise<number> {
  let bytes = 0;
  for (const name of await readdir(path).catch(() => [])) bytes += (await lstat(join(path, name)).catch(() => null))?.size ?? 0;
  return bytes;
}
