/**
 * core: seals what flows to the storages, and proves it on the way, since nobody here can look inside afterwards.
 *
 * What is sealed ends only when everything before it ended well: without that the final chunk is never made, and nothing opens.
 */
import { PassThrough, Transform } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import type { Codec } from '../../model/roles/codec.js';
import { asFailure, type Failure } from '../../model/errors.js';
import type { Flow, Stage } from '../../model/roles/flow.js';
import type { Schedule } from '../../model/settings/settings.js';
import type { Context, Seal } from '../context.js';

/** The schedule's own encryption wins, also when it is null. Throws `configuration` when it is asked for and not possible. */
export async function sealOf(context: Context, schedule: Schedule | null): Promise<Seal | null> {
  const encryption = schedule?.encryption === undefined ? context.settings.encryption : schedule.encryption;
  return encryption && context.seal(encryption);
}

export interface Sealing {
  readonly codec: Codec;
  /** Reads a copy of the bytes before they are sealed; nothing to check where it is empty. */
  readonly check: readonly Stage[];
}

const piece = 1024 * 1024;

/** Hands every piece on and to the check as well; ends only when the check was content. */
function proving(context: Pick<Context, 'run'>, check: readonly Stage[], signal: AbortSignal): Transform {
  const copy = new PassThrough({ writableHighWaterMark: piece, readableHighWaterMark: piece });
  const flow = context.run(check, { input: copy, signal });
  flow.output.resume();
  const gate = new Transform({
    readableHighWaterMark: piece,
    writableHighWaterMark: piece,
    transform: (data: Buffer, _encoding, next) => copy.write(data, () => next(null, data)),
    flush: (next) => {
      copy.end();
      flow.done.then(() => next(), next);
    },
    destroy: (error, next) => {
      flow.stop(asFailure(error ?? new Error('nothing is sealed any more'), 'engine'));
      next(error);
    },
  });
  flow.done.catch((error: unknown) => gate.destroy(asFailure(error)));
  return gate;
}

/** The flow behind `clear` that seals what comes out of it. */
export function seal(context: Pick<Context, 'run'>, clear: Flow, { codec, check }: Sealing, signal: AbortSignal): Flow {
  const gate = check.length > 0 ? proving(context, check, signal) : null;
  const sealer = context.run([codec.encode()], { input: gate ?? clear.output, signal });
  // why it broke is told by the sealer, whose input it is
  if (gate) pipeline(clear.output, gate).catch(() => {});
  const done = Promise.all([clear.done, sealer.done]).then(() => {});
  done.catch(() => {});
  const stop = (reason: Failure) => {
    clear.stop(reason);
    sealer.stop(reason);
  };
  return { output: sealer.output, done, stop };
}
