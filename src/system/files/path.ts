/**
 * system: what lies at a path, and where a program lies on PATH; knows nothing about any program.
 */
import { accessSync, constants, statSync, type Stats } from 'node:fs';
import { delimiter, join } from 'node:path';

/** The absolute path of an executable regular file on PATH, or null. */
export function onPath(name: string, env: NodeJS.ProcessEnv = process.env): string | null {
  for (const directory of (env['PATH'] ?? '').split(delimiter)) {
    if (!directory.startsWith('/')) continue;
    const file = join(directory, name);
    try {
      accessSync(file, constants.X_OK);
      if (statSync(file).isFile()) return file;
    } catch {
      // not here
    }
  }
  return null;
}

/** Null: it is not there, or may not be seen, as what lies in another user's folders on an inherited PATH. */
function look(path: string): Stats | null {
  try {
    return statSync(path);
  } catch {
    return null;
  }
}

export const isFile = (path: string): boolean => look(path)?.isFile() === true;
export const isFolder = (path: string): boolean => look(path)?.isDirectory() === true;

/** When it was last written or touched; null: it is not there, or may not be seen. */
export const touchedAt = (path: string): Date | null => look(path)?.mtime ?? null;
