/**
 * core: the proof of the channels: each is sent a test message now, and what became of it is recorded.
 */
import { canaryOf } from '../../model/alert/due.js';
import { Failure } from '../../model/errors.js';
import type { Channel } from '../../model/roles/channel.js';
import { elapsed, type Context } from '../context.js';
import type { RehearsalStep } from '../rehearse.js';
import { messageFor, sendWithin } from './send.js';

const limit = 30_000;

/** A step a channel, told as it ends. Throws `configuration` when there is no channel. */
export async function proveChannels(context: Context, tell: (step: RehearsalStep) => void): Promise<RehearsalStep[]> {
  if (context.channels.length === 0)
    throw new Failure('configuration', 'there is no channel to test: `alerts` is empty', {
      hint: 'add one to `alerts` in the configuration file',
    });
  const steps: RehearsalStep[] = [];
  for (const channel of context.channels) {
    const step = await prove(context, channel);
    steps.push(step);
    tell(step);
  }
  return steps;
}

async function prove(context: Context, channel: Channel): Promise<RehearsalStep> {
  const { name, kind } = channel;
  const started = context.clock.monotonic();
  const alert = canaryOf(name, { now: context.clock.now(), host: context.process.host }, { provenAt: null });
  const sent = await sendWithin(context, channel, messageFor(context, alert, name), limit).then(
    (detail) => ({ ok: true, dead: false, detail }),
    (failure: Failure) => ({ ok: false, dead: failure.class === 'permanent', detail: failure.message }),
  );
  context.signal.throwIfAborted();
  const { ok, dead, detail } = sent;
  const record = {
    record: 'delivery',
    alertId: alert.id,
    channel: name,
    kind: 'canary',
    attempt: 1,
    ok,
    dead,
    detail,
    notBefore: null,
  } as const;
  await context.ledger.appendFact(record);
  return { name: `alert to ${name} (${kind})`, ok, detail: ok ? `taken: ${detail}` : detail, duration: elapsed(context, started) };
}
