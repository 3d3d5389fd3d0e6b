/**
 * model: the alerts that a look at health calls for: what became bad, worse or good again since the last one that was told. Pure.
 */
import type { AlertRecord } from '../events/ledger.js';
import type { HealthCheck } from '../health/check.js';
import type { Alert, AlertKind } from './alert.js';
import { keyOf, type AlertState } from './state.js';

/** Checks whose matter is told by alerts of its own. */
const toldElsewhere: ReadonlySet<string> = new Set(['last-run', 'last-backup', 'interrupted-runs', 'alerts', 'copies']);
const topicOf = ({ name }: HealthCheck): AlertKind => (name === 'ledger' || name === 'retention' ? name : 'health');
const topics = ['health', 'ledger', 'retention'] as const;

/** So many are named; `health` shows all. */
const mostNamed = 30;

const labelOf = ({ name, subject }: HealthCheck): string => (subject === null ? name : `${name} ${subject}`);
const isBad = ({ status }: HealthCheck): boolean => status === 'warning' || status === 'critical';

interface Looked {
  readonly now: Date;
  readonly host: string;
}

function alertFor(topic: AlertKind, bad: readonly HealthCheck[], before: Alert | undefined, { now, host }: Looked): Alert {
  const severity = bad.some(({ status }) => status === 'critical') ? 'critical' : 'warning';
  const was = before ? ` (it was ${before.severity})` : topic === 'health' ? ' (it was healthy)' : '';
  const titles: Partial<Record<AlertKind, string>> = {
    ledger: 'The ledger is damaged or cannot be written',
    retention: 'Retention removes less than it should',
  };
  const at = now.toISOString();
  return {
    id: `${host}:${at}:${topic}`,
    kind: topic,
    severity,
    scheduleId: null,
    database: null,
    eventId: null,
    host,
    at,
    title: titles[topic] ?? `Health is ${severity}${was}`,
    facts: bad.slice(0, mostNamed).map((check) => [labelOf(check), check.hint ? `${check.detail}\n${check.hint}` : check.detail] as const),
    class: null,
    reason: topic,
    nextTry: null,
    command: 'backup-automation health',
  };
}

/** What is to be told now; nothing when all is as it was told last. */
export function healthAlerts(state: AlertState, checks: readonly HealthCheck[], looked: Looked): AlertRecord[] {
  const open = checks.filter((check) => isBad(check) && !toldElsewhere.has(check.name));
  return topics.flatMap((topic): AlertRecord[] => {
    const before = state.problems[keyOf({ scheduleId: null, database: null, reason: topic })]?.alert;
    const bad = open.filter((check) => topicOf(check) === topic);
    if (bad.length === 0) {
      if (!before) return [];
      const at = looked.now.toISOString();
      const good: Alert = {
        ...before,
        id: `${before.id}:good`,
        kind: 'recovered',
        severity: 'info',
        at,
        host: looked.host,
        title: `The ${topic} is good again`,
      };
      return [{ record: 'alert', alert: good }];
    }
    const alert = alertFor(topic, bad, before, looked);
    const known = new Set(before?.facts.map(([label]) => label));
    const isNew =
      !before || before.severity !== alert.severity || bad.some((check) => check.status === 'critical' && !known.has(labelOf(check)));
    return isNew ? [{ record: 'alert', alert }] : [];
  });
}
