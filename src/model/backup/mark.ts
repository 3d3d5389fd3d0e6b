/**
 * model: the Mark, where a database stood at a moment: compared with a later one it tells whether anything changed, and how much. Pure.
 */
import * as z from 'zod';

export const markSchema = z.object({
  /** `<system identifier>/<timeline>`: positions of different ones have nothing to do with each other. */
  server: z.string().nullable(),
  /** When the server was started. */
  started: z.string().nullable(),
  /**
   * Of `pg_current_snapshot()`: which transactions of the whole server are committed. Nothing is written without a transaction of its own
   * number, but for sequences. Null on a standby, which does not tell all of it.
   */
  snapshot: z.string().nullable(),
  /** MD5 of the state of all sequences; null where the role may not read each. */
  sequences: z.string().nullable(),
  /** The position in the WAL, bytes. */
  wal: z.number().nullable(),
  /** Rows inserted, updated and deleted in the database since `rowsSince`; null on a standby. */
  rows: z.int().nullable(),
  /** When the server began to count them. */
  rowsSince: z.string().nullable(),
});
export type Mark = z.infer<typeof markSchema>;

/** Whether a database is certainly as it was: the server runs on, no transaction wrote anything on it, and no sequence moved. */
export const isUnchanged = (then: Mark, now: Mark): boolean =>
  (['server', 'started', 'snapshot', 'sequences'] as const).every((part) => then[part] !== null && then[part] === now[part]);
