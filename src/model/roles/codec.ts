/**
 * model: the Codec role, what is done to an artifact's bytes on their way to the storage, and undone on the way back.
 */
import type { Stage } from './flow.js';

export interface Codec {
  readonly kind: string;
  /** Appended to the artifact's name: `.zst`. */
  readonly extension: string;
  encode(): Stage;
  decode(): Stage;
}
