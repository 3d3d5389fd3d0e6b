/**
 * core: how far a movement of bytes has come: announced, and watched that it does not stand still. It moves nothing itself.
 */
import { Failure } from '../../model/errors.js';
import type { ArtifactSource } from '../../model/roles/engine/dump.js';
import type { StepName } from '../../model/roles/progress.js';
import { msPerMinute } from '../../model/units.js';
import type { Context } from '../context.js';

export interface Movement {
  readonly step: StepName;
  readonly database: string;
  /** Bytes expected, for the progress; null when unknown. */
  readonly total: number | null;
}

export interface Progress {
  /** How many bytes have come by now. */
  moved(bytes: number): void;
  end(): void;
}

/** Announces ten times a second, and calls `stalled` when nothing came for `stallTimeout` minutes. */
export function watchProgress(context: Context, movement: Movement, stalled: (reason: Failure) => unknown): Progress {
  const stop = new AbortController();
  let come = 0;
  let last = context.clock.monotonic();
  let announced = last;
  const limit = context.settings.stallTimeout * msPerMinute;
  const watch = async () => {
    for (;;) {
      await context.clock.sleep(Math.min(limit, msPerMinute), stop.signal);
      if (context.clock.monotonic() - last >= limit)
        stalled(new Failure('stalled', `${movement.database}: no byte arrived for ${context.settings.stallTimeout} minutes`));
    }
  };
  watch().catch(() => {});
  return {
    moved: (bytes) => {
      if (bytes === come) return;
      come = bytes;
      last = context.clock.monotonic();
      if (last - announced < 100) return;
      announced = last;
      context.announce({ kind: 'bytes', bytes, ...movement });
    },
    end: () => stop.abort(),
  };
}

/** Does what comes before an artifact's stages; one that stands still is ended. */
export async function prepare(
  context: Context,
  deed: NonNullable<ArtifactSource['prepare']>,
  signal: AbortSignal,
  movement: Movement,
): Promise<void> {
  const stalled = new AbortController();
  const progress = watchProgress(context, movement, (reason) => stalled.abort(reason));
  try {
    await deed(AbortSignal.any([signal, stalled.signal]), (bytes) => progress.moved(bytes));
  } finally {
    progress.end();
  }
}
