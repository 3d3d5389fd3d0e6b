/**
 * system: the newest state of single events, for the compare-and-set under the ledger's lock. It remembers what it read
 * and reads only what was appended since; forgetting it all is always safe.
 */
import { closeSync, constants } from 'node:fs';
import type { BackupEvent } from '../../model/events/event.js';
import type { EventRecord, LedgerRecord, LineFrame, MissedRecord } from '../../model/events/ledger.js';
import type { Position } from '../../model/roles/ledger.js';
import { earliestLine, earliestOfSlot, idOf, settle, slotClaim, tellsOfMissed, timeOfId } from '../../model/events/record.js';
import { msPerMinute } from '../../model/units.js';
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
  /** Whether the slot of an event that is about to be created has one already, or was recorded as missed. */
  isSlotTaken(event: BackupEvent): boolean;
  isRecorded(missed: MissedRecord): boolean;
}

/** The slots that lines tell of, since a moment. */
class Slots {
  private earliest: string | null = null;
  /** By claim the ids of its events; of one that only tells that the slot was missed when it was created, of others nothing. */
  private readonly claims = new Map<string, Map<string, string>>();
  private readonly missed: (MissedRecord & LineFrame)[] = [];

  private readonly stateDirectory: string;

  constructor(stateDirectory: string) {
    this.stateDirectory = stateDirectory;
  }

  take(record: LedgerRecord): void {
    if (record.record === 'missed') this.missed.push(record);
    const claim = record.record === 'event' ? slotClaim(record) : null;
    if (claim === null || record.record !== 'event') return;
    const holders = this.claims.get(claim) ?? new Map<string, string>();
    this.claims.set(claim, holders);
    if (tellsOfMissed(record)) holders.set(record.id, record.timestamp);
    else if (!holders.has(record.id)) holders.set(record.id, '');
  }

  /** Reads as far back as a line about the slot can lie, where that was not done yet. */
  private reach(slot: string): void {
    const earliest = earliestOfSlot(slot);
    if (this.earliest !== null && this.earliest <= earliest) return;
    this.earliest = earliest;
    for (const batch of backwards(this.stateDirectory))
      for (const { record } of batch) {
        if (record.at < earliest) return;
        this.take(record);
      }
  }

  /** `until`: who called a slot missed later than that, ISO 8601, had a clock that was ahead, and is not believed. */
  has(slot: string, { database, claim, until }: { database: string; claim: string | null; until: string }): boolean {
    this.reach(slot);
    const isMissed = (one: MissedRecord & LineFrame) =>
      one.database === database && one.firstSlot <= slot && slot <= one.lastSlot && one.at <= until;
    const holders = claim === null ? undefined : this.claims.get(claim);
    return [...(holders?.values() ?? [])].some((since) => since <= until) || this.missed.some(isMissed);
  }
}

/** Two clocks are not the same. */
const slack = msPerMinute;
const shortlyAfter = ({ timestamp }: BackupEvent): string => new Date(Date.parse(timestamp) + slack).toISOString();
const always = '~';

export function openStates(stateDirectory: string): States {
  let seen: Position | null = null;
  const known = new Map<string, State>();
  const slots = new Slots(stateDirectory);

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
        slots.take(record);
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
    isSlotTaken(event) {
      if (event.slot === undefined) return false;
      catchUp();
      return slots.has(event.slot, { database: event.database, claim: slotClaim(event), until: shortlyAfter(event) });
    },
    isRecorded({ lastSlot, database }) {
      catchUp();
      return slots.has(lastSlot, { database, claim: null, until: always });
    },
  };
}
