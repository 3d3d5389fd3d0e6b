/**
 * config: the specification's 14 environment variables, which key each one sets and how it is written; ranges are the schema's.
 */
import type { Problem } from './problem.js';

type Kind = 'switch' | 'number' | 'time';

/** variable, key, how it is written */
export const variables: readonly (readonly [name: string, key: string, kind: Kind])[] = [
  ['DB_BACKUP_AUTOMATION_ENABLED', 'enabled', 'switch'],
  ['DB_BACKUP_INTELLIGENT_SCHEDULING', 'intelligentScheduling', 'switch'],
  ['DB_BACKUP_LOAD_BASED', 'loadBasedBackup', 'switch'],
  ['DB_BACKUP_HEALTH_CHECK', 'healthCheckBeforeBackup', 'switch'],
  ['DB_BACKUP_AUTO_RETRY', 'autoRetry', 'switch'],
  ['DB_BACKUP_MAX_RETRIES', 'maxRetries', 'number'],
  ['DB_BACKUP_RETRY_DELAY', 'retryDelay', 'number'],
  ['DB_BACKUP_ALERT_ON_FAILURE', 'alertOnFailure', 'switch'],
  ['DB_BACKUP_ALERT_ON_SUCCESS', 'alertOnSuccess', 'switch'],
  ['DB_BACKUP_WINDOW_START', 'backupWindow.start', 'time'],
  ['DB_BACKUP_WINDOW_END', 'backupWindow.end', 'time'],
  ['DB_BACKUP_MAX_LOAD', 'conditions.maxDatabaseLoad', 'number'],
  ['DB_BACKUP_MIN_DISK_SPACE', 'conditions.minDiskSpace', 'number'],
  ['DB_BACKUP_MAX_CONCURRENT', 'conditions.maxConcurrentBackups', 'number'],
];

const words: Readonly<Record<Kind, string>> = {
  switch: 'true, false, yes, no, 1 or 0',
  number: 'a number',
  time: 'a time of day as HH:mm',
};

/** The value, or undefined when the text is not written as it must be. */
function read(text: string, kind: Kind): unknown {
  if (kind === 'switch') return /^(true|yes|1)$/i.test(text) ? true : /^(false|no|0)$/i.test(text) ? false : undefined;
  if (kind === 'number') return /^[+-]?\d{1,15}(\.\d{1,15})?$/.test(text) ? Number(text) : undefined;
  return /^\d\d:\d\d$/.test(text) ? text : undefined;
}

export interface FromEnvironment {
  readonly values: readonly { readonly name: string; readonly key: string; readonly value: unknown }[];
  readonly problems: readonly Problem[];
}

/** What the environment sets; an empty variable sets nothing. */
export function readEnvironment(env: NodeJS.ProcessEnv): FromEnvironment {
  const values: { name: string; key: string; value: unknown }[] = [];
  const problems: Problem[] = [];
  for (const [name, key, kind] of variables) {
    const text = env[name];
    if (text === undefined || text === '') continue;
    const value = read(text, kind);
    if (value === undefined) problems.push({ source: name, key, found: JSON.stringify(text.slice(0, 80)), expected: words[kind] });
    else values.push({ name, key, value });
  }
  return { values, problems };
}
