/**
 * api: keeps time in the place of cron: once a minute it does what is due. Slots are claimed through the ledger, so that cron beside
 * it makes none a second time.
 */
import { fingerprintOf } from '../config/fingerprint.js';
import { here } from '../config/load.js';
import { executeDue } from '../core/due.js';
import { Ears } from '../core/due/notified.js';
import { msPerMinute } from '../model/units.js';
import { openQuiet } from '../wire/quiet.js';
import type { Tools } from './tools.js';

/** Runs that may be under way; a minute that finds them all at work is left to the next one. */
const atOnce = 8;

/** As `execute --due`: what waits is looked at by every minute's run, and belongs to the one that claims it. */
async function minute(tools: Tools): Promise<void> {
  try {
    const quiet = await openQuiet(tools.options);
    quiet.tick();
    if (quiet.isQuiet()) return;
    const { failure } = await executeDue(await tools.work(null));
    if (failure && failure.code !== 'not-now') tools.log('warn', `what was due: ${failure.message}`);
  } catch (error) {
    tools.log('error', `what was due could not be done: ${String(error)}`);
  }
}

/** Whether a schedule is started by what a database is notified of: found out once for each configuration. */
function askedToListen(tools: Tools): () => Promise<boolean> {
  let known: { readonly configuration: string | null; readonly asked: boolean } | null = null;
  return async () => {
    const configuration = fingerprintOf(tools.options, here());
    if (configuration === null || known?.configuration !== configuration) {
      const { schedules } = await tools.plans();
      known = { configuration, asked: Object.values(schedules).some(({ triggers }) => triggers?.notify !== undefined) };
    }
    return known.asked;
  };
}

/** Listens, and opens what was heard; only where a schedule asks for it. */
async function attend(tools: Tools, ears: Ears, isAsked: () => Promise<boolean>): Promise<void> {
  try {
    if (await isAsked()) await ears.attend(await tools.work(null));
  } catch (error) {
    tools.log('error', `databases could not be listened to: ${String(error)}`);
  }
}

/** Until the server is asked to stop; resolves when the last run has ended. */
export async function keepTime(tools: Tools): Promise<void> {
  const { clock, stopping } = tools;
  const running = new Set<Promise<void>>();
  let bell = new AbortController();
  const ears = new Ears(() => bell.abort());
  const isAsked = askedToListen(tools);
  while (!stopping.aborted) {
    bell = new AbortController();
    await attend(tools, ears, isAsked);
    if (running.size < atOnce) {
      const run = minute(tools).finally(() => running.delete(run));
      running.add(run);
    }
    const now = clock.now().getTime();
    await clock.sleep(msPerMinute - (now % msPerMinute), AbortSignal.any([stopping, bell.signal])).catch(() => {});
  }
  await Promise.all([ears.close(), ...running]);
}
