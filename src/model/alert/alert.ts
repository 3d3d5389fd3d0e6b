/**
 * model: the Alert, something a person must hear: severity, title, facts, and the next command to type. Sends nothing.
 */
import type { FailureClass } from '../errors.js';

export const severities = ['info', 'warning', 'critical'] as const;
export type Severity = (typeof severities)[number];

/** What happened; the first word of the subject follows from it and the severity. */
export type AlertKind =
  | 'success'
  | 'failure'
  | 'missed'
  | 'deferred'
  | 'exhausted'
  | 'verification'
  | 'suspect'
  | 'copy'
  | 'retention'
  | 'health'
  | 'undelivered'
  | 'ledger'
  | 'recovered'
  | 'digest'
  | 'reminder'
  | 'summary'
  | 'canary';

export interface Alert {
  /** The same for the same thing told again by another process: by it a receiver drops doubles. */
  readonly id: string;
  readonly kind: AlertKind;
  /** Of a recovery: what is over. */
  readonly was?: AlertKind;
  readonly severity: Severity;
  readonly scheduleId: string | null;
  readonly database: string | null;
  /** The event it tells of. */
  readonly eventId: string | null;
  readonly host: string;
  /** When it happened, ISO 8601 UTC. */
  readonly at: string;
  /** One sentence. */
  readonly title: string;
  /** What a person needs to judge it, in order. */
  readonly facts: readonly (readonly [label: string, value: string])[];
  readonly class: FailureClass | null;
  /** What is wrong, without what changes from time to time: alerts of one reason are told apart by their count alone. */
  readonly reason: string;
  /** When it is tried again, ISO 8601 UTC. */
  readonly nextTry: string | null;
  /** What to type next. */
  readonly command: string | null;
}
