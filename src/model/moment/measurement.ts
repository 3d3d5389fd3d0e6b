/**
 * model: what was measured in one look, before anything is decided. Null means it could not be measured; `unknown` says why.
 */

/** How many times the last one the next backup may need. */
export const growth = 1.2;

/** Of one database server, and of the database on it. */
export interface Measurement {
  readonly connections: number | null;
  readonly maxConnections: number | null;
  /** Mean execution time of statements, ms: pg_stat_statements where it is there, else of the statements running now. */
  readonly averageQueryTime: number | null;
  /** 0 to 100. */
  readonly cacheHitRatio: number | null;
  readonly oldestTransactionAge: number | null;
  readonly databaseSize: number | null;
  readonly serverVersion: string | null;
  readonly inRecovery: boolean | null;
  /** Round trip of `SELECT 1`, ms. */
  readonly latency: number | null;
  /** Why a part is null, by the part's name. */
  readonly unknown: Readonly<Record<string, string>>;
}

/** Nothing was looked at. */
export const unmeasured: Measurement = {
  connections: null,
  maxConnections: null,
  averageQueryTime: null,
  cacheHitRatio: null,
  oldestTransactionAge: null,
  databaseSize: null,
  serverVersion: null,
  inRecovery: null,
  latency: null,
  unknown: {},
};

/** Everything that the conditions are decided from. */
export interface Surroundings {
  readonly database: Measurement;
  /** Free bytes on the storage with the least, null where it cannot be told. */
  readonly freeBytes: number | null;
  /** Bytes this dump will need: 1.2 times the last one, else the database's size. Null when neither is known. */
  readonly neededBytes: number | null;
  readonly runningBackups: number;
}
