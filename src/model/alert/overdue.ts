/**
 * model: silence, told by the schedules' own expressions: a backup that should have been made and that nobody says anything about.
 */
import { expectedBy, isOverdue } from '../events/expectation.js';
import { knownSince } from '../events/known.js';
import type { AlertRecord } from '../events/ledger.js';
import type { Schedule, Settings } from '../settings/settings.js';
import type { Alert } from './alert.js';
import { minuteOf } from '../moment/minute.js';
import { lastGoodOf, missedReason, type AlertState } from './state.js';

export interface OverdueFacts {
  readonly now: Date;
  readonly host: string;
  readonly settings: Settings;
  readonly schedules: Readonly<Record<string, Schedule>>;
  /** Names of the entries of `databases`. */
  readonly databases: readonly string[];
}

/** Whether something is known to be wrong with it already, so that it is no silence. */
const isKnown = ({ problems }: AlertState, scheduleId: string, entry: string): boolean =>
  Object.values(problems).some(
    ({ alert: { scheduleId: schedule, database, kind } }) =>
      schedule === scheduleId && kind !== 'suspect' && kind !== 'copy' && (database === entry || database?.startsWith(`${entry}--`)),
  );

/** The backups that are overdue and that nothing was told about yet. */
export function overdueAlerts(state: AlertState, { now, host, settings, schedules, databases }: OverdueFacts): AlertRecord[] {
  if (!settings.enabled || !state.onFailure || state.beginning === null) return [];
  const beginning = new Date(state.beginning);
  return Object.entries(schedules).flatMap(([scheduleId, schedule]) => {
    const expectation = expectedBy(schedule, settings, now);
    if (!expectation) return [];
    return (schedule.databases ?? databases).flatMap((database): AlertRecord[] => {
      const last = lastGoodOf(state, scheduleId, database);
      // what was overdue before anybody was to be told is told of by `health`
      if (expectation.slot < beginning || isKnown(state, scheduleId, database)) return [];
      if (!isOverdue(expectation, last === null ? null : new Date(last), knownSince(state.known, scheduleId, beginning), now)) return [];
      const alert: Alert = {
        id: `${scheduleId}:${database}:${expectation.slot.toISOString()}:missed`,
        kind: 'missed',
        severity: 'critical',
        scheduleId,
        database,
        eventId: null,
        host,
        at: now.toISOString(),
        title: `No backup of ${database} was made, and nothing says why: does the scheduler run?`,
        facts: [['Was due', minuteOf(expectation.slot.toISOString())]],
        class: null,
        reason: missedReason,
        nextTry: null,
        command: `backup-automation explain ${scheduleId}`,
      };
      return [{ record: 'alert', alert }];
    });
  });
}
