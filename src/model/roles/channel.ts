/**
 * model: the Channel role, a way to tell a person or a program of an alert.
 */
import type { Alert } from '../alert/alert.js';

/** An alert in words, nothing in it secret, not yet escaped for any channel. */
export interface Message {
  /** `<alert id>:<channel>`: the same at every try, so that a receiver can drop doubles. */
  readonly key: string;
  /** One line: `FAILED daily-backup shop db1 2026-11-22 02:00 UTC`. */
  readonly subject: string;
  /** Plain text, lines of any length, at most 20,000 characters. */
  readonly body: string;
  /** Whether subject or body are the user's own words: then channels with fields of their own show the body, not the alert's facts. */
  readonly templated?: boolean;
  readonly alert: Alert;
}

/** A sign of life of one event, for someone outside who notices when none comes. */
export interface Beat {
  readonly phase: 'start' | 'success' | 'fail';
  /** The event's id, a UUID: joins start and end. */
  readonly runId: string;
  /** The exit code of a `fail`. */
  readonly exit?: number;
  /** A few lines of plain text, nothing in it secret; may be empty. */
  readonly text: string;
}

/** What the other side said when it took the message. */
export interface Receipt {
  readonly detail: string;
}

export interface Channel {
  readonly name: string;
  readonly kind: string;
  /** Whether a recovery ends something there, so that each is told by itself. */
  readonly resolves?: boolean;
  /**
   * Resolves when the other side took it. Throws `alert`: of class `permanent` when repeating cannot help (no such webhook, a refused
   * recipient), with `retryAfter` where the other side named a time. Never repeats by itself, follows no redirect, ends with the signal.
   */
  send(message: Message, signal: AbortSignal): Promise<Receipt>;
  /** Of a channel that expects signs of life: told when an event starts and ends. Throws as `send` does; not repeated, not owed. */
  beat?(beat: Beat, signal: AbortSignal): Promise<Receipt>;
}
