/**
 * model: moments on the wall clock of a zone, written for people and programs.
 */
import { msPerMinute } from '../units.js';
import { offsetOf, wallOf } from './wall.js';

/** `2026-03-29T03:00:00+02:00`. */
export function localIso(at: Date, zone: string): string {
  const minutes = Math.round(offsetOf(at.getTime(), zone) / msPerMinute);
  const two = (number: number) => String(number).padStart(2, '0');
  const offset = `${minutes < 0 ? '-' : '+'}${two(Math.floor(Math.abs(minutes) / 60))}:${two(Math.abs(minutes) % 60)}`;
  return `${new Date(wallOf(at.getTime(), zone)).toISOString().slice(0, 19)}${offset}`;
}

/** A moment as both clocks show it. */
export interface TwoClocks {
  readonly local: string;
  /** ISO 8601. */
  readonly utc: string;
}
export const onBothClocks = (at: Date, zone: string): TwoClocks => ({ local: localIso(at, zone), utc: at.toISOString() });
