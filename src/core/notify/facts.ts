/**
 * core: how the channels do, for `health`. Looks only.
 */
import { owedTo } from '../../model/alert/owed.js';
import type { ChannelFacts } from '../../model/health/alerting.js';
import type { Context } from '../context.js';
import { Outbox } from './outbox.js';

export async function channelFacts(context: Context): Promise<ChannelFacts[]> {
  if (context.channels.length === 0) return [];
  const outbox = new Outbox(context);
  await outbox.refresh();
  return context.channels.map(({ name }) => {
    const owed = owedTo(outbox.state, context.routes, name).map(({ at }) => at);
    return { name, state: outbox.state.channels[name] ?? null, owed: owed.length, owedSince: owed.toSorted()[0] ?? null };
  });
}
