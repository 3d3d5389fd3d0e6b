/**
 * config: what tells two configurations apart without reading either: the file's status, the flags, the environment. It judges nothing.
 */
import { statSync } from 'node:fs';
import { variables } from './environment.js';
import { findFile, type Given, type Surroundings } from './file.js';

/** Null for a program, whose values may follow from anything. */
export function fingerprintOf(given: Given, surroundings: Surroundings): string | null {
  const file = findFile(given, surroundings);
  if (file !== null && /\.m?js$/.test(file)) return null;
  const found = file === null ? undefined : statSync(file, { throwIfNoEntry: false });
  const { env, cwd } = surroundings;
  const set = [...variables.map(([name]) => name), 'TZ'].flatMap((name) => (env[name] ? [[name, env[name]]] : []));
  const status = found && [found.dev, found.ino, found.size, found.mtimeMs, found.ctimeMs];
  return JSON.stringify([VERSION, file ?? cwd, status ?? null, given.set, set]);
}

declare const VERSION: string;
