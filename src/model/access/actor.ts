/**
 * model: on whose behalf something is done, as the ledger keeps it.
 */
export interface Actor {
  /** `cli:<user>` or `token:<name>`. */
  readonly by: string;
  /** The address of the other side; for the command line the host. */
  readonly address: string;
}
