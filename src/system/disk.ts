/**
 * system: how much room a file system has; decides nothing.
 */
import * as module from 'check-disk-space';

// its types describe a CommonJS module, it runs as an ES one: the callable is the default either way
const checkDiskSpace = module.default as unknown as typeof module.default.default;

/** Free bytes for this user on the file system of `path` (or of its nearest parent that exists); null when it can not be told. */
export async function freeBytes(path: string): Promise<number | null> {
  try {
    return (await checkDiskSpace(path)).free;
  } catch {
    return null;
  }
}
