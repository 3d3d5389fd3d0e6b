/**
 * core: tells the channels what they are owed, each in its own row, and records what became of it. It decides nothing.
 */
import type { Alert } from '../../model/alert/alert.js';
import { digestOf } from '../../model/alert/digest.js';
import { backOff, dispatch, isGivenUp, owedTo } from '../../model/alert/owed.js';
import { formatOrdinals } from '../../model/alert/ordinals.js';
import type { Entry } from '../../model/alert/state.js';
import { messageOf } from '../../model/alert/words.js';
import { asFailure, type Failure } from '../../model/errors.js';
import type { DeliveryRecord } from '../../model/events/ledger.js';
import { redact } from '../../model/redact.js';
import type { Channel, Message } from '../../model/roles/channel.js';
import type { Context } from '../context.js';
import type { Outbox } from './outbox.js';

export interface Delivery {
  readonly record: DeliveryRecord;
  readonly message: Message;
}

/** Who failed lets a fall-back speak, which may fail too. */
const mostRounds = 6;
/** Of what the other side said, characters. */
const longestDetail = 500;

/** A send that ends in time, whatever the channel does. Rejects with a Failure `alert`. */
export async function sendWithin(context: Context, channel: Channel, message: Message, limit: number): Promise<string> {
  const stop = new AbortController();
  const timer = new AbortController();
  const late = context.clock.sleep(limit, AbortSignal.any([timer.signal, context.signal])).then(
    () => stop.abort(),
    () => stop.abort(),
  );
  const over = late.then((): never => {
    throw asFailure(`channel "${channel.name}": no answer within ${Math.round(limit / 1000)} s`, 'alert');
  });
  try {
    const sent = channel.send(message, stop.signal);
    return (await Promise.race([sent, over])).detail;
  } catch (error) {
    throw asFailure(error, 'alert');
  } finally {
    timer.abort();
    over.catch(() => {});
  }
}

const said = (text: string): string => redact(text).slice(0, longestDetail);

function refused(context: Context, outbox: Outbox, { name }: Channel, entry: Entry, failure: Failure): DeliveryRecord {
  const now = context.clock.now();
  const dead = failure.class === 'permanent' || isGivenUp(entry, context.settings.alerting, now);
  const wait = Math.max(backOff((outbox.state.channels[name]?.failing?.tries ?? 0) + 1), failure.retryAfter ?? 0);
  const notBefore = dead ? null : new Date(now.getTime() + wait).toISOString();
  return { ...recordOf(entry, name), ok: false, dead, detail: said(failure.message), notBefore };
}

const recordOf = (entry: Entry, channel: string) =>
  ({ record: 'delivery', alertId: entry.alert.id, channel, kind: entry.alert.kind, attempt: (entry.tries[channel] ?? 0) + 1 }) as const;

/** In the words of a channel. */
export const messageFor = ({ routes, process: { configFile } }: Context, alert: Alert, channel: string): Message =>
  messageOf(alert, channel, { ...routes[channel], configFile });

/** One channel is told one alert after the other, until it does not take one. */
async function tell(context: Context, outbox: Outbox, channel: Channel, entries: readonly Entry[], deadline: number): Promise<Delivery[]> {
  const deliveries: Delivery[] = [];
  for (const entry of entries) {
    // half of what is left, so that a fall-back has its time
    const limit = (deadline - context.clock.monotonic()) / 2;
    if (limit < 100 || context.signal.aborted) break;
    const message = messageFor(context, entry.alert, channel.name);
    const record = await sendWithin(context, channel, message, limit).then(
      (detail): DeliveryRecord => ({ ...recordOf(entry, channel.name), ok: true, dead: false, detail: said(detail), notBefore: null }),
      (failure: Failure) => refused(context, outbox, channel, entry, failure),
    );
    // whoever stops us did not let the channel answer
    if (context.signal.aborted && !record.ok) break;
    await context.ledger.appendFact(record);
    deliveries.push({ record, message });
    context.log(
      record.ok ? 'info' : 'warn',
      `alert "${message.subject}" ${record.ok ? 'sent' : 'not sent'} to ${channel.name}: ${record.detail}`,
    );
    if (!record.ok && !record.dead) break;
  }
  return isStuck(context, deliveries.at(-1), entries)
    ? [...deliveries, ...(await giveUp(context, outbox, channel, deliveries))]
    : deliveries;
}

/** Whether the channel itself cannot be reached, rather than would not take one alert. */
const isStuck = ({ settings, clock }: Context, last: Delivery | undefined, entries: readonly Entry[]): boolean => {
  const entry = entries.find(({ alert }) => alert.id === last?.record.alertId);
  return last !== undefined && entry !== undefined && !last.record.ok && isGivenUp(entry, settings.alerting, clock.now());
};

/** What else the channel could not be told for so long is given up with the one that was tried. */
async function giveUp(context: Context, outbox: Outbox, { name }: Channel, tried: readonly Delivery[]): Promise<Delivery[]> {
  const ids = new Set(tried.map(({ record }) => record.alertId));
  const detail = tried.at(-1)?.record.detail ?? '';
  const old = owedTo(outbox.state, context.routes, name)
    .filter((entry) => !ids.has(entry.alert.id) && isGivenUp(entry, context.settings.alerting, context.clock.now()))
    .map((entry) => ({
      record: { ...recordOf(entry, name), ok: false, dead: true, detail, notBefore: null },
      message: messageFor(context, entry.alert, name),
    }));
  for (const { record } of old) await context.ledger.appendFact(record);
  return old;
}

/** One round: every channel that is owed something and may be asked now. */
async function round(context: Context, outbox: Outbox, deadline: number): Promise<Delivery[]> {
  const now = context.clock.now();
  const { alerting } = context.settings;
  const planned = context.channels.map((channel) => ({
    channel,
    plan: dispatch(outbox.state, context.routes, channel, alerting, now),
  }));
  for (const { channel, plan } of planned)
    if (plan?.kind === 'digest') {
      const alert = digestOf(plan.entries, { id: context.newId(), host: context.process.host, now });
      const covers = formatOrdinals(plan.entries.map(({ n }) => n));
      await context.ledger.appendFact({ record: 'alert', alert, channels: [channel.name], covers });
    }
  await outbox.refresh();
  const told = planned.map(async ({ channel }) => {
    const plan = dispatch(outbox.state, context.routes, channel, alerting, now);
    return plan?.kind === 'single' ? tell(context, outbox, channel, plan.entries, deadline) : [];
  });
  const deliveries = (await Promise.all(told)).flat();
  await outbox.refresh();
  return deliveries;
}

/** Everything that can be told now, until `deadline` (monotonic ms). */
export async function sendOwed(context: Context, outbox: Outbox, deadline: number): Promise<Delivery[]> {
  const deliveries: Delivery[] = [];
  for (let rounds = 0; rounds < mostRounds; rounds += 1) {
    const more = await round(context, outbox, deadline);
    if (more.length === 0) break;
    deliveries.push(...more);
  }
  return deliveries;
}
