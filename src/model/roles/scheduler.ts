/**
 * model: the Scheduler role, what starts `execute --due` every minute: cron, a systemd timer.
 */

/** What is to be started, in absolute words: a scheduler has no PATH, no home and no folder of ours. */
export interface Entry {
  /** Tells our entry from others of the same user: made from the configuration's place. */
  readonly id: string;
  /** The program and what comes before the command's own words: node, our program, `--config`; absolute paths. */
  readonly program: readonly string[];
  /** `execute --due --quiet`. */
  readonly words: readonly string[];
  readonly environment: Readonly<Record<string, string>>;
  readonly folder: string;
  /** Where its output is appended. */
  readonly logFile: string;
}

export interface Installed {
  readonly id: string;
  /** Where it stands, in words: "root's crontab". */
  readonly place: string;
  /** Exactly as it stands there. */
  readonly text: string;
  /** Why it does not run although it stands there, such as a daemon that is stopped; null: it does. */
  readonly problem: string | null;
}

/** How a command ended that was run as a scheduler would. */
export interface Trial {
  readonly exitCode: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

export interface Scheduler {
  readonly kind: string;
  /** Whether this machine has it, and why not. */
  probe(): Promise<{ readonly available: boolean; readonly detail: string }>;
  /** Runs the entry's program with other words, exactly in the environment that the scheduler will give it. */
  attempt(entry: Entry, words: readonly string[], signal: AbortSignal): Promise<Trial>;
  /** Writes the entry in one step, in the place of one of the same id; keeps everything else. Resolves to what stands there now. */
  install(entry: Entry): Promise<Installed>;
  /** Resolves to whether there was one. */
  remove(id: string): Promise<boolean>;
  /** All of ours that stands there. */
  list(): Promise<readonly Installed[]>;
}

/** A time without ticks although there should have been one every minute. */
export interface Gap {
  readonly from: Date;
  readonly until: Date;
}

/** When a scheduler started us. */
export interface Ticks {
  /** Null: never. */
  readonly last: Date | null;
  /** The newest ones, oldest first. */
  readonly gaps: readonly Gap[];
}
