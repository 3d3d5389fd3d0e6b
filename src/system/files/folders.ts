/**
 * system: whether a folder can be trusted with programs and reached by other accounts. Looks only, changes nothing.
 */
import { accessSync, constants, lstatSync, statSync, type Stats } from 'node:fs';
import { dirname } from 'node:path';

/** This process's user id; 0 where the platform has none. */
export const ourUid = (): number => process.geteuid?.() ?? 0;

/** Null when there is nothing, or nothing that we may see. */
export function look(path: string): Stats | null {
  try {
    return statSync(path);
  } catch {
    return null;
  }
}

/** `path`, then each folder above it, up to the root. */
export function* upwards(path: string): Generator<string> {
  yield path;
  const parent = dirname(path);
  if (parent !== path) yield* upwards(parent);
}

/** Whether any account may enter it, as far as it exists. */
export function everyoneMayEnter(path: string): boolean {
  return [...upwards(path)].every((each) => {
    const found = look(each);
    return found === null || (found.mode & 0o001) !== 0;
  });
}

/** Whether it is a real folder that only root or we can write. */
export function isTrusted(path: string): boolean {
  try {
    const found = lstatSync(path);
    return found.isDirectory() && (found.uid === ourUid() || found.uid === 0) && (found.mode & 0o022) === 0;
  } catch {
    return false;
  }
}

export function mayWrite(path: string): boolean {
  try {
    accessSync(path, constants.W_OK | constants.X_OK);
    return true;
  } catch {
    return false;
  }
}
