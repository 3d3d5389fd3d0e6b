/**
 * system: writes the log to its file and to stderr, one line an entry, without secrets; it never fails the work it tells of.
 */
import { closeSync, constants, mkdirSync, openSync, writeSync } from 'node:fs';
import { dirname } from 'node:path';
import type { Clock } from '../model/roles/clock.js';
import { asFailure } from '../model/errors.js';
import { harmless, oneLine } from '../model/harmless.js';
import { logLevels, type Log, type LogLevel } from '../model/roles/log.js';
import { redact } from '../model/redact.js';

export interface LogOptions {
  readonly format: 'text' | 'json';
  readonly file: string | null;
  /** The least that is written to the file; stderr shows warnings and errors only, and all of it at `debug`. */
  readonly level: LogLevel;
  readonly stderr: boolean;
  readonly clock: Pick<Clock, 'now'>;
}

interface Entry {
  readonly at: string;
  readonly level: LogLevel;
  readonly message: string;
  readonly facts: Readonly<Record<string, unknown>>;
}

// appending in one write keeps the lines of several processes whole; never through a link, never waiting for a pipe's reader
const flags = constants.O_WRONLY | constants.O_CREAT | constants.O_APPEND | constants.O_NOFOLLOW | constants.O_NONBLOCK;

/** For JSON.stringify: errors by their message, strings without secrets. */
function plain(_key: string, value: unknown): unknown {
  if (typeof value === 'string') return redact(value);
  if (typeof value === 'bigint') return value.toString();
  return value instanceof Error ? redact(value.message) : value;
}

/** `{"at":...,"level":...,"message":...,...facts}` */
const jsonLine = ({ facts, ...head }: Entry): string => harmless(JSON.stringify({ ...head, ...facts, ...head }, plain));

/** `2026-03-01T01:02:03.456Z info message key=value`; values with blanks, quotes or `=` in JSON's quotes. */
function textLine({ at, level, message, facts }: Entry): string {
  const pairs = Object.entries(facts)
    .filter(([, value]) => value !== undefined)
    .map(([key, value]) => {
      const text = JSON.stringify(value, plain) ?? 'null';
      return `${oneLine(key)}=${/^"[^\s"\\=]+"$/.test(text) ? text.slice(1, -1) : text}`;
    });
  return redact(oneLine([at, level, redact(message), ...pairs].join(' ')));
}

/** Appends lines to the file, opened for each: a long run follows a file that is put away. `failed` is told the first trouble. */
function appender(file: string, failed: (error: unknown) => void): (line: string) => void {
  let broken = false;
  return (line) => {
    if (broken) return;
    try {
      mkdirSync(dirname(file), { recursive: true, mode: 0o700 });
      const descriptor = openSync(file, flags, 0o600);
      try {
        writeSync(descriptor, line);
      } finally {
        closeSync(descriptor);
      }
    } catch (error) {
      broken = true;
      failed(error);
    }
  };
}

/** A log after the configuration's `log`. Writes nothing, not even an empty file, before the first line. */
export function openLog({ format, file, level, stderr, clock }: LogOptions): Log {
  const say = (line: string) => process.stderr.write(line);
  const append =
    file === null ? () => {} : appender(file, (error) => say(`warning: no log: ${oneLine(redact(asFailure(error).message))}\n`));
  const least = logLevels.indexOf(level);
  const leastOnStderr = level === 'debug' ? least : Math.max(least, logLevels.indexOf('warn'));
  return (of, message, facts = {}) => {
    const rank = logLevels.indexOf(of);
    if (rank < least) return;
    const entry = { at: clock.now().toISOString(), level: of, message, facts };
    const line = `${format === 'json' ? jsonLine(entry) : textLine(entry)}\n`;
    append(line);
    if (stderr && rank >= leastOnStderr) say(line);
  };
}
