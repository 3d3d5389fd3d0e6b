/**
 * core: what the ledger tells of a schedule around a moment, behind a `clear` too. Writes nothing.
 */
import type { BackupEvent } from '../../model/events/event.js';
import type { MissedRecord } from '../../model/events/ledger.js';
import type { LedgerLine } from '../../model/roles/ledger.js';
import { timeline } from '../../model/events/timeline.js';
import { msPerDay } from '../../model/units.js';
import { asSeen, type Sight } from '../history/liveness.js';

/** An event is near a moment when it was created so long before or after it. */
const near = 2 * msPerDay;

export interface Around {
  /** Under way then, else the nearest; of each database, the newest first. */
  readonly events: readonly BackupEvent[];
  readonly missed: readonly MissedRecord[];
  /** When the listings were cleared behind that moment, ISO 8601, and by whom. */
  readonly cleared: { readonly at: string; readonly by: string } | null;
}

/** How far an event is from a moment, ms: nothing while it was under way. */
function distance({ timestamp, result, status }: BackupEvent, at: number): number {
  const begin = Date.parse(timestamp);
  const end = result ? begin + result.duration : status === 'running' || status === 'pending' ? Number.POSITIVE_INFINITY : begin;
  return at < begin ? begin - at : at > end ? at - end : 0;
}

export async function lookAround(sight: Sight, scheduleId: string, at: Date): Promise<Around> {
  const missed: MissedRecord[] = [];
  let cleared: Around['cleared'] = null;
  const moment = at.toISOString();
  async function* lines(): AsyncGenerator<LedgerLine> {
    for await (const line of sight.ledger.readBackwards()) {
      const { record } = line;
      if (record.record === 'clear' && record.at > moment) cleared = { at: record.at, by: record.by };
      if (record.record === 'missed' && record.scheduleId === scheduleId && record.from <= moment && moment <= record.until)
        missed.push(record);
      // what was cleared from listings is still known
      if (record.record !== 'clear') yield line;
    }
  }
  const nearest = new Map<string, BackupEvent>();
  for await (const found of timeline(lines(), at.getTime() - near)) {
    if (found.scheduleId !== scheduleId) continue;
    const event = await asSeen(sight, found);
    const away = distance(event, at.getTime());
    const known = nearest.get(event.database);
    if (away <= near && (!known || away < distance(known, at.getTime()))) nearest.set(event.database, event);
  }
  return { events: [...nearest.values()].toSorted((a, b) => (a.timestamp < b.timestamp ? 1 : -1)), missed, cleared };
}
