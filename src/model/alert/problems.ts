/**
 * model: problems as they come, last and go: which time of each is told, and who hears that it is over. Pure.
 */
import type { Alert, AlertKind } from './alert.js';
import { minuteOf } from '../moment/minute.js';
import { keyOf, lastGoodOf, type AlertState, type Entry, type Problem } from './state.js';

/** What keeps a backup from being made. */
export const lacking: ReadonlySet<AlertKind> = new Set(['failure', 'exhausted', 'missed', 'deferred']);

const isPowerOfTwo = (count: number): boolean => (count & (count - 1)) === 0;

/** An alert that is owed from now on. */
export function add(state: AlertState, alert: Alert, more: Pick<Entry, 'at'> & Partial<Entry>): void {
  state.count += 1;
  state.entries.push({ n: state.count, alert, channels: null, problem: null, settled: {}, covered: {}, tries: {}, ...more });
}

interface Reporting {
  readonly at: string;
  /** Told however often it was told before. */
  readonly always?: boolean;
  readonly except?: string;
  /** When it was due, of what was missed: what lies before the last word of it is no news. */
  readonly due?: string | undefined;
}

/** What there is to go back to, where no new backup came. */
function goBack(state: AlertState, { kind, scheduleId, database }: Alert): Alert['facts'] {
  if (!lacking.has(kind) || database === null) return [];
  const at = lastGoodOf(state, scheduleId, database);
  return [['Last good', at === null ? 'none of this schedule is known' : minuteOf(at)]];
}

/** Something is wrong, or wrong again. Counted by severity, so that what became worse is told at once, and again to those who hear only that. */
export function report(state: AlertState, alert: Alert, { at, always = false, except, due }: Reporting): void {
  if (Object.keys(state.channels).length === 0) return;
  const key = keyOf(alert);
  const problem = (state.problems[key] ??= { id: alert.id, since: at, count: 0, times: {}, toldAt: at, reminders: 0, alert, heard: [] });
  problem.count += 1;
  const times = (problem.times[alert.severity] ?? 0) + 1;
  problem.times[alert.severity] = times;
  const seen = problem.count > 1 && !always ? [['Seen', `${problem.count} times since ${minuteOf(problem.since)}`] as const] : [];
  problem.alert = { ...alert, facts: [...alert.facts, ...seen, ...goBack(state, alert)] };
  const isOld = due !== undefined && problem.count > 1 && due <= problem.toldAt;
  if (isOld || (!always && !isPowerOfTwo(times))) return;
  problem.toldAt = at;
  add(state, problem.alert, { at, problem: problem.id, ...(except !== undefined && { except }) });
}

/** What was wrong is good again. `by`: what shows it. */
export function recover(
  state: AlertState,
  by: Pick<Alert, 'eventId' | 'host' | 'at'> & { readonly how: string },
  isOver: (problem: Problem) => boolean,
) {
  for (const [key, problem] of Object.entries(state.problems)) {
    if (!isOver(problem)) continue;
    delete state.problems[key];
    add(state, recoveryOf(problem, by), { at: by.at, problem: problem.id, channels: [...problem.heard] });
  }
}

function recoveryOf({ id, since, count, alert }: Problem, { eventId, host, at, how }: Parameters<typeof recover>[1]): Alert {
  const command = eventId === null ? 'backup-automation health' : `backup-automation events show ${eventId}`;
  const facts = [
    ['It was', alert.title],
    ['Since', minuteOf(since)],
    ['Times', String(count)],
    ...alert.facts.filter(([label]) => label === 'Error'),
  ] as const;
  return {
    ...alert,
    id: `${id}:recovered`,
    kind: 'recovered',
    was: alert.kind,
    severity: 'info',
    eventId,
    host,
    at,
    title: how,
    facts,
    class: null,
    nextTry: null,
    command,
  };
}
