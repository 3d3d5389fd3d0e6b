/**
 * core: events as they happen. It looks at the ledger again and again; it never waits inside it, and writes nothing.
 */
import type { Clock } from '../../model/roles/clock.js';
import type { BackupEvent } from '../../model/events/event.js';
import type { Position } from '../../model/roles/ledger.js';
import { eventOf } from '../../model/events/record.js';
import { isWanted, type EventQuery } from '../../model/events/timeline.js';
import { listEvents } from './events.js';
import type { Sight } from './liveness.js';

/** Between two looks, ms. */
const pause = 300;

async function newestPosition({ ledger }: Sight): Promise<Position | null> {
  for await (const { position } of ledger.readBackwards()) return position;
  return null;
}

const isSame = (a: Position, b: Position | null): boolean => a.segment === b?.segment && a.offset === b.offset;

/** The newest `limit` events, oldest first, then every new state of an event that is asked for, until the signal aborts. */
export async function* followEvents(
  sight: Sight & { readonly clock: Clock },
  query: EventQuery,
  signal: AbortSignal,
): AsyncGenerator<BackupEvent> {
  let last = await newestPosition(sight);
  yield* (await listEvents(sight, query)).events.toReversed();
  while (!signal.aborted) {
    for await (const { position, record } of sight.ledger.read(undefined, last ?? { segment: 1, offset: 0 })) {
      if (isSame(position, last)) continue;
      last = position;
      if (record.record === 'event' && isWanted(record, query)) yield eventOf(record);
    }
    await sight.clock.sleep(pause, signal).catch(() => {});
  }
}
