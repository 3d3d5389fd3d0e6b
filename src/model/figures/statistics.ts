/**
 * model: the ledger read forwards becomes figures. Pure, and what is kept is JSON;
 * memory is bounded by the events that are not ended, and by the groups.
 */
import { isTerminal, type BackupEvent, type EventStatus } from '../events/event.js';
import { addDuration, averageOf, noDurations, percentileOf, type Durations } from './durations.js';
import { groupKeyOf, type Grouping } from './grouping.js';
import { addCost, costOf, noCost, type Cost, type CostSums } from './impact.js';
import type { EventRecord, LedgerRecord, LineFrame } from '../events/ledger.js';
import { own } from '../own.js';
import { eventOf } from '../events/record.js';

/** The specification's figures first. Durations ms, sizes bytes stored. */
export interface Statistics {
  readonly totalEvents: number;
  readonly successfulEvents: number;
  readonly failedEvents: number;
  /** % of completed and failed ones; null when there is neither. */
  readonly successRate: number | null;
  /** Of completed ones; 0 when there is none. */
  readonly averageDuration: number;
  readonly activeBackups: number;
  readonly cancelledEvents: number;
  readonly pendingEvents: number;
  /** When the newest completed one was ended. */
  readonly lastSuccess: string | null;
  readonly totalSize: number;
  readonly averageSize: number;
  /** Of completed ones, within 1 %; null when there is none. */
  readonly duration: { readonly p50: number; readonly p95: number } | null;
  /** What they cost their databases; null when none was watched. */
  readonly cost: Cost | null;
}

export interface StatisticsGroup extends Statistics {
  readonly key: string;
}

type Written = EventRecord & Pick<LineFrame, 'at'>;

/** Of all events, or of one group; JSON. */
interface Tally {
  readonly counts: Record<EventStatus, number>;
  /** Of backups that were made: an unchanged database has a completed event, and none. */
  readonly durations: Durations;
  readonly cost: CostSums;
  size: number;
  lastSuccess: string | null;
}

const emptyTally = (): Tally => ({
  counts: { pending: 0, running: 0, completed: 0, failed: 0, cancelled: 0 },
  durations: noDurations(),
  cost: noCost(),
  size: 0,
  lastSuccess: null,
});

/** Counts an event that was counted as `before`, null: not at all. */
function move(into: Tally, before: EventStatus | null, event: Written): void {
  const { status, result, at, equalTo } = event;
  if (before) into.counts[before] -= 1;
  into.counts[status] += 1;
  if (isTerminal(status)) addCost(into.cost, event);
  if (status !== 'completed') return;
  if (equalTo === undefined) addDuration(into.durations, result?.duration ?? 0);
  into.size += result?.size ?? 0;
  if (into.lastSuccess === null || at > into.lastSuccess) into.lastSuccess = at;
}

/** `open`: its events that are not ended; those of them that are over although no line ends them are in `dead`. */
function figuresOf({ counts, durations, cost, size, lastSuccess }: Tally, open: readonly Open[], dead: ReadonlySet<string>): Statistics {
  const over = open.filter(({ record }) => dead.has(record.id));
  const lost = (status: EventStatus) => over.filter(({ record, counted }) => counted && record.status === status).length;
  const failed = counts.failed + over.length;
  const pending = counts.pending - lost('pending');
  const ended = counts.completed + failed;
  const made = durations.count;
  return {
    totalEvents: pending + counts.running - lost('running') + ended + counts.cancelled,
    successfulEvents: counts.completed,
    failedEvents: failed,
    successRate: ended === 0 ? null : Math.round((counts.completed / ended) * 10_000) / 100,
    averageDuration: averageOf(durations),
    activeBackups: open.filter(({ record }) => record.status === 'running' && !dead.has(record.id)).length,
    cancelledEvents: counts.cancelled,
    pendingEvents: pending,
    lastSuccess,
    totalSize: size,
    averageSize: made === 0 ? 0 : Math.round(size / made),
    duration: made === 0 ? null : { p50: percentileOf(durations, 0.5), p95: percentileOf(durations, 0.95) },
    cost: costOf(cost),
  };
}

/** An event that is not ended, as it was last seen. */
interface Open {
  readonly record: Written;
  /** It is not from before the newest `clear`. */
  readonly counted: boolean;
}

