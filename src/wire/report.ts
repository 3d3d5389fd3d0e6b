/**
 * wire: puts a text where another program reads it, whole or not at all.
 */
import { resolve } from 'node:path';
import { asFailure, Failure } from '../model/errors.js';
import { writeAtomic } from '../system/files/files.js';

/** Everybody may read it (0644). Resolves relative paths by the working directory, and returns the path. Throws `usage`. */
export function writeReport(file: string, text: string): string {
  const path = resolve(file);
  try {
    writeAtomic(path, text, 0o644);
    return path;
  } catch (error) {
    throw new Failure('usage', `${path} cannot be written: ${asFailure(error).message}`, {
      hint: 'the folder must be there, and be writable for whoever runs this',
      cause: error,
    });
  }
}
