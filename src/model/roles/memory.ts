/**
 * model: the Memory role, what was folded from the ledger, so that it is not read whole each time. It may be lost.
 */
export interface Memory {
  /** What was kept last; null: nothing, or nothing that can be read. Never throws. */
  recall(): unknown;
  /** Throws a Failure `ledger` when it cannot be written. */
  keep(content: object): void;
}
