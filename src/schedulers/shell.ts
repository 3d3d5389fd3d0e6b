/**
 * schedulers: an entry as a line for /bin/sh, and that line run as a scheduler runs it: with next to no environment.
 */
import type { Entry, Trial } from '../model/roles/scheduler.js';
import { capture } from '../system/programs/exec.js';

/** One word of a shell's line, whatever is in it. */
export const word = (text: string): string => (/^[\w@%+=:,./-]+$/.test(text) ? text : `'${text.replaceAll("'", `'\\''`)}'`);

/** `cd FOLDER && NAME=VALUE PROGRAM WORDS`. */
export function shellLine({ folder, environment, program }: Entry, words: readonly string[]): string {
  const assignments = Object.entries(environment).map(([name, value]) => `${name}=${word(value)}`);
  return [`cd ${word(folder)} &&`, ...assignments, ...[...program, ...words].map(word)].join(' ');
}

/** A rehearsal restores a database: it may take its time. */
const patience = 10 * 60_000;

/** Runs a line by `/bin/sh -c` with nothing in the environment but what is given. */
export async function runBare(line: string, environment: Readonly<Record<string, string>>, signal: AbortSignal): Promise<Trial> {
  const assignments = Object.entries(environment).map(([name, value]) => `${name}=${value}`);
  return capture('/usr/bin/env', ['-i', ...assignments, '/bin/sh', '-c', line], { timeoutMs: patience, signal });
}