/** What was folded; JSON. */
export interface StatisticsState {
  all: Tally;
  /** By grouping, then by key. */
  groups: Partial<Record<Grouping, Record<string, Tally>>>;
  readonly open: Record<string, Open>;
  /** How the events ended that ended last, by id: a line may have been written twice, or its beginning lost. */
  ended: [string, EventStatus][];
}

export const emptyStatistics = (): StatisticsState => ({ all: emptyTally(), groups: {}, open: {}, ended: [] });

export interface StatisticsOptions {
  /** Only events created from then on. */
  readonly since?: Date;
  /** Figures for each group of these as well. */
  readonly by?: readonly Grouping[];
}

const mostEnded = 1000;

/** Takes the records of a ledger, oldest first; what it tells is true at any moment. */
export class StatisticsFold {
  private readonly state: StatisticsState;
  /** `ended`, to look it up. */
  private ends: Map<string, EventStatus>;
  private readonly since: string;
  private readonly by: readonly Grouping[];

  constructor({ since, by = [] }: StatisticsOptions = {}, state = emptyStatistics()) {
    this.state = state;
    this.ends = new Map(state.ended);
    this.since = since?.toISOString() ?? '';
    this.by = by;
  }

  take(record: LedgerRecord): void {
    if (record.record === 'clear') this.clear();
    else if (record.record === 'event' && record.timestamp >= this.since) this.takeEvent(record);
  }

  /** The events that are not ended, as they were last seen. */
  unended(): BackupEvent[] {
    return Object.values(this.state.open).map(({ record }) => eventOf(record));
  }

  /** `dead`: ids of events that are over, although no line ends them: they failed. */
  figures(dead: ReadonlySet<string> = new Set()): Statistics {
    return figuresOf(this.state.all, Object.values(this.state.open), dead);
  }

  groupFigures(by: Grouping, dead: ReadonlySet<string> = new Set()): StatisticsGroup[] {
    const keyOf = groupKeyOf(by);
    const open = Object.values(this.state.open).map((one) => ({ ...one, key: keyOf(one.record) }));
    const groups = this.state.groups[by] ?? {};
    const keys = new Set([...Object.keys(groups), ...open.filter(({ record }) => dead.has(record.id)).map(({ key }) => key)]);
    return [...keys]
      .toSorted()
      .map((key) => ({ key, ...figuresOf(own(groups, key) ?? emptyTally(), open.filter((one) => one.key === key), dead) })); // prettier-ignore
  }

  /** Nothing before it counts, but what goes on afterwards does. */
  private clear(): void {
    const { state } = this;
    Object.assign(state, { all: emptyTally(), groups: {}, ended: [] });
    this.ends.clear();
    for (const [id, { record }] of Object.entries(state.open)) state.open[id] = { record, counted: false };
  }

  private takeEvent(record: Written): void {
    const before = this.before(record);
    if (before === 'over') return;
    for (const tally of this.talliesOf(record)) move(tally, before, record);
    const { state } = this;
    if (!isTerminal(record.status)) {
      state.open[record.id] = { record, counted: true };
      return;
    }
    delete state.open[record.id];
    state.ended.push([record.id, record.status]);
    this.ends.set(record.id, record.status);
    if (state.ended.length < 2 * mostEnded) return;
    state.ended = state.ended.slice(-mostEnded);
    this.ends = new Map(state.ended);
  }

  /** The state in which the event is counted now, null when it is not; `over` when nothing may follow. */
  private before(record: Written): EventStatus | 'over' | null {
    const known = own(this.state.open, record.id);
    if (known) return known.counted ? known.record.status : null;
    const recovers = record.status === 'completed' && record.recovered === true && record.from === 'failed';
    const ended = this.ends.get(record.id);
    if (ended !== undefined) return ended === 'failed' && recovers ? 'failed' : 'over';
    return recovers && this.state.all.counts.failed > 0 ? 'failed' : null;
  }

  private talliesOf(event: BackupEvent): Tally[] {
    return [this.state.all, ...this.by.map((by) => this.groupOf(by, groupKeyOf(by)(event)))];
  }

  private groupOf(by: Grouping, key: string): Tally {
    const groups = (this.state.groups[by] ??= {});
    const known = own(groups, key) ?? emptyTally();
    groups[key] = known;
    return known;
  }
}
