/**
 * wire: runs the user's own command on the user's terminal, in the user's whole environment.
 */
import { Failure } from '../model/errors.js';
import { attach } from '../system/programs/exec.js';
import { onPath } from '../system/files/path.js';

/** Resolves to its exit code; 128 + 15 when a signal ended it. Throws `usage` when there is no such program. */
export async function runOnTerminal([program = '', ...args]: readonly string[], signal: AbortSignal): Promise<number> {
  const file = program.includes('/') ? program : onPath(program);
  if (!file)
    throw new Failure('usage', `there is no program ${JSON.stringify(program)} on PATH`, { hint: 'nothing was run; the backup is kept' });
  const code = await attach(file, args, { cwd: process.cwd(), env: {}, hidden: /^$/, stdout: 'stdout', signal });
  return code ?? 143;
}
