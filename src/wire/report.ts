/**
 * wire: puts a text where another program reads it, whole or not at all.
 */
import { resolve } from 'node:path';
import { asFailure, Failure } from '../model/errors.js';
import { errnoOf, writeAtomic } from '../system/files/files.js';

/** In place of the system's words, which name a file that is none of anybody's business. */
const troubles: Readonly<Record<string, string>> = { ENOENT: 'there is no such folder', EISDIR: 'it is a folder' };

/** Everybody may read it (0644). Resolves relative paths by the working directory, and returns the path. Throws `usage`. */
export function writeReport(file: string, text: string): string {
  const path = resolve(file);
  try {
    writeAtomic(path, text, 0o644);
    return path;
  } catch (error) {
    const why = troubles[errnoOf(error)] ?? asFailure(error).message;
    throw new Failure('usage', `${path} cannot be written: ${why}`, {
      hint: 'the folder must be there, and be writable for whoever runs this',
      cause: error,
    });
  }
}
