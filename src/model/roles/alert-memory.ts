/**
 * model: the AlertMemory role, what was folded from the ledger about alerts, so that it is not read whole each time. It may be lost.
 */
export interface AlertMemory {
  /** What was kept last; null: nothing, or nothing that can be read. Never throws. */
  recall(): unknown;
  /** Throws a Failure `ledger` when it can not be written. */
  keep(content: object): void;
}
