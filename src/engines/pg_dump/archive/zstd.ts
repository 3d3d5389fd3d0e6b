/**
 * engines: whether a pg_dump can compress by zstd itself. Newer ones can where they were built with it; no connection is made.
 */
import type { Installed } from '../../../model/backup/client-choice.js';
import { capture } from '../../../system/programs/exec.js';

/** The first that takes `--compress=METHOD:LEVEL`. */
const since = 16;

/** pg_dump refuses a method that it lacks before it looks for the server, which here is nowhere. */
export async function compressesZstd(client: Installed): Promise<boolean> {
  if (client.major < since) return false;
  const args = ['--format=custom', '--compress=zstd', '--no-password', '--host=/dev/null', '--file=/dev/null'];
  const { stderr } = await capture(client.file('pg_dump'), args);
  return /\/dev\/null/.test(stderr) && !/compress/.test(stderr);
}
