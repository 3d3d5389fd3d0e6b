/**
 * model: the DueMemory role: what `execute --due` found, remembered for the next minute. Everything in it can be found again.
 */
import type { Agenda } from '../events/agenda.js';
import type { Position } from './ledger.js';

export interface DueNote {
  readonly agenda: Agenda;
  /** Of the newest line in the agenda. */
  readonly position: Position;
  /** What there was to look at when it was made. */
  readonly mark: string;
  /** While the mark is the same, nothing is due before it, ISO 8601; null: look. */
  readonly nextAt: string | null;
  /** When servers were last asked whether something changed, ISO 8601; null: they were not. */
  readonly askedAt: string | null;
  /** Files whose touch makes something due. */
  readonly watched: readonly string[];
}

export interface DueMemory {
  /** Null: there is nothing to go on from. */
  recall(): Pick<DueNote, 'agenda' | 'position' | 'askedAt'> | null;
  /** Configuration, ledger, running events and watched files as they are, by what a file's status tells. */
  mark(watched: readonly string[]): string;
  /** Never throws: what could not be remembered is found again. */
  remember(note: DueNote): void;
  /** Whether what is remembered proves that nothing is due. */
  isQuiet(now: Date): boolean;
}
