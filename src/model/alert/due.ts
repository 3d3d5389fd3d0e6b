/**
 * model: the alerts that no record calls for but the time: reminders of what lasts, test messages to channels long unproven. Pure.
 */
import type { AlertRecord } from '../events/ledger.js';
import type { Alerting } from '../settings/alerts.js';
import { msPerDay, msPerMinute } from '../units.js';
import type { Alert } from './alert.js';
import { minuteOf } from '../moment/minute.js';
import type { AlertState, ChannelState, Problem } from './state.js';

export interface DueFacts {
  readonly now: Date;
  readonly host: string;
  readonly alerting: Alerting;
  /** Schedules that are configured and enabled: of others nothing is reminded. */
  readonly schedules: readonly string[];
}

const isOlder = (at: string, age: number, now: Date): boolean => now.getTime() - Date.parse(at) >= age;

function reminderOf({ id, reminders, since, alert }: Problem, { now }: DueFacts): AlertRecord {
  const { nextTry } = alert;
  const reminder: Alert = {
    ...alert,
    id: `${id}:reminder:${reminders + 1}`,
    kind: 'reminder',
    at: now.toISOString(),
    title: `This lasts since ${minuteOf(since)}: ${alert.title}`,
    nextTry: nextTry !== null && Date.parse(nextTry) > now.getTime() ? nextTry : null,
  };
  return { record: 'alert', alert: reminder };
}

/** Of every problem that was not told of for `remindAfter`. */
export function dueReminders(state: AlertState, facts: DueFacts): AlertRecord[] {
  const age = facts.alerting.remindAfter * 60 * msPerMinute;
  const isDue = ({ toldAt, alert }: Problem) =>
    isOlder(toldAt, age, facts.now) && (alert.scheduleId === null || facts.schedules.includes(alert.scheduleId));
  return Object.values(state.problems)
    .filter(isDue)
    .map((problem) => reminderOf(problem, facts));
}

/** The test message that proves a channel. */
export const canaryOf = (
  channel: string,
  { now, host }: Pick<DueFacts, 'now' | 'host'>,
  { provenAt }: Pick<ChannelState, 'provenAt'>,
): Alert => ({
  id: `${channel}:${now.toISOString()}:canary`,
  kind: 'canary',
  severity: 'info',
  scheduleId: null,
  database: null,
  eventId: null,
  host,
  at: now.toISOString(),
  title: `This is a test of the channel ${channel}: whoever reads it would hear of a failed backup`,
  facts: [
    ['Channel', channel],
    ['Last message', provenAt === null ? 'none yet' : minuteOf(provenAt)],
  ],
  class: null,
  reason: 'canary',
  nextTry: null,
  command: null,
});

/** To every channel that took nothing for `canaryEveryDays`, and is not tried anyhow. */
export function dueCanaries(state: AlertState, facts: DueFacts): AlertRecord[] {
  const { canaryEveryDays } = facts.alerting;
  if (canaryEveryDays === 0) return [];
  const isTried = (name: string) => state.entries.some(({ alert, channels }) => alert.kind === 'canary' && channels?.includes(name));
  return Object.entries(state.channels)
    .filter(
      ([name, { provenAt, since, failing }]) =>
        isOlder(provenAt ?? since, canaryEveryDays * msPerDay, facts.now) && !failing && !isTried(name),
    )
    .map(([name, channel]) => ({ record: 'alert', alert: canaryOf(name, facts, channel), channels: [name] }));
}
