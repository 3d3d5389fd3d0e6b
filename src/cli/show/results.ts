/**
 * cli: what was verified and what was copied, a table each; the same for every command that does it.
 */
import type { ChalkInstance } from 'chalk';
import type { Copied } from '../../core/copies.js';
import type { VerifyResult } from '../../core/verify.js';
import { notCaged } from '../../model/backup/level.js';
import { formatBytes, formatDuration } from '../../model/units.js';
import { width } from '../render.js';
import { table } from './table.js';

/** A verification, or one that could not be done: nothing is said about that backup. */
type Verified = Omit<VerifyResult, 'code'> & { readonly undone?: true };

export function verifiedTable(results: readonly Verified[], paint: ChalkInstance): string {
  const verdict = ({ ok, undone }: Verified): string =>
    ok ? paint.green('proven') : undone ? paint.yellow('undone') : paint.red('NOT PROVEN');
  const rows = results.map((one) => [one.backupId, one.database, one.level, verdict(one), formatDuration(one.duration), one.detail]);
  const shown = table(['BACKUP', 'DATABASE', 'LEVEL', 'RESULT', 'DURATION', 'DETAIL'], rows, { width: width(), paint, ids: 0 });
  // the machine's matter: said once
  const notes = new Set(results.flatMap(({ uncaged }) => (uncaged === undefined ? [] : [`${notCaged}${uncaged}`])));
  return [shown, ...notes].join('\n');
}

export function copiedTable(copied: readonly Copied[], paint: ChalkInstance): string {
  const rows = copied.map((one) => [
    one.backupId,
    one.database,
    `${one.from ?? '-'} -> ${one.to}`,
    one.ok ? paint.green('copied') : paint.red('failed'),
    one.ok ? `${formatBytes(one.size)} in ${formatDuration(one.duration)}` : one.detail,
  ]);
  return table(['BACKUP', 'DATABASE', 'STORAGES', 'RESULT', 'DETAIL'], rows, { width: width(), paint, ids: 0 });
}
