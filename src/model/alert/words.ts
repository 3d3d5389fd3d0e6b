/**
 * model: an alert in words: a subject that tells at a glance, a body that tells what to do. Without secrets, bounded, plain text.
 */
import { harmless, oneLine } from '../harmless.js';
import { redact } from '../redact.js';
import type { Message } from '../roles/channel.js';
import type { Routing } from '../settings/alerts.js';
import type { Alert, AlertKind } from './alert.js';
import { minuteOf } from '../moment/minute.js';
import { fill, type Placeholder } from './template.js';

const longestSubject = 250;
const longestBody = 20_000;
/** Of one fact, characters; what is longer stands in the ledger. */
const longestFact = 2000;

const statusOfKind: Partial<Record<AlertKind, string>> = {
  failure: 'FAILED',
  exhausted: 'FAILED',
  missed: 'MISSED',
  deferred: 'MISSED',
  recovered: 'RECOVERED',
};
const statusOfSeverity = { info: 'OK', warning: 'WARNING', critical: 'FAILED' } as const;

/** What it is about, where it is about no schedule: by the first word of the reason, which a recovery and a reminder share. */
const topics: Readonly<Record<string, string>> = {
  verification: 'verification',
  retention: 'retention',
  health: 'health',
  undelivered: 'alerts',
  ledger: 'ledger',
  digest: 'digest',
  summary: 'summary',
  canary: 'test',
};
const topicOf = ({ reason }: Alert): string => topics[reason.split(':', 1)[0] ?? ''] ?? 'by-hand';

export const statusOf = ({ kind, severity }: Alert): string => statusOfKind[kind] ?? statusOfSeverity[severity];

const cut = (text: string, length: number): string => (text.length > length ? `${text.slice(0, length - 4).trimEnd()} ...` : text);
const clean = (text: string): string => harmless(redact(text));

/** When it is tried again, in words; empty where that is no question. */
export function nextOf({ kind, nextTry }: Alert): string {
  if (nextTry !== null) return `It is tried again at ${minuteOf(nextTry)} or soon after: this is not the last word.`;
  if (kind === 'exhausted') return 'It is not tried again: the retries are used up, or would not help.';
  return kind === 'failure' ? 'It is not tried again by itself.' : '';
}

/** Labels in a column; a value of several lines goes on under itself. */
function table(facts: Alert['facts']): string {
  const width = Math.max(0, ...facts.map(([label]) => label.length));
  const row = ([label, value]: readonly [string, string]) => {
    const [first = '', ...more] = cut(clean(value), longestFact).split('\n');
    return [`  ${label.padEnd(width)}  ${first}`, ...more.map((line) => `  ${' '.repeat(width)}  ${line}`)].join('\n');
  };
  return facts.map(row).join('\n');
}

function bodyOf(alert: Alert): string {
  const next = nextOf(alert);
  const command = alert.command === null ? '' : `Type next, on ${oneLine(alert.host)}:\n\n    ${clean(alert.command)}`;
  const title = clean(alert.title);
  return [/[.?!]$/.test(title) ? title : `${title}.`, table(alert.facts), next, command].filter(Boolean).join('\n\n');
}

/** `FAILED daily-backup shop db1 2026-11-22 02:00 UTC`. */
const subjectOf = (alert: Alert): string =>
  [statusOf(alert), alert.scheduleId ?? topicOf(alert), alert.database, alert.host, minuteOf(alert.at)]
    .filter((word) => word !== null)
    .join(' ');

function placeholdersOf(alert: Alert, subject: string, body: string): Record<Placeholder, string> {
  return {
    status: statusOf(alert),
    severity: alert.severity,
    kind: alert.kind,
    schedule: alert.scheduleId ?? '',
    database: alert.database ?? '',
    host: alert.host,
    time: minuteOf(alert.at),
    title: clean(alert.title),
    facts: table(alert.facts),
    error: clean(alert.facts.find(([label]) => label === 'Error')?.[1] ?? ''),
    class: alert.class ?? '',
    next: nextOf(alert),
    command: clean(alert.command ?? ''),
    event: alert.eventId ?? '',
    subject,
    body,
  };
}

/** Runs as typed from any folder. */
const withFile = (command: string | null, file: string | null): string | null =>
  command === null || file === null
    ? command
    : `${command} --config ${/^[\w./-]+$/.test(file) ? file : `'${file.replaceAll("'", "'\\''")}'`}`;

interface Wording extends Pick<Routing, 'template'> {
  /** The configuration that the command is to find; null: it was not in a file. */
  readonly configFile: string | null;
}

/** The message for one channel: its usual words, or the channel's own. */
export function messageOf(told: Alert, channel: string, { template, configFile }: Wording): Message {
  const alert = { ...told, command: withFile(told.command, configFile) };
  const usual = { subject: subjectOf(alert), body: bodyOf(alert) };
  const facts = placeholdersOf(alert, usual.subject, usual.body);
  const subject = template?.subject === undefined ? usual.subject : fill(template.subject, facts);
  const body = template?.body === undefined ? usual.body : fill(template.body, facts);
  return {
    key: `${alert.id}:${channel}`,
    subject: cut(oneLine(redact(subject)), longestSubject),
    body: cut(clean(body), longestBody),
    templated: template !== undefined,
    alert: redacted(alert),
  };
}

/** What a channel may hand on as it is. */
const redacted = (alert: Alert): Alert => ({
  ...alert,
  title: clean(alert.title),
  reason: clean(alert.reason),
  facts: alert.facts.map(([label, value]) => [label, cut(clean(value), longestFact)] as const),
  command: alert.command === null ? null : clean(alert.command),
});
