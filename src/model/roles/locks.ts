/**
 * model: the Locks role. Locks bound load and tell who is alive; integrity never depends on one.
 */

export interface Lock {
  release(): void;
}

export interface EventLock extends Lock {
  /** Instead of `release`, once the event's terminal record is durable, or the backup removed: removes what is left of the lock too. */
  retire(): void;
}

export interface Locks {
  /** Tries whether a lock that is held keeps others out where they lie; says where that is. Throws `ledger` when it does not. */
  probe(): Promise<string>;
  /**
   * The event's proof of life, taken before its first record and held as long as a process works on it, `pending` or `running`.
   * Null: another one holds it.
   */
  claimEvent(eventId: string): Promise<EventLock | null>;
  /** Whether somebody holds it now; with its pid also when the lock's file was deleted under that process. */
  isEventAlive(eventId: string, pid?: number): Promise<boolean>;
  /** Whether a process of this number is there, whatever it is. */
  isProcess(pid: number): boolean;
  /** Ids of the events that were claimed and not yet retired. */
  eventsLeft(): Promise<readonly string[]>;
  /** One of `limit` places for backups of this state directory. Null: all are taken. */
  claimPlace(limit: number): Promise<Lock | null>;
  /** How many of the places are taken now. */
  placesTaken(limit: number): Promise<number>;
  /** The one place for a backup of this database by this schedule. Null: the one before is not over. */
  claimTurn(scheduleId: string, database: string): Promise<Lock | null>;
  /** Held by who reads a backup, or marks it; several may at once. Null: it is being removed. */
  holdBackup(backupId: string): Promise<Lock | null>;
  /** Held alone, to remove it. Null: somebody holds it. */
  claimBackup(backupId: string): Promise<EventLock | null>;
  /** Whether somebody holds it now. */
  isBackupHeld(backupId: string): Promise<boolean>;
  /** The one place for whoever removes backups from a storage. Null: another one does, for longer than a removal takes. */
  claimRetention(storage: string): Promise<Lock | null>;
  /** The one place for whoever sends alerts; waits at most `seconds`. Null: another one does. */
  claimAlerts(seconds: number): Promise<Lock | null>;
}
