/**
 * model: the Confinement role: keeps processes to one core and behind others, so that these go on as before.
 */
export interface Confinement {
  /** The core to keep to, or in words why this machine has none to offer. */
  core(): Promise<number | string>;
  /** Keeps running processes to it, with all their threads; resolves to those that it was allowed to. They stay so until they end. */
  keep(pids: readonly number[], core: number): Promise<readonly number[]>;
  /**
   * Puts this process itself, and what it starts from then on, behind everybody else for as long as it lives, and on the core until what it
   * resolves to is called.
   */
  standBack(core: number): Promise<() => Promise<void>>;
}
