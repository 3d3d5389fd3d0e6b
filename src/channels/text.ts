/**
 * channels: an alert's words made fit to be sent: harmless, whole characters, no longer than a place takes. Knows no place.
 */
import type { Alert } from '../model/alert/alert.js';
import { nextOf } from '../model/alert/words.js';
import { harmless, oneLine } from '../model/harmless.js';
import { redact } from '../model/redact.js';
import type { Message } from '../model/roles/channel.js';

const note = '… (cut)';

/**
 * The text, each character as `escape` writes it, at most `limit` by `size` (UTF-16 units when left out). What is over is cut, with a
 * note; never within a character or an escape.
 */
export function fit(text: string, limit: number, escape = (one: string) => one, size = (one: string) => one.length): string {
  const room = limit - size(note);
  let kept = '';
  let whole = '';
  let used = 0;
  for (const one of text) {
    const written = escape(one);
    used += size(written);
    if (used > limit) return kept + note;
    whole += written;
    if (used <= room) kept = whole;
  }
  return whole;
}

/** For `fit`: bytes of UTF-8. */
export const bytesOf = (text: string): number => Buffer.byteLength(text);

/** Whole characters, lines ended by a line feed alone. */
const wellFormed = (text: string): string => text.replace(/[\ud800-\udfff]/gu, '\ufffd').replace(/\r\n?/g, '\n');
/** Text of several lines as every channel takes it. */
export const block = (text: string, limit: number): string => fit(harmless(redact(wellFormed(text))), limit);
const line = (text: string, limit: number): string => fit(oneLine(redact(wellFormed(text))), limit);
const orNull = (text: string | null, limit: number): string | null => (text === null ? null : line(text, limit));

const mostFacts = 40;

/** The message as every channel takes it: control characters shown, lone surrogates replaced, secrets hidden, everything of a bounded size. */
export function tidy(message: Message): Message {
  const { alert } = message;
  return {
    ...message,
    subject: line(message.subject, 500),
    body: block(message.body, 20_000),
    alert: {
      ...alert,
      scheduleId: orNull(alert.scheduleId, 200),
      database: orNull(alert.database, 200),
      host: line(alert.host, 200),
      title: line(alert.title, 1000),
      reason: line(alert.reason, 1000),
      command: orNull(alert.command, 1000),
      facts: alert.facts.slice(0, mostFacts).map(([label, value]) => [line(label, 80), block(value, 2000)] as const),
    },
  };
}

/** The facts and whether it is tried again, each a label and a value. */
export function rowsOf(alert: Alert): (readonly [label: string, value: string])[] {
  const next = nextOf(alert);
  return next ? [...alert.facts, ['Next', next]] : [...alert.facts];
}

/** `&`, `<`, `>` as HTML, Slack and Telegram write them. */
export const escapeMarkup = (one: string): string => ({ '&': '&amp;', '<': '&lt;', '>': '&gt;' })[one] ?? one;
