/**
 * api: takes up a certificate that was renewed on disk, while the server runs. One that is no use changes nothing, and the log says so.
 */
import type { Clock } from '../../model/roles/clock.js';
import type { Log } from '../../model/roles/log.js';
import type { Certificate } from '../../wire/access.js';

/** Between two looks at the files, ms. */
const pause = 2000;

export interface Renewal {
  /** What the files hold now. Throws when they cannot be read. */
  readonly read: () => Certificate | null;
  /** Throws when the two do not fit each other. */
  readonly take: (certificate: Certificate) => void;
  readonly clock: Clock;
  readonly log: Log;
  /** Ends the watch. */
  readonly stopping: AbortSignal;
}

/** Its files are written one after the other: only what is wrong twice is told, and once. */
export async function watchCertificate(current: Certificate, { read, take, clock, log, stopping }: Renewal): Promise<void> {
  let [used, wrong, told] = [JSON.stringify(current), '', ''];
  for (;;) {
    await clock.sleep(pause, stopping).catch(() => {});
    if (stopping.aborted) return;
    try {
      const found = read();
      const text = JSON.stringify(found);
      if (found && text !== used) {
        take(found);
        used = text;
        log('info', 'serve: a new certificate was taken up');
      }
      [wrong, told] = ['', ''];
    } catch (error) {
      const problem = error instanceof Error ? error.message : String(error);
      if (problem === wrong && problem !== told) {
        told = problem;
        log('error', `serve: the new certificate is no use, so the one before is kept: ${problem}`);
      }
      wrong = problem;
    }
  }
}
