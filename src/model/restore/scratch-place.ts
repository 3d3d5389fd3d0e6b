/**
 * model: where a backup may be restored for proof: away from the source's volumes where that is possible, and never so that they fill up.
 */
import { Failure } from '../errors.js';
import { formatBytes } from '../units.js';

export interface ScratchPlace {
  readonly folder: string;
  /** Number of its file system, as stat(2) tells it. */
  readonly device: number | null;
  /** Bytes; null when it cannot be told. */
  readonly free: number | null;
  /** Why no server can keep its data there; null: one can. */
  readonly obstacle: string | null;
}

export interface ScratchNeed {
  /** What will be restored took so many bytes in the source; null when unknown. */
  readonly size: number | null;
  /** Bytes that stay free on a volume of the source. */
  readonly reserve: number;
  /** Devices of the source; none: they are not this machine's; null: any may be one. */
  readonly source: readonly number[] | null;
}

/** A restored database with its indexes and its log, compared with the source. */
const growth = 1.2;

/**
 * The first place that is away from the source and keeps the reserve, else the first away from it with room, else the first that keeps
 * the reserve. Throws `scratch`.
 */
export function chooseScratchPlace(places: readonly ScratchPlace[], { size, reserve, source }: ScratchNeed): string {
  const usable = places.filter(({ obstacle }) => obstacle === null);
  const isAway = ({ device }: ScratchPlace): boolean =>
    source !== null && (source.length === 0 || (device !== null && !source.includes(device)));
  const needed = Math.ceil((size ?? 0) * growth);
  const holds = ({ free }: ScratchPlace, bytes: number): boolean => free === null || free >= bytes;
  const found =
    usable.find((place) => isAway(place) && holds(place, needed + reserve)) ??
    usable.find((place) => isAway(place) && holds(place, needed)) ??
    usable.find((place) => holds(place, needed + reserve));
  if (found) return found.folder;
  const seen = new Set<number | null>();
  const where = (place: ScratchPlace) => (isAway(place) ? 'away' : source === null ? 'unknown' : 'beside');
  const described = places.flatMap((place) => {
    if (place.obstacle !== null) return `${place.folder} ${place.obstacle}`;
    return seen.size === seen.add(place.device).size ? [] : describe(place, where(place), reserve);
  });
  throw new Failure('scratch', `there is no room to restore for proof, which needs ${formatBytes(needed)}: ${described.join('; ')}`);
}

function describe({ folder, free }: ScratchPlace, where: 'away' | 'beside' | 'unknown', reserve: number): string {
  const room = `${folder} has ${formatBytes(free ?? 0)} free`;
  if (where === 'away') return room;
  const which = where === 'beside' ? 'on' : 'perhaps on';
  return `${room}, ${which} the volume of the database's own data, where ${formatBytes(reserve)} stay free (conditions.minDiskSpace)`;
}
