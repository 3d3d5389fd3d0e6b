/**
 * system: the newest state of single events, for the compare-and-set under the ledger's lock. It remembers what it read
 * and reads only what was appended since; forgetting it all is always safe.
 */
import { closeSync, constants } from 'node:fs';
import type { EventRecord, LedgerRecord, Position } from '../../model/events/ledger.js';
import { earliestLine, idOf, settle, timeOfId } from '../../model/events/record.js';
import { lineStart } from './append.js';
import { backwards, forwards } from './read.js';
import { openSegment, segmentsOf } from './segments.js';

export interface State {
  readonly record: EventRecord | null;
  /** A newer version of this tool wrote about it: it is not ours to change. */
  readonly newer: boolean;
}

const none: State = { record: null, newer: false };
const later = (state: State, record: LedgerRecord): State =>
  record.record === 'event' ? { ...state, record: state.record ? settle(state.record, record) : record } : { ...state, newer: true };
const earlier = (state: State, record: LedgerRecord): State =>
  record.record === 'event' ? { ...state, record: state.record ? settle(record, state.record) : record } : { ...state, newer: true };

/** Looks for an event from the newest line on. `bounded`: no further back than lines of its time, which its id tells, can lie. */
function lookBack(stateDirectory: string, id: string, bounded: boolean): State {
  const time = timeOfId(id);
  const earliest = time === null ? '' : earliestLine(time);
  let state = none;
  for (const batch of backwards(stateDirectory))
    for (const { record } of batch) {
      if (idOf(record) === id) {
        state = earlier(state, record);
        if (record.record === 'event' && record.step === 0) return state;
      }
      if (record.at < earliest && (bounded || state !== none)) return state;
    }
  return state;
}

/** The newest state of an event, wherever its lines lie. */
export function findState(stateDirectory: string, id: string): State {
  const near = lookBack(stateDirectory, id, true);
  return near === none ? lookBack(stateDirectory, id, false) : near;
}

function endOf(stateDirectory: string): Position {
  const newest = segmentsOf(stateDirectory).at(-1);
  if (!newest) return { segment: 1, offset: 0 };
  const { fd, size } = openSegment(newest, constants.O_RDONLY);
  try {
    return { segment: newest.number, offset: lineStart(fd, size) };
  } finally {
    closeSync(fd);
  }
}

const mostRemembered = 4096;

export interface States {
  /** The newest state. `creating` bounds the search: an event that is about to be created has no old lines. */
  of(id: string, creating: boolean): State;
}

export function openStates(stateDirectory: string): States {
  let seen: Position | null = null;
  const known = new Map<string, State>();

  const catchUp = (): void => {
    if (seen === null) {
      seen = endOf(stateDirectory);
      return;
    }
    if (known.size > mostRemembered) known.clear();
    const batches = forwards(stateDirectory, undefined, seen);
    for (let next = batches.next(); ; next = batches.next()) {
      if (next.done) {
        seen = next.value;
        return;
      }
      for (const { record } of next.value) {
        const id = idOf(record);
        const state = id === null ? undefined : known.get(id);
        if (id !== null && state) known.set(id, later(state, record));
      }
    }
  };

  return {
    of(id, creating) {
      catchUp();
      const state = known.get(id) ?? (creating ? lookBack(stateDirectory, id, true) : findState(stateDirectory, id));
      known.set(id, state);
      return state;
    },
  };
}
