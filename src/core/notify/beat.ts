/**
 * core: signs of life of an event, for someone outside who notices when none comes. They are not repeated, and hold up nothing.
 */
import { asFailure } from '../../model/errors.js';
import type { BackupEvent } from '../../model/events/event.js';
import type { Beat, Channel } from '../../model/roles/channel.js';
import type { Context } from '../context.js';

/** Of one sign, ms. */
const limit = 5000;

/** A watcher of some schedules is not told that another one ran, nor of runs by hand. */
function isWatched({ routes }: Context, { name }: Channel, { scheduleId, database }: BackupEvent): boolean {
  const { schedules, databases } = routes[name] ?? {};
  const isOne = databases?.some((entry) => database === entry || database.startsWith(`${entry}--`)) ?? true;
  return isOne && (!schedules || (scheduleId !== undefined && schedules.includes(scheduleId)));
}

type Sign = Pick<Beat, 'phase' | 'exit'> & { readonly text?: string };

/** The signs under way, by their event: its end is told after its start. */
const underWay = new WeakMap<Context, Map<string, Promise<void>>>();

/** Tells every watcher meanwhile; nothing waits for it but `beaten`. */
export function beat(context: Context, event: BackupEvent, sign: Sign): void {
  const signs = underWay.get(context) ?? new Map<string, Promise<void>>();
  underWay.set(context, signs);
  signs.set(
    event.id,
    (signs.get(event.id) ?? Promise.resolve()).then(() => tell(context, event, sign)),
  );
}

/** When every sign was told, or not told in time. Never rejects. */
export async function beaten(context: Context): Promise<void> {
  const signs = underWay.get(context);
  if (signs) await Promise.all(signs.values());
}

async function tell(context: Context, event: BackupEvent, { phase, exit, text = '' }: Sign): Promise<void> {
  const watchers = context.channels.filter((channel) => channel.beat && isWatched(context, channel, event));
  if (watchers.length === 0) return;
  const stop = new AbortController();
  const timer = new AbortController();
  void context.clock.sleep(limit, timer.signal).then(
    () => stop.abort(new Error(`no answer within ${limit / 1000} s`)),
    () => {},
  );
  const signal = AbortSignal.any([stop.signal, context.signal]);
  const words = [event.database, text].filter(Boolean).join('\n');
  const sign: Beat = { phase, runId: event.id, text: words, ...(exit !== undefined && { exit }) };
  const beats = watchers.map(async (channel) => {
    try {
      await channel.beat?.(sign, signal);
    } catch (error) {
      context.log('warn', `${channel.name} was not told of a ${phase}: ${asFailure(error).message}`);
    }
  });
  await Promise.all(beats);
  timer.abort();
}
