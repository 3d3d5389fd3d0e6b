/**
 * model: the Scheduler role, what starts `execute --due` every minute: cron, a systemd timer.
 */

/** What is to be started, in absolute words: a scheduler has no PATH, no home and no folder of ours. */
export interface Entry {
  /** Tells our entry from others of the same user: made from the configuration's path. */
  readonly id: string;
  /** The program and its arguments, absolute paths. */
  readonly command: readonly string[];
  readonly environment: Readonly<Record<string, string>>;
  readonly folder: string;
  /** Where its output is kept. */
  readonly logFile: string;
}

export interface Installed {
  readonly id: string;
  /** Where it stands, in words: "root's crontab". */
  readonly place: string;
  /** Exactly as it stands there. */
  readonly text: string;
  /** Why it can not run although it stands there: a daemon that is stopped, an edited line; null: it can. */
  readonly problem: string | null;
}

export interface Scheduler {
  readonly kind: string;
  /** Whether this machine has it, and why not. */
  probe(): Promise<{ readonly available: boolean; readonly detail: string }>;
  /** Writes the entry in one step, in the place of one of the same id; keeps everything else. Resolves to what stands there now. */
  install(entry: Entry): Promise<Installed>;
  /** Resolves to whether there was one. */
  remove(id: string): Promise<boolean>;
  /** Ours, each compared with what `expected` would write. */
  list(expected?: Entry): Promise<readonly Installed[]>;
}
