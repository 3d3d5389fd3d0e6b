/**
 * model: the alert that the end of a backup calls for. It decides what is said, never who hears it.
 */
import { suspectWarning } from '../backup/suspect.js';
import type { FailureClass } from '../errors.js';
import { formatBytes, formatDuration } from '../units.js';
import type { BackupEvent } from '../events/event.js';
import { isExpanded } from '../events/retry.js';
import type { Alert, AlertKind, Severity } from './alert.js';
import { missedReason } from './state.js';

type Facts = Alert['facts'][number][];

/** What changes from time to time, as ids, numbers and paths: of one reason whatever they are. */
const passing = /[0-9a-f]{8}-[0-9a-f-]{27,}|\/[^\s'":;,]+|\d[\d.,:]*/gi;

/** What is wrong, without what changes from time to time; at most 200 characters. */
const reasonOf = (code: string, text: string): string => `${code}: ${text.replace(passing, '#')}`.slice(0, 200);

const showEvent = ({ id }: BackupEvent): string => `backup-automation events show ${id}`;

interface Said {
  readonly kind: AlertKind;
  readonly severity: Severity;
  readonly title: string;
  readonly reason: string;
  readonly facts: Facts;
  readonly nextTry?: string | null;
  readonly command?: string | null;
}

const alertOf = (event: BackupEvent, at: string, { command = showEvent(event), ...said }: Said): Alert => ({
  id: `${event.id}:${said.kind === 'exhausted' ? 'failure' : said.kind}`,
  scheduleId: event.scheduleId ?? null,
  database: event.database,
  eventId: event.id,
  host: event.host,
  at,
  class: event.result?.class ?? null,
  nextTry: null,
  command,
  ...said,
});

const attemptOf = ({ attempt }: BackupEvent): Facts => (attempt > 1 ? [['Attempt', String(attempt)]] : []);

/** What a class says about repeating. */
const classWords = {
  transient: 'transient: it may pass by itself',
  busy: 'busy: it may go better later',
  resource: 'resource: room has to be made',
  permanent: 'permanent: repeating does not help',
} as const satisfies Record<FailureClass, string>;

const classOf = ({ result }: BackupEvent): Facts => (result?.class ? [['Class', classWords[result.class]]] : []);

function failure(event: BackupEvent, at: string): Alert {
  const { result, attempt, database, retryAt = null } = event;
  const error = result?.error ?? 'no reason was recorded';
  return alertOf(event, at, {
    kind: attempt > 1 && retryAt === null ? 'exhausted' : 'failure',
    severity: retryAt === null ? 'critical' : 'warning',
    nextTry: retryAt,
    title: attempt > 1 ? `The backup of ${database} failed, attempt ${attempt} of it` : `The backup of ${database} failed`,
    reason: reasonOf(result?.code ?? 'failed', error),
    facts: [['Error', error], ...(result?.hint ? [['Hint', result.hint] as const] : []), ...classOf(event), ...attemptOf(event)],
  });
}

function cancellation(event: BackupEvent, at: string): Alert | null {
  const { type, slot, database, scheduleId, reasons = [] } = event;
  // whoever starts a backup by hand is told at once; a retry that became several events is none of its own, nor is what another host did
  if ((type === 'manual' || type === 'emergency') && slot === undefined) return null;
  if (isExpanded(event) || reasons.some((reason) => reason.startsWith('duplicate:'))) return null;
  const missed = reasons.some((reason) => /\bmissed\b/.test(reason));
  const why = reasons.join('; ') || 'no reason was recorded';
  const facts: Facts = [...(slot === undefined ? [] : [['Slot', slot] as const]), ['Reason', why], ...attemptOf(event)];
  const command = scheduleId === undefined ? showEvent(event) : `backup-automation explain ${scheduleId}`;
  const what = type === 'retry' && slot === undefined ? 'The retry of the backup' : 'The backup';
  return alertOf(event, at, {
    kind: missed ? 'missed' : 'deferred',
    severity: missed ? 'critical' : 'warning',
    title: missed ? `The backup of ${database} was missed` : `${what} of ${database} was cancelled: its conditions did not hold in time`,
    reason: missed ? missedReason : reasonOf('cancelled', reasons.map((reason) => reason.split(':', 1)[0]).join()),
    facts,
    command,
  });
}

const sizes = ({ result }: BackupEvent): Facts =>
  result?.success
    ? [
        ['Backup', result.backupId ?? ''],
        ['Size', formatBytes(result.size)],
        ['Duration', formatDuration(result.duration)],
      ]
    : [];

export const success = (event: BackupEvent, at: string): Alert =>
  alertOf(event, at, {
    kind: 'success',
    severity: 'info',
    title: event.equalTo ? `${event.database} is unchanged since its last backup` : `${event.database} is backed up`,
    reason: 'success',
    facts: [...sizes(event), ...(event.warnings ?? []).map((warning) => ['Warning', warning] as const)],
    command: null,
  });

function suspect(event: BackupEvent, at: string): Alert | null {
  const { warnings = [], database, id } = event;
  if (!warnings.includes(suspectWarning(id))) return null;
  const command = `backup-automation verify ${id}`;
  const facts: Facts = [...warnings.map((warning) => ['Warning', warning] as const), ...sizes(event)];
  const title = `The backup of ${database} was made, but looks odd`;
  return alertOf(event, at, { kind: 'suspect', severity: 'warning', title, reason: 'suspect', facts, command });
}

function copy(event: BackupEvent & { readonly missing?: readonly string[] }, at: string): Alert | null {
  const { missing = [], database } = event;
  if (missing.length === 0) return null;
  const names = missing.join(', ');
  const facts: Facts = [['Without it', names], ...(event.warnings ?? []).map((warning) => ['Warning', warning] as const), ...sizes(event)];
  const title = `The backup of ${database} was made, but not every storage holds it: ${names}`;
  return alertOf(event, at, { kind: 'copy', severity: 'warning', title, reason: 'copy', facts });
}

/** What is wrong with an ended event; empty when nothing is. */
export function alertsOf(event: BackupEvent, at: string): Alert[] {
  if (event.status === 'failed') return [failure(event, at)];
  if (event.status === 'cancelled') return [cancellation(event, at)].filter((alert) => alert !== null);
  return event.status === 'completed' ? [suspect(event, at), copy(event, at)].filter((alert) => alert !== null) : [];
}
