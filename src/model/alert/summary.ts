/**
 * model: the summary of a week, a line a database beside the four weeks before: runs, sizes, durations, proof. Reads nothing.
 */
import type { LedgerRecord } from '../events/ledger.js';
import { StatisticsFold, type StatisticsGroup } from '../figures/statistics.js';
import { countOf, formatBytes, formatDuration, msPerDay } from '../units.js';
import type { Alert } from './alert.js';
import { minuteOf } from '../moment/minute.js';

const week = 7 * msPerDay;
const before = 4 * week;
/** Databases with a line of their own. */
const mostNamed = 30;

/** `2 x` for something that doubled; nothing while it stays within a quarter. */
function trend(now: number, then: number): string {
  if (now <= 0 || then <= 0) return '';
  const change = Math.round((now / then - 1) * 100);
  return Math.abs(change) < 25 ? ', as usual' : `, ${change > 0 ? '+' : ''}${change} % against the four weeks before`;
}

export interface StorageLeft {
  readonly name: string;
  /** Null: it cannot be told. */
  readonly freeBytes: number | null;
}

export class SummaryFold {
  private readonly recent = new StatisticsFold({ by: ['database'] });
  private readonly earlier = new StatisticsFold({ by: ['database'] });
  private readonly proven = new Map<string, string>();
  private readonly now: number;

  constructor(now: Date) {
    this.now = now.getTime();
  }

  take(record: LedgerRecord): void {
    if (record.record === 'verification' && record.ok && record.level === 'restore') this.proven.set(record.database, record.at);
    if (record.record !== 'event') return;
    const age = this.now - Date.parse(record.timestamp);
    if (age < week) this.recent.take(record);
    else if (age < week + before) this.earlier.take(record);
  }

  alert(host: string, storages: readonly StorageLeft[]): Alert {
    const groups = this.recent.groupFigures('database');
    const { successfulEvents, failedEvents, totalSize } = this.recent.figures();
    const known = new Map(this.earlier.groupFigures('database').map((group) => [group.key, group]));
    const silent = [...known.keys()].filter((key) => !groups.some((group) => group.key === key));
    const at = new Date(this.now).toISOString();
    const title = `${countOf(successfulEvents, 'backup was', 'backups were')} made in the last seven days, ${failedEvents} failed`;
    const isBad = failedEvents > 0 || silent.length > 0 || groups.some((group) => group.successfulEvents === 0);
    return {
      id: `${host}:${at}:summary`,
      kind: 'summary',
      severity: isBad ? 'warning' : 'info',
      scheduleId: null,
      database: null,
      eventId: null,
      host,
      at,
      title,
      facts: [
        ...silent.map((key) => [key, 'NO BACKUP in the last seven days, though there were some before'] as const),
        ...groups.slice(0, mostNamed).map((group) => [group.key, this.lineOf(group, known.get(group.key))] as const),
        ...(groups.length > mostNamed ? [['and', countOf(groups.length - mostNamed, 'more database')] as const] : []),
        ...storages.map(({ name, freeBytes }) => [`Storage ${name}`, leftOf(freeBytes, totalSize)] as const),
      ],
      class: null,
      reason: 'summary',
      nextTry: null,
      command: 'backup-automation statistics --since 7d --by database',
    };
  }

  private lineOf(group: StatisticsGroup, then: StatisticsGroup | undefined): string {
    const { successfulEvents, failedEvents, successRate, averageSize, averageDuration, key } = group;
    const proven = this.proven.get(key);
    return [
      `${successfulEvents} of ${successfulEvents + failedEvents} good${successRate === null ? '' : ` (${successRate} %)`}`,
      ...(successfulEvents > 0
        ? [
            `${formatBytes(averageSize)} each${trend(averageSize, then?.averageSize ?? 0)}`,
            `${formatDuration(averageDuration)}${trend(averageDuration, then?.averageDuration ?? 0)}`,
          ]
        : []),
      proven === undefined ? 'never proven by a restore' : `proven by a restore ${minuteOf(proven)}`,
    ].join('\n');
  }
}

function leftOf(freeBytes: number | null, perWeek: number): string {
  if (freeBytes === null) return 'the room left cannot be told';
  const weeks = perWeek > 0 ? Math.floor(freeBytes / perWeek) : null;
  return `${formatBytes(freeBytes)} left${weeks === null ? '' : `, ${weeks > 520 ? 'years' : `${weeks} weeks`} of backups like these if none were removed`}`;
}
