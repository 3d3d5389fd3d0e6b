/**
 * api: what a page that is open hears while it is: how far backups are, and that something happened. It ends with the session.
 */
import { activeEvents } from '../../core/history/events.js';
import { msPerSecond } from '../../model/units.js';
import type { OpenSight } from '../../wire/sight.js';
import type { Feed } from '../feed.js';
import { progressOf } from './views/running.js';
import type { Here } from './views/parts.js';

interface Watched {
  readonly sight: OpenSight;
  readonly feed: Feed;
  readonly signal: AbortSignal;
  readonly here: () => Here;
  /** Whether who looks may still look. */
  readonly isIn: () => boolean;
}

const pause = msPerSecond;
/** Between two signs of life, ms. */
const silence = 15_000;

const message = (event: string, data: unknown): string => `event: ${event}\ndata: ${JSON.stringify(data)}\n\n`;

/** Where the ledger ends: another place means that something happened. */
async function endOf({ ledger }: OpenSight): Promise<string> {
  for await (const { position } of ledger.readBackwards()) return `${position.segment} ${position.offset}`;
  return '';
}

/** Server-sent events. */
export async function* live({ sight, feed, signal, here, isIn }: Watched): AsyncGenerator<string> {
  let [end, told, spoken] = [await endOf(sight), '', sight.clock.monotonic()];
  yield 'retry: 3000\n\n';
  while (!signal.aborted && isIn()) {
    const running = await activeEvents(sight);
    const progress = message(
      'progress',
      Object.fromEntries(running.map((event) => [event.id, String(progressOf(event, feed.doing(event.database), here()))])),
    );
    const now = await endOf(sight);
    const said = [...(running.length > 0 && progress !== told ? [progress] : []), ...(now === end ? [] : [message('changed', {})])];
    [end, told] = [now, progress];
    if (said.length === 0 && sight.clock.monotonic() - spoken > silence) said.push(': still here\n\n');
    if (said.length > 0) spoken = sight.clock.monotonic();
    yield* said;
    await sight.clock.sleep(pause, signal).catch(() => {});
  }
}
