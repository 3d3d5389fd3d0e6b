/**
 * model: what a database does from moment to moment, and what a backup costs it. Decides whether to spare it; measures nothing.
 */

/** One look at a server's counters. Null: it may not be seen, or there is no such thing. */
export interface Observation {
  /** Monotonic, ms. */
  readonly at: number;
  /** How long the look itself took, ms. */
  readonly latency: number;
  /** Ended in this database since the server's counters began. */
  readonly transactions: number;
  readonly blocksHit: number;
  readonly blocksRead: number;
  /** Position of the write-ahead log, bytes. */
  readonly wal: number | null;
  readonly connections: number;
  /** Sessions of others in this database that did something within two seconds. */
  readonly busy: number | null;
  /** Sessions that wait for a lock, of whomever. */
  readonly waiting: number;
  /** Of those that wait for a lock of this backup: how long the longest has waited, ms, and who. */
  readonly blocked: { readonly longest: number; readonly who: string } | null;
  /** The lock that a session of this backup waits for, and who holds it: `a lock on app.orders, held by pid 7, joe (psql)`; null: none. */
  readonly waits: string | null;
  /** Processes of this backup's own sessions, where the server runs on this host; empty where it does not. */
  readonly backends: readonly number[];
}

/** What went on between two looks, a second each, or a mean of the looks. */
export interface Load {
  readonly transactionsPerSecond: number;
  /** Mean of the looks, ms. */
  readonly latency: number;
  readonly connections: number;
  /** %; null where no block was asked for. */
  readonly cacheHitRatio: number | null;
  readonly walBytesPerSecond: number | null;
  readonly waiting: number;
}

/** What a backup cost the system. */
export interface Impact {
  /** Just before it; null where nothing went on that could suffer. */
  readonly before: Load | null;
  /** Null where it was over too soon to tell. */
  readonly during: Load | null;
  /** The longest time that another session waited for it, ms. */
  readonly longestBlocked: number;
  /** The core that it kept to; null: none. */
  readonly core: number | null;
  /** How the system was spared, or why not: a sentence. */
  readonly gentle: string;
}

const round = (value: number): number => Math.round(value * 10) / 10;
const mean = (values: readonly number[]): number => round(values.reduce((sum, value) => sum + value, 0) / values.length);

/** Shorter than this the counters, which sessions hand in once a second, tell nothing. */
const shortest = 2000;

/** What went on over a row of looks; null for too short a time. */
export function loadOf(looks: readonly Observation[]): Load | null {
  const [first] = looks;
  const last = looks.at(-1);
  if (!first || !last || last.at - first.at < shortest) return null;
  const seconds = (last.at - first.at) / 1000;
  const blocks = last.blocksHit + last.blocksRead - first.blocksHit - first.blocksRead;
  return {
    transactionsPerSecond: round(Math.max(0, last.transactions - first.transactions) / seconds),
    latency: mean(looks.map(({ latency }) => latency)),
    connections: mean(looks.map(({ connections }) => connections)),
    cacheHitRatio: blocks > 0 ? round((100 * (last.blocksHit - first.blocksHit)) / blocks) : null,
    walBytesPerSecond: last.wal === null || first.wal === null ? null : Math.round((last.wal - first.wal) / seconds),
    waiting: Math.max(...looks.map(({ waiting }) => waiting)),
  };
}

export interface GentleFacts {
  readonly asked: 'auto' | 'on' | 'off';
  /** Whether sessions of this backup run as processes of this host. */
  readonly local: boolean;
  /** The core that may be used alone; else why not. */
  readonly core: number | string;
  /** See `Observation.busy`. */
  readonly busy: number | null;
}

export interface GentleDecision {
  /** The core to keep to; null: none. */
  readonly core: number | null;
  /** A sentence for a person. */
  readonly reason: string;
}

/** Whether to keep dump, compressor and their sessions to one core: bursts on every core are what the others suffer from. */
export function decideGentle({ asked, local, core, busy }: GentleFacts): GentleDecision {
  if (asked === 'off') return { core: null, reason: 'not confined: gentle is off' };
  if (typeof core === 'string') return { core: null, reason: `not confined: ${core}` };
  if (asked === 'auto' && busy === 0) return { core: null, reason: 'not confined: the database was quiet' };
  if (!local && asked === 'auto')
    return { core: null, reason: 'not confined: the database runs on another host, or may not be seen from here' };
  const whom = local ? 'the dump and its sessions' : 'the dump, not its sessions, which run on another host';
  return { core, reason: `confined to core ${core}: ${whom}` };
}
