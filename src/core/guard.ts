/**
 * core: the backup before a dangerous command, and the way back should that command fail.
 */
import { levelRank } from '../model/backup/level.js';
import { Failure } from '../model/errors.js';
import type { Context } from './context.js';
import { execute } from './execute.js';
import { makePlan } from './event/plan.js';

export interface GuardRequest {
  /** One entry of `databases`, or all. */
  readonly database?: string;
}

/** One command line a database, to be typed when everything has to be as it was before. */
export type WayBack = readonly string[];

/** Whoever needs a backup right now needs it whatever the window and the load. */
const passBy = ['window', 'load', 'health'] as const;

/**
 * Backs up, with a proof of at least the whole archive read back. Rejects unless every database has its backup: then the command
 * must not run.
 */
export async function guard(context: Context, request: GuardRequest): Promise<WayBack> {
  const { afterBackup } = context.settings.verify;
  const level = levelRank(afterBackup === 'none' ? null : afterBackup) < levelRank('archive') ? 'archive' : afterBackup;
  // whoever stands before a failed guard repeats it by hand
  const settings = { ...context.settings, autoRetry: false, verify: { ...context.settings.verify, afterBackup: level } };
  const { events, failure } = await execute(
    { ...context, settings },
    { ...request, type: 'emergency', trigger: 'guard', passBy, wait: null },
  );
  // the backup is there, whatever an alert or a second storage came to
  const isBeside = failure?.code === 'partial' || failure?.code === 'alert';
  if (failure && !(isBeside && events.every(({ status }) => status === 'completed'))) throw failure;
  const { targets } = await makePlan(context, request);
  const backups = new Map(events.map((event) => [event.database, event.result?.backupId]));
  const commands = targets.map(async (target) => {
    if ('failure' in target) throw target.failure;
    const url = await context.engine.url(target.database);
    const { databaseName } = await context.engine.inspect(target.database);
    return `backup-automation restore ${backups.get(target.database.name) ?? ''} --to ${quoted(url)} --force-target ${quoted(databaseName)}`;
  });
  if (commands.length === 0) throw new Failure('not-found', 'there is no database to guard');
  return Promise.all(commands);
}

/** For a POSIX shell. */
const quoted = (word: string): string => (/^[\w@%+=:,./-]+$/.test(word) ? word : `'${word.replaceAll("'", `'\\''`)}'`);
