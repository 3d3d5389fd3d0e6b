/**
 * core: signs of life of an event, for someone outside who notices when none comes. They are not repeated, and hold up nothing for long.
 */
import type { BackupEvent } from '../../model/events/event.js';
import type { Beat, Channel } from '../../model/roles/channel.js';
import type { Context } from '../context.js';

/** ms */
const limit = 5000;

/** A watcher of some schedules is not told that another one ran, nor of runs by hand. */
function isWatched({ routes }: Context, { name }: Channel, { scheduleId, database }: BackupEvent): boolean {
  const { schedules, databases } = routes[name] ?? {};
  const isOne = databases?.some((entry) => database === entry || database.startsWith(`${entry}--`)) ?? true;
  return isOne && (!schedules || (scheduleId !== undefined && schedules.includes(scheduleId)));
}

/** Tells every watcher; never rejects. */
export async function beat(
  context: Context,
  event: BackupEvent,
  { phase, exit, text = '' }: Pick<Beat, 'phase' | 'exit'> & { readonly text?: string },
): Promise<void> {
  const watchers = context.channels.filter((channel) => channel.beat && isWatched(context, channel, event));
  if (watchers.length === 0) return;
  const stop = new AbortController();
  const timer = new AbortController();
  void context.clock.sleep(limit, timer.signal).then(
    () => stop.abort(new Error(`no answer within ${limit / 1000} s`)),
    () => {},
  );
  const signal = AbortSignal.any([stop.signal, context.signal]);
  const sign: Beat = { phase, runId: event.id, text: `${event.database}\n${text}`, ...(exit !== undefined && { exit }) };
  const beats = watchers.map(async (channel) => {
    try {
      await channel.beat?.(sign, signal);
    } catch (error) {
      context.log('warn', `${channel.name} was not told of a ${phase}: ${String(error)}`);
    }
  });
  await Promise.all(beats);
  timer.abort();
}
