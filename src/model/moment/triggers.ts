/**
 * model: what starts a backup between a schedule's times: changes of the database, a file that a deployment touched. Pure.
 */
import type { Mark } from '../backup/mark.js';
import type { Triggers } from '../settings/timing.js';
import { bytesPerGB, countOf, formatBytes, msPerMinute } from '../units.js';
import { minuteOf } from './minute.js';

/** The newest backup of the schedule and database. */
export interface Before {
  readonly startedAt: Date;
  /** Null: none was taken. */
  readonly mark: Mark | null;
}

export interface TriggerFacts {
  readonly now: Date;
  /** Null: there is none. */
  readonly before: Before | null;
  /** When the newest event that was completed, or found the database unchanged, was created. */
  readonly completedAt: Date | null;
  /** Of the file; null: there is no such file. */
  readonly touchedAt: Date | null;
  /** Where the database stands now; null: it was not asked. */
  readonly mark: Mark | null;
}

export interface Firing {
  /** As an event's `trigger` tells it. */
  readonly trigger: 'file' | 'wal' | 'rows' | 'notify';
  /** A sentence. */
  readonly cause: string;
}

/** Whether so little time passed since the newest event that no trigger starts another one. */
export const isTooSoon = ({ minimumGap }: Triggers, newest: string | undefined, now: Date): boolean =>
  newest !== undefined && now.getTime() < Date.parse(newest) + minimumGap * msPerMinute;

/** Whether the server has to be asked. */
export const asksServer = ({ walGB, changedRows }: Triggers): boolean => walGB !== undefined || changedRows !== undefined;

/** The first trigger that fires; null: none does. Where there is no backup yet, or nothing to compare with, the first one does. */
export function firing(triggers: Triggers, facts: TriggerFacts): Firing | null {
  const { file, walGB, changedRows } = triggers;
  const { before, completedAt, touchedAt, now, mark } = facts;
  const since = Math.max(Number(before?.startedAt ?? 0), Number(completedAt ?? 0));
  // a time to come would fire again and again
  if (file !== undefined && touchedAt && touchedAt <= now && touchedAt.getTime() > since)
    return { trigger: 'file', cause: `${file} was touched at ${minuteOf(touchedAt)}` };
  if (!mark || !asksServer(triggers)) return null;
  const trigger = walGB === undefined ? 'rows' : 'wal';
  if (!before) return { trigger, cause: 'there is no backup of this schedule yet' };
  const then = before.mark;
  if (!then) return { trigger, cause: 'the last backup does not tell where the database stood' };
  if (then.server !== mark.server) return { trigger, cause: 'the server is another one, or was put back to an earlier state' };
  return wal(walGB, then, mark) ?? rows(changedRows, then, mark);
}

function wal(walGB: number | undefined, then: Mark, now: Mark): Firing | null {
  if (walGB === undefined || then.wal === null || now.wal === null) return null;
  const written = now.wal - then.wal;
  if (written >= 0 && written < walGB * bytesPerGB) return null;
  return {
    trigger: 'wal',
    cause: `${formatBytes(Math.max(0, written))} of WAL were written since the last backup, the limit is ${walGB} GB`,
  };
}

/** A counter that began anew tells of all rows since. */
function rows(changedRows: number | undefined, then: Mark, now: Mark): Firing | null {
  if (changedRows === undefined || then.rows === null || now.rows === null) return null;
  const isSame = then.rowsSince === now.rowsSince && now.rows >= then.rows;
  const changed = isSame ? now.rows - then.rows : now.rows;
  if (changed < changedRows) return null;
  return {
    trigger: 'rows',
    cause: `${countOf(changed, 'row')} changed since the last backup${isSame ? '' : ', or more'}, the limit is ${changedRows}`,
  };
}

/** What each of the triggers waits for that did not fire, a part of a sentence each. */
export function awaited({ walGB, changedRows, file, notify }: Triggers, { before, mark, touchedAt }: TriggerFacts): string[] {
  const then = before?.mark ?? null;
  const soFar = (now: number | null | undefined, past: number | null | undefined, show: (value: number) => string) =>
    now == null || past == null ? '' : ` (${show(Math.max(0, now - past))} so far)`;
  return [
    ...(walGB === undefined ? [] : [`${walGB} GB of WAL${soFar(mark?.wal, then?.wal, formatBytes)}`]),
    ...(changedRows === undefined ? [] : [`${changedRows} changed rows${soFar(mark?.rows, then?.rows, String)}`]),
    ...(file === undefined
      ? []
      : [`a touch of ${file} (${touchedAt ? `the last was at ${minuteOf(touchedAt)}` : 'there is no such file'})`]),
    ...(notify === undefined ? [] : [`NOTIFY ${notify}, heard by \`serve --schedule\``]),
  ];
}
