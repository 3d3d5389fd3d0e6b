/**
 * model: the ledger's records, in their order, become the state of alerts. Pure: the same lines give the same state, whoever reads them.
 *
 * A problem is told at its first time and at every doubling; when it is over, those who heard of it are told so, once.
 */
import { isTerminal, type BackupEvent } from '../events/event.js';
import type {
  AlertingRecord,
  AlertRecord,
  CopyRecord,
  DeliveryRecord,
  LedgerRecord,
  MissedRecord,
  VerificationRecord,
} from '../events/ledger.js';
import { eventOf } from '../events/record.js';
import { takeKnown } from '../events/known.js';
import type { Alert } from './alert.js';
import { alertsOf, success } from './from-event.js';
import { minuteOf } from '../moment/minute.js';
import { parseOrdinals } from './ordinals.js';
import { add, lacking, recover, report } from './problems.js';
import { keyOf, missedReason, routineKey, type AlertState, type Entry, type Problem } from './state.js';

/** Of each channel so many times are kept: more than any budget asks for. */
const toldKept = 64;
const deadKept = 100;

const concerns = (alert: Alert, database: string): boolean =>
  alert.database !== null && (alert.database === database || database.startsWith(`${alert.database}--`));

function takeCompleted(state: AlertState, event: BackupEvent, at: string, bad: readonly Alert[]): void {
  const { database, id, host } = event;
  const scheduleId = event.scheduleId ?? null;
  state.lastGood[routineKey(scheduleId, database)] = at;
  const isBad = new Set(bad.map(({ kind }) => kind));
  const isOver = ({ alert }: Problem) =>
    concerns(alert, database) &&
    (alert.scheduleId === null || alert.scheduleId === scheduleId) &&
    (lacking.has(alert.kind) || (!isBad.has(alert.kind) && (alert.kind === 'suspect' || alert.kind === 'copy')));
  recover(state, { eventId: id, host, at, how: `${database} is backed up again` }, isOver);
  if (state.onSuccess && Object.keys(state.channels).length > 0) add(state, success(event, at), { at });
}

function takeEvent(state: AlertState, event: BackupEvent, at: string): void {
  if (!isTerminal(event.status)) return;
  const bad = alertsOf(event, at);
  if (event.status === 'completed') takeCompleted(state, event, at, bad);
  for (const alert of bad)
    if (state.onFailure || !lacking.has(alert.kind)) report(state, alert, { at, ...(alert.kind === 'missed' && { due: event.notBefore }) });
}

function takeVerification(state: AlertState, record: VerificationRecord, { at, host }: { at: string; host: string }): void {
  const { backupId, database, level, ok, undone, detail, storage } = record;
  const reason = undone ? 'verification-undone' : 'verification';
  if (ok) {
    const isOver = ({ alert }: Problem) =>
      concerns(alert, database) && (alert.kind === 'verification' || (alert.kind === 'suspect' && level !== 'checksum'));
    return recover(state, { eventId: backupId, host, at, how: `a backup of ${database} is proven (${level})` }, isOver);
  }
  report(
    state,
    {
      id: `${backupId}:${reason}:${at}`,
      kind: 'verification',
      severity: undone ? 'warning' : 'critical',
      scheduleId: null,
      database,
      eventId: backupId,
      host,
      at,
      title: undone ? `A backup of ${database} could not be verified` : `A backup of ${database} did not pass its verification`,
      facts: [
        ['Backup', backupId],
        ['Storage', storage],
        ['Level', level],
        ['Found', detail],
      ],
      class: 'permanent',
      reason,
      nextTry: null,
      command: `backup-automation verify --all --database ${database}`,
    },
    { at },
  );
}

function takeCopy(state: AlertState, { backupId, database, to, ok, from }: CopyRecord, { at, host }: { at: string; host: string }): void {
  if (!ok || from === null) return;
  const isOver = ({ alert }: Problem) => alert.kind === 'copy' && alert.eventId === backupId;
  recover(state, { eventId: backupId, host, at, how: `The storage ${to} holds its copy of the backup of ${database} now` }, isOver);
}

function takeMissed(
  state: AlertState,
  { scheduleId, database, count, from, until }: MissedRecord,
  { at, host }: { at: string; host: string },
): void {
  if (!state.onFailure) return;
  const facts = [
    ['Missed', String(count)],
    ['First', minuteOf(from)],
    ['Last', minuteOf(until)],
  ] as const;
  const title = `${count} backups of ${database} were missed`;
  const command = `backup-automation explain ${scheduleId}`;
  const id = `${scheduleId}:${database}:${until}:missed`;
  const alert = { id, kind: 'missed', severity: 'critical', scheduleId, database, eventId: null, host, at, title, facts } as const;
  report(state, { ...alert, class: null, reason: missedReason, nextTry: null, command }, { at, due: until });
}

