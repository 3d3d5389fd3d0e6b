/**
 * config: what a rule is: it finds what cannot be, in a configuration whose single keys are right.
 */
import type { Path } from '../layers.js';
import type { Config } from '../schema.js';

export interface Finding {
  readonly path: Path;
  readonly expected: string;
  /** Where the value itself must not be shown, or says too little. */
  readonly found?: string;
}

export type Rule = (config: Config) => Finding[];
