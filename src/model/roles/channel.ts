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
  readonly alert: Alert;
}

/** What the other side said when it took the message. */
export interface Receipt {
  readonly detail: string;
}

export interface Channel {
  readonly name: string;
  readonly kind: string;
  /**
   * Resolves when the other side took it. Throws `alert`: of class `permanent` when repeating can not help (no such webhook, a refused
   * recipient), with `retryAfter` where the other side named a time. Never repeats by itself, follows no redirect, ends with the signal.
   */
  send(message: Message, signal: AbortSignal): Promise<Receipt>;
}