function takeAlert(state: AlertState, { alert, channels, covers }: AlertRecord, at: string): void {
  const { kind, id } = alert;
  if (kind === 'recovered') return recover(state, { ...alert, how: alert.title }, (problem) => keyOf(problem.alert) === keyOf(alert));
  if (kind === 'summary') state.summaryAt = at;
  const isPlain = kind === 'summary' || kind === 'canary' || kind === 'digest' || kind === 'reminder';
  if (!isPlain) return report(state, alert, { at, always: true });
  const problem = kind === 'reminder' ? state.problems[keyOf(alert)] : undefined;
  if (problem) [problem.toldAt, problem.reminders] = [at, problem.reminders + 1];
  const ordinals = covers === undefined ? [] : parseOrdinals(covers);
  const covered = new Set(ordinals);
  for (const entry of state.entries) if (covered.has(entry.n)) for (const channel of channels ?? []) entry.covered[channel] = id;
  add(state, alert, { at, problem: problem?.id ?? null, channels: channels ? [...channels] : null, covers: ordinals });
}

function takeAlerting(state: AlertState, { channels, onFailure, onSuccess }: AlertingRecord, at: string): void {
  state.beginning ??= at;
  Object.assign(state, { onFailure, onSuccess });
  const fresh = () => ({ since: at, provenAt: null, failing: null, dead: [], told: [] });
  state.channels = Object.fromEntries(channels.map((name) => [name, state.channels[name] ?? fresh()]));
}

/** A channel took the alert of an entry: it has heard of its problem. */
function settle(state: AlertState, entry: Entry, channel: string, end: 'ok' | 'dead'): void {
  entry.settled[channel] = end;
  if (end === 'dead' || entry.problem === null || entry.alert.kind === 'recovered') return;
  const problem = Object.values(state.problems).find(({ id }) => id === entry.problem);
  if (problem && !problem.heard.includes(channel)) problem.heard.push(channel);
  for (const { alert, channels, problem: over } of state.entries)
    if (alert.kind === 'recovered' && over === entry.problem && !channels?.includes(channel)) channels?.push(channel);
}

function takeDelivery(state: AlertState, record: DeliveryRecord, { at, host }: { at: string; host: string }): void {
  const { alertId, channel: name, ok, dead, detail, attempt, notBefore } = record;
  const channel = state.channels[name];
  const entry = state.entries.find(({ alert }) => alert.id === alertId);
  if (entry) {
    entry.tries[name] = attempt;
    if (ok || dead)
      for (const one of [entry, ...state.entries.filter(({ covered }) => covered[name] === alertId)])
        settle(state, one, name, ok ? 'ok' : 'dead');
  }
  if (!channel) return;
  if (ok) {
    Object.assign(channel, { provenAt: at, failing: null, dead: [], told: [...channel.told, at].slice(-toldKept) });
    recover(
      state,
      { eventId: null, host, at, how: `the channel ${name} takes alerts again` },
      ({ alert }) => alert.reason === undeliveredBy(name),
    );
  } else if (dead) {
    channel.dead = [...channel.dead, { alertId, at, detail }].slice(-deadKept);
    if (entry?.alert.kind !== 'undelivered') report(state, undelivered(record, entry, { at, host }), { at, except: name });
  } else
    channel.failing = { tries: (channel.failing?.tries ?? 0) + 1, notBefore: notBefore ?? at, since: channel.failing?.since ?? at, detail };
}

const undeliveredBy = (channel: string): string => `undelivered: ${channel}`;

function undelivered(
  { alertId, channel, detail }: DeliveryRecord,
  entry: Entry | undefined,
  { at, host }: { at: string; host: string },
): Alert {
  const lost = entry
    ? ([
        ['Alert', entry.alert.title],
        ['Of', minuteOf(entry.at)],
      ] as const)
    : [];
  return {
    id: `${alertId}:${channel}:undelivered`,
    kind: 'undelivered',
    severity: 'critical',
    scheduleId: null,
    database: null,
    eventId: entry?.alert.eventId ?? null,
    host,
    at,
    title: `The channel ${channel} did not take an alert, which is given up`,
    facts: [['Channel', channel], ...lost, ['Why', detail]],
    class: 'permanent',
    reason: undeliveredBy(channel),
    nextTry: null,
    command: 'backup-automation test --alerts',
  };
}

/** Takes the next record in. `host`: this machine, for records that do not tell theirs. */
export function take(state: AlertState, record: LedgerRecord, host: string): void {
  const { at } = record;
  takeKnown(state.known, record);
  if (record.record === 'event') takeEvent(state, eventOf(record), at);
  else if (record.record === 'alerting') takeAlerting(state, record, at);
  else if (record.record === 'alert') takeAlert(state, record, at);
  else if (record.record === 'delivery') takeDelivery(state, record, { at, host });
  else if (record.record === 'verification') takeVerification(state, record, { at, host });
  else if (record.record === 'copy') takeCopy(state, record, { at, host });
  else if (record.record === 'missed') takeMissed(state, record, { at, host });
}
