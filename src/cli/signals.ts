/**
 * cli: the first signal asks the work to stop and tidy up, the second one ends the process at once. It stops nothing by itself.
 */
import { Failure } from '../model/errors.js';

const exits = { SIGINT: 130, SIGTERM: 143, SIGHUP: 129 } as const;

let stop: AbortController | null = null;

/**
 * Aborts when the process is asked to stop; its reason is a Failure `interrupted` with the signal's exit code. Installed with
 * the first call, by commands whose work must be tidied up; the others die as every program does.
 */
export function stopSignal(): AbortSignal {
  if (stop) return stop.signal;
  const asked = (stop = new AbortController());
  for (const [name, exit] of Object.entries(exits))
    process.on(name, () => {
      if (asked.signal.aborted) process.exit(exit);
      process.stderr.write(`${name}: stopping; once more ends it at once\n`);
      asked.abort(new Failure('interrupted', `interrupted by ${name}`, { exit }));
    });
  return asked.signal;
}

/** Why the process was asked to stop; null when it was not. */
export function interruption(): Failure | null {
  return stop?.signal.aborted ? (stop.signal.reason as Failure) : null;
}
