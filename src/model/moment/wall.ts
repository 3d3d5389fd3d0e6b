/**
 * model: the wall clock of an IANA zone. A wall time is a number of ms, read as if it were UTC. Knows no clock of its own.
 */
import { msPerMinute } from '../units.js';

const formats = new Map<string, Intl.DateTimeFormat>();

/** One formatter a zone: making one is slow. Throws RangeError for an unknown zone. */
function formatOf(zone: string): Intl.DateTimeFormat {
  const known = formats.get(zone);
  if (known) return known;
  const made = new Intl.DateTimeFormat('sv-SE', { timeZone: zone, dateStyle: 'short', timeStyle: 'medium' });
  formats.set(zone, made);
  return made;
}

/** What the wall clock shows at a moment (ms since 1970), to the second. */
export const wallOf = (moment: number, zone: string): number => Date.parse(`${formatOf(zone).format(moment).replace(' ', 'T')}Z`);

/** `2026-03-29T02:00` of a wall time. */
export const wallText = (wall: number): string => new Date(wall).toISOString().slice(0, 16);

/** ms that the wall clock is before UTC. */
export const offsetOf = (moment: number, zone: string): number => wallOf(moment, zone) - Math.floor(moment / 1000) * 1000;

const hour = 60 * msPerMinute;
/** No zone is further from UTC than this: before and after a wall time whatever its zone does. */
const before = 15 * hour;
const after = 13 * hour;

/** The first moment after `from`, until `until`, that the offset is not `offset`; by halving. */
function changeBetween(from: number, until: number, offset: number, zone: string): number {
  let [low, high] = [from, until];
  while (high - low > 1000) {
    const middle = Math.floor((low + high) / 2000) * 1000;
    if (middle <= low) break;
    if (offsetOf(middle, zone) === offset) low = middle;
    else high = middle;
  }
  return high;
}

export interface Placement {
  /** The first moment at which the wall clock shows it; of a time that it skips, the first whole minute after the gap. */
  readonly moment: number;
  /** What the zone's clock does at this wall time. */
  readonly change: 'skipped' | 'repeated' | null;
}

/** When the wall clock shows a wall time. Never earlier for a later wall time. */
export function place(wall: number, zone: string): Placement {
  const offsets = [offsetOf(wall - before, zone), offsetOf(wall + after, zone)] as const;
  const moments = [...new Set(offsets)].map((offset) => wall - offset).filter((moment) => wallOf(moment, zone) === wall);
  const [first, second] = moments.toSorted((a, b) => a - b);
  if (first !== undefined) return { moment: first, change: second === undefined ? null : 'repeated' };
  const change = changeBetween(wall - offsets[1], wall - offsets[0], offsets[0], zone);
  const offset = offsetOf(change, zone);
  return { moment: Math.ceil((change + offset) / msPerMinute) * msPerMinute - offset, change: 'skipped' };
}

export interface ClockChange {
  readonly at: number;
  /** The wall times that are skipped or repeated: from the first on, up to the second. */
  readonly from: number;
  readonly until: number;
  readonly kind: 'skipped' | 'repeated';
}

/** The changes of a zone's clock between two moments; two within the same half day are seen as one. */
export function clockChanges(zone: string, from: number, until: number): ClockChange[] {
  const changes: ClockChange[] = [];
  for (let at = from; at < until; at += 12 * hour) {
    const end = Math.min(at + 12 * hour, until);
    const offset = offsetOf(at, zone);
    const next = offsetOf(end, zone);
    if (offset === next) continue;
    const change = changeBetween(at, end, offset, zone);
    const [low, high] = [change + Math.min(offset, next), change + Math.max(offset, next)];
    changes.push({ at: change, from: low, until: high, kind: next > offset ? 'skipped' : 'repeated' });
  }
  return changes;
}
