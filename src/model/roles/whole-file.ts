/**
 * model: a file that appears under its name only when it is whole and durable.
 */
import type { Writable } from 'node:stream';

export interface WholeFile {
  readonly stream: Writable;
  keep(): Promise<void>;
  discard(): Promise<void>;
}
