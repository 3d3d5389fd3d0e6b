/**
 * model: the ledger read forwards becomes figures. Pure; memory is bounded by the events that are not ended, and by the groups.
 */
import { isTerminal, type BackupEvent, type EventStatus } from './event.js';
import { CostTally, type Cost } from './impact.js';
import type { EventRecord, LedgerRecord, LineFrame } from './ledger.js';
import { eventOf } from './record.js';

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

/** Durations are counted in classes that grow by 2 %, so that a million of them need no more room than a thousand. */
const growth = Math.log(1.02);

class Durations {
  private readonly classes = new Map<number, number>();
  private count = 0;
  private sum = 0;
  private least = Infinity;
  private most = 0;

  add(ms: number): void {
    const index = Math.round(Math.log(Math.max(1, ms)) / growth);
    this.classes.set(index, (this.classes.get(index) ?? 0) + 1);
    this.count += 1;
    this.sum += ms;
    this.least = Math.min(this.least, ms);
    this.most = Math.max(this.most, ms);
  }

  /** How many backups were made: an unchanged database has a completed event, and none. */
  get counted(): number {
    return this.count;
  }

  get average(): number {
    return this.count === 0 ? 0 : Math.round(this.sum / this.count);
  }

  /** The duration that `share` of them do not exceed. */
  percentile(share: number): number {
    let left = Math.ceil(share * this.count);
    for (const [index, count] of [...this.classes].toSorted(([a], [b]) => a - b)) {
      left -= count;
      if (left <= 0) return Math.round(Math.min(this.most, Math.max(this.least, Math.exp(index * growth))));
    }
    return this.most;
  }
}

type Written = EventRecord & Pick<LineFrame, 'at'>;

/** The counts of all events, or of one group. */
class Tally {
  readonly counts: Record<EventStatus, number> = { pending: 0, running: 0, completed: 0, failed: 0, cancelled: 0 };
  private readonly durations = new Durations();
  private readonly cost = new CostTally();
  private size = 0;
  private lastSuccess: string | null = null;

  /** Counts an event that was counted as `before`, null: not at all. */
  move(before: EventStatus | null, event: Written): void {
    const { status, result, at, equalTo } = event;
    if (before) this.counts[before] -= 1;
    this.counts[status] += 1;
    if (isTerminal(status)) this.cost.add(event);
    if (status !== 'completed') return;
    if (equalTo === undefined) this.durations.add(result?.duration ?? 0);
    this.size += result?.size ?? 0;
    if (this.lastSuccess === null || at > this.lastSuccess) this.lastSuccess = at;
  }

  figures(activeBackups: number): Statistics {
    const { pending, running, completed, failed, cancelled } = this.counts;
    const ended = completed + failed;
    const made = this.durations.counted;
    return {
      totalEvents: pending + running + ended + cancelled,
      successfulEvents: completed,
      failedEvents: failed,
      successRate: ended === 0 ? null : Math.round((completed / ended) * 10_000) / 100,
      averageDuration: this.durations.average,
      activeBackups,
      cancelledEvents: cancelled,
      pendingEvents: pending,
      lastSuccess: this.lastSuccess,
      totalSize: this.size,
      averageSize: made === 0 ? 0 : Math.round(this.size / made),
      duration: made === 0 ? null : { p50: this.durations.percentile(0.5), p95: this.durations.percentile(0.95) },
      cost: this.cost.figures,
    };
  }
}

export interface StatisticsOptions {
  /** Only events created from then on. */
  readonly since?: Date;
  /** The group an event belongs to. */
  readonly groupBy?: (event: BackupEvent) => string;
}

/** Ended events that are remembered, to tell a line that was written twice from one whose beginning was lost. */
const mostEnded = 1000;

/** Takes the records of a ledger, oldest first; what it tells is true at any moment. */
export class StatisticsFold {
  private all = new Tally();
  private readonly groups = new Map<string, Tally>();
  /** `counted`: not before the newest `clear`. */
  private readonly open = new Map<string, { readonly record: Written; readonly counted: boolean }>();
  private readonly ended = new Map<string, EventStatus>();
  private readonly since: string;
  private readonly options: StatisticsOptions;

  constructor(options: StatisticsOptions = {}) {
    this.options = options;
    this.since = options.since?.toISOString() ?? '';
  }

  take(record: LedgerRecord): void {
    if (record.record === 'clear') this.clear();
    else if (record.record === 'event' && record.timestamp >= this.since) this.takeEvent(record);
  }

  /** The events that are not ended, as they were last seen. */
  unended(): BackupEvent[] {
    return [...this.open.values()].map(({ record }) => eventOf(record));
  }

  /** An event that no line ends, although it is over. */
  end(event: BackupEvent): void {
    const known = this.open.get(event.id);
    if (known) this.takeEvent({ ...event, record: 'event', step: known.record.step + 1, from: known.record.status, at: known.record.at });
  }

  figures(): Statistics {
    return this.all.figures(this.running().length);
  }

  groupFigures(): StatisticsGroup[] {
    const keys = this.running().map((event) => this.options.groupBy?.(event));
    return [...this.groups]
      .map(([key, tally]) => ({ key, ...tally.figures(keys.filter((one) => one === key).length) }))
      .toSorted((a, b) => (a.key < b.key ? -1 : 1));
  }

  private running(): BackupEvent[] {
    return this.unended().filter(({ status }) => status === 'running');
  }

  /** Nothing before it counts, but what goes on afterwards does. */
  private clear(): void {
    this.all = new Tally();
    this.groups.clear();
    this.ended.clear();
    for (const [id, { record }] of this.open) this.open.set(id, { record, counted: false });
  }

  private takeEvent(record: Written): void {
    const before = this.before(record);
    if (before === 'over') return;
    for (const tally of this.talliesOf(record)) tally.move(before, record);
    if (!isTerminal(record.status)) {
      this.open.set(record.id, { record, counted: true });
      return;
    }
    this.open.delete(record.id);
    this.ended.set(record.id, record.status);
    const [oldest] = this.ended.keys();
    if (this.ended.size > mostEnded && oldest !== undefined) this.ended.delete(oldest);
  }

  /** The state in which the event is counted now, null when it is not; `over` when nothing may follow. */
  private before(record: Written): EventStatus | 'over' | null {
    const known = this.open.get(record.id);
    if (known) return known.counted ? known.record.status : null;
    const recovers = record.status === 'completed' && record.recovered === true && record.from === 'failed';
    const ended = this.ended.get(record.id);
    if (ended !== undefined) return ended === 'failed' && recovers ? 'failed' : 'over';
    return recovers && this.all.counts.failed > 0 ? 'failed' : null;
  }

  private talliesOf(event: BackupEvent): Tally[] {
    const key = this.options.groupBy?.(event);
    if (key === undefined) return [this.all];
    const group = this.groups.get(key) ?? new Tally();
    this.groups.set(key, group);
    return [this.all, group];
  }
}
