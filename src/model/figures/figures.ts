/**
 * model: the figures of a ledger: how backups went, how far they were proven, how long they take to come back. Pure, and what is kept is JSON.
 */
import type { BackupEvent } from '../events/event.js';
import type { Grouping } from './grouping.js';
import type { LedgerRecord } from '../events/ledger.js';
import { ProvenLevels, type Proven } from './proven.js';
import { RestoreTimes, type Measurements, type RestoreTime } from './restore-times.js';
import {
  emptyStatistics,
  StatisticsFold,
  type Statistics,
  type StatisticsGroup,
  type StatisticsOptions,
  type StatisticsState,
} from './statistics.js';

export interface FiguresState {
  readonly statistics: StatisticsState;
  restores: Measurements;
  proven: Record<string, Proven>;
}

export const emptyFigures = (): FiguresState => ({ statistics: emptyStatistics(), restores: { measured: {}, sizes: {} }, proven: {} });

export interface Told extends Statistics {
  readonly groups?: readonly StatisticsGroup[];
  /** How long each database takes to come back. */
  readonly restores: readonly RestoreTime[];
  /** How far the backups of each database were proven. */
  readonly proven: readonly Proven[];
}

/** Takes the records of a ledger, oldest first. Only what was begun, restored and proven from `since` on counts. */
export class FiguresFold {
  private readonly state: FiguresState;
  private readonly since: string;
  private readonly statistics: StatisticsFold;
  private restores: RestoreTimes;
  private proven: ProvenLevels;

  constructor({ since, by }: StatisticsOptions = {}, state = emptyFigures()) {
    this.state = state;
    this.since = since?.toISOString() ?? '';
    this.statistics = new StatisticsFold({ ...(since && { since }), ...(by && { by }) }, state.statistics);
    this.restores = new RestoreTimes(state.restores);
    this.proven = new ProvenLevels(state.proven);
  }

  take(record: LedgerRecord): void {
    this.statistics.take(record);
    if (record.record === 'clear') this.clear();
    else if (record.at >= this.since) {
      this.restores.take(record);
      this.proven.take(record);
    }
  }

  /** The events that are not ended, as they were last seen. */
  unended(): BackupEvent[] {
    return this.statistics.unended();
  }

  /** `dead`: ids of events that are over, although no line ends them. */
  told(by: Grouping | undefined, dead: ReadonlySet<string>): Told {
    const groups = by && { groups: this.statistics.groupFigures(by, dead) };
    return { ...this.statistics.figures(dead), ...groups, restores: this.restores.figures(), proven: this.proven.figures() };
  }

  private clear(): void {
    Object.assign(this.state, { restores: { measured: {}, sizes: {} }, proven: {} });
    this.restores = new RestoreTimes(this.state.restores);
    this.proven = new ProvenLevels(this.state.proven);
  }
}
