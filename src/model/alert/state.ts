/**
 * model: what the ledger says about alerts, folded: what is owed, what is wrong at present, how the channels do. Data only.
 *
 * All of it is JSON, so that it can be remembered between two looks at the ledger; it can always be folded again from the first line.
 */
import type { KnownSchedules } from '../events/known.js';
import type { Alert, Severity } from './alert.js';

/** An alert that some channel may still have to be told. */
export interface Entry {
  /** Its ordinal in the ledger. */
  readonly n: number;
  alert: Alert;
  /** When the line was written that it follows from. */
  readonly at: string;
  /** To these only, whatever their routing; null: to all it is routed to. */
  channels: string[] | null;
  /** Never to this one: it is what the alert is about. */
  readonly except?: string;
  /** The problem that it tells of, or, of a recovery, that is over. */
  readonly problem: string | null;
  /** How it ended, by channel. */
  readonly settled: Record<string, 'ok' | 'dead'>;
  /** The digest that stands for it, by channel. */
  readonly covered: Record<string, string>;
  /** Tries so far, by channel. */
  readonly tries: Record<string, number>;
  /** Of a digest: the alerts that it stands for. */
  readonly covers?: readonly number[];
}

/** Something that is wrong until it is good again. */
export interface Problem {
  /** The id of its first alert. */
  readonly id: string;
  readonly since: string;
  count: number;
  /** The same, of each severity. */
  readonly times: Partial<Record<Severity, number>>;
  /** When it was last told, and how often it was reminded of. */
  toldAt: string;
  reminders: number;
  /** The newest alert of it. */
  alert: Alert;
  /** The channels that took word of it. */
  readonly heard: string[];
}

export interface ChannelState {
  /** It is told of what happened from here on. */
  readonly since: string;
  /** When it last took anything. */
  provenAt: string | null;
  /** Tries that failed since, and before when it is not tried again. */
  failing: { readonly tries: number; readonly notBefore: string; readonly since: string; readonly detail: string } | null;
  /** Alerts given up since it last took anything. */
  dead: { readonly alertId: string; readonly at: string; readonly detail: string }[];
  /** When it was told, as far as it counts for what it may still be told. */
  told: string[];
}

export interface AlertState {
  /** How many alerts there were. */
  count: number;
  /** When the first channel was configured. */
  beginning: string | null;
  onFailure: boolean;
  onSuccess: boolean;
  entries: Entry[];
  /** By schedule, database and reason. */
  problems: Record<string, Problem>;
  channels: Record<string, ChannelState>;
  /** When a backup was last completed, by schedule and database. */
  lastGood: Record<string, string>;
  summaryAt: string | null;
  known: KnownSchedules;
}

export const emptyState = (): AlertState => ({
  count: 0,
  beginning: null,
  onFailure: true,
  onSuccess: false,
  entries: [],
  problems: {},
  channels: {},
  lastGood: {},
  summaryAt: null,
  known: {},
});

/** By which alerts are of one problem. */
export const keyOf = ({ scheduleId, database, reason }: Pick<Alert, 'scheduleId' | 'database' | 'reason'>): string =>
  JSON.stringify([scheduleId, database, reason]);

/** Of slots that nobody ran, whoever tells of them: of one schedule and database they are one problem. */
export const missedReason = 'missed';

export const routineKey = (scheduleId: string | null, database: string): string => JSON.stringify([scheduleId, database]);

/** When a backup of an entry, or of any member of it, was last completed by a schedule; null: none is known. */
export function lastGoodOf({ lastGood }: AlertState, scheduleId: string | null, entry: string): string | null {
  const times = Object.entries(lastGood).flatMap(([key, at]) => {
    const [schedule, database] = JSON.parse(key) as [string | null, string]; // as `routineKey` makes it
    return schedule === scheduleId && (database === entry || database.startsWith(`${entry}--`)) ? [at] : [];
  });
  return times.toSorted().at(-1) ?? null;
}
