/**
 * model: the Locks role. Locks bound load and tell who is alive; integrity never depends on one.
 */

export interface Lock {
  release(): void;
}

export interface Locks {
  /** The event's proof of life, held as long as a process works on it. Null: another one holds it. */
  claimEvent(eventId: string): Promise<Lock | null>;
  /** Whether somebody holds it now. */
  isEventAlive(eventId: string): Promise<boolean>;
  /** One of `limit` places for backups of this state directory. Null: all are taken. */
  claimPlace(limit: number): Promise<Lock | null>;
  /** How many of the places are taken now. */
  placesTaken(limit: number): Promise<number>;
}
