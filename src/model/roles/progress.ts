/**
 * model: what the core announces while it works; whoever listens decides what to show.
 */
import type { BackupEvent } from '../events/event.js';

export type StepName =
  | 'conditions'
  | 'copy'
  | 'health'
  | 'dump'
  | 'pack'
  | 'check'
  | 'commit'
  | 'fetch'
  | 'load'
  | 'compare'
  | 'scratch'
  | 'wait'
  | 'retry';

/** As people call them. */
export const stepWords: Readonly<Record<StepName, string>> = {
  conditions: 'conditions',
  copy: 'copy',
  health: 'health check',
  dump: 'dump',
  pack: 'pack',
  check: 'archive check',
  commit: 'commit',
  fetch: 'fetch',
  load: 'restore',
  compare: 'compare',
  scratch: 'scratch server',
  wait: 'wait',
  retry: 'retry',
};

export type Progress =
  | { readonly kind: 'event'; readonly event: BackupEvent }
  | { readonly kind: 'step'; readonly step: StepName; readonly database: string; readonly detail: string }
  /** `bytes` so far; `total` where it can be estimated. */
  | { readonly kind: 'bytes'; readonly step: StepName; readonly database: string; readonly bytes: number; readonly total: number | null }
  | { readonly kind: 'warning'; readonly database: string | null; readonly message: string };

export type Announce = (progress: Progress) => void;
