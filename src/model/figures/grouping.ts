/**
 * model: by what events are grouped for their figures. Pure.
 */
import { localDay } from '../moment/here.js';
import type { BackupEvent } from '../events/event.js';

export const groupings = ['schedule', 'database', 'day'] as const;
export type Grouping = (typeof groupings)[number];

const keys: Readonly<Record<Grouping, (event: BackupEvent) => string>> = {
  schedule: ({ scheduleId }) => scheduleId ?? '(none)',
  database: ({ database }) => database,
  day: ({ timestamp }) => localDay(timestamp),
};

/** The group that an event belongs to. */
export const groupKeyOf = (by: Grouping): ((event: BackupEvent) => string) => keys[by];
