/**
 * core: `notify` tells the channels what they are owed by the ledger. It never fails the work it tells of.
 */
import { asFailure, Failure } from '../model/errors.js';
import { dueCanaries, dueReminders, type DueFacts } from '../model/alert/due.js';
import { dispatch, forget } from '../model/alert/owed.js';
import { healthAlerts } from '../model/alert/topics.js';
import type { HealthReport } from '../model/health/health.js';
import { countOf, msPerMinute } from '../model/units.js';
import type { Context } from './context.js';
import { beaten } from './notify/beat.js';
import { tellDirectly } from './notify/direct.js';
import { Outbox, recall } from './notify/outbox.js';
import { sendOwed, type Delivery } from './notify/send.js';

export interface NotifyOptions {
  /** Longest time for everything, ms. */
  readonly budget: number;
  /** What is due by the clock and can wait for `--due`: test messages. */
  readonly due?: boolean;
  /** What a look at health found just now. */
  readonly report?: Pick<HealthReport, 'checks'>;
}

/** After this time it is looked again, although nothing was written, ms. */
const rest = 60 * msPerMinute;

/** At the end of a deed. */
export const atEnd = { budget: 30_000 } as const;
/** Before a deed that somebody waits for. */
export const atStart = { budget: 10_000 } as const;

/**
 * Sends what is owed. Resolves to a Failure `alert` when a channel did not take one, or one was given up; null when all went well,
 * another process sends, or there is nobody to tell. Of class `permanent`: alerts were lost.
 */
export async function notify(context: Context, options: NotifyOptions): Promise<Failure | null> {
  if (context.signal.aborted || (context.channels.length === 0 && recall(context) === null)) return null;
  try {
    const lock = await context.locks.claimAlerts(Math.floor(options.budget / 3000));
    if (!lock) return null;
    try {
      return judge(context, await drain(context, options));
    } finally {
      lock.release();
    }
  } catch (error) {
    const failure = asFailure(error, 'alert');
    context.log('warn', `alerts: ${failure.message}`);
    if (failure.code === 'ledger') await tellDirectly(context, failure);
    return new Failure('alert', `alerts cannot be told: ${failure.message}`, { hint: failure.hint, cause: error });
  }
}

/** Does the deed, then sends what is owed; what the deed came to, with a Failure `alert` where it had none. */
export async function andNotify<Done extends { readonly failure: Failure | null }>(
  context: Context,
  deed: () => Promise<Done>,
): Promise<Done> {
  const done = await deed();
  const [untold] = await Promise.all([notify(context, atEnd), beaten(context)]);
  return { ...done, failure: done.failure ?? untold };
}

async function drain(context: Context, { budget, due = false, report }: NotifyOptions): Promise<Delivery[]> {
  const deadline = context.clock.monotonic() + budget;
  const outbox = new Outbox(context);
  await outbox.refresh();
  await configure(context, outbox);
  if (report) await look(context, outbox, report);
  const deliveries = context.channels.length > 0 ? await raiseAndSend(context, outbox, { deadline, due }) : [];
  forget(outbox.state, context.routes);
  outbox.keep(nextTime(context, outbox));
  return deliveries;
}

async function raiseAndSend(context: Context, outbox: Outbox, { deadline, due }: { deadline: number; due: boolean }): Promise<Delivery[]> {
  const { overdueAlerts } = await import('../model/alert/overdue.js');
  const now = context.clock.now();
  const { host } = context.process;
  const facts: DueFacts = {
    now,
    host,
    alerting: context.settings.alerting,
    schedules: Object.entries(context.schedules).flatMap(([id, { enabled }]) => (enabled ? [id] : [])),
  };
  await outbox.append(...overdueAlerts(outbox.state, { ...context, now, host }));
  await outbox.append(...dueReminders(outbox.state, facts), ...(due ? dueCanaries(outbox.state, facts) : []));
  if (due) {
    const { dueSummary } = await import('./notify/summary.js');
    await outbox.append(...(await dueSummary(context, outbox.state)));
  }
  return sendOwed(context, outbox, deadline);
}

/** What changed since health was last told of. */
async function look({ clock, process }: Context, outbox: Outbox, { checks }: Pick<HealthReport, 'checks'>): Promise<void> {
  const now = clock.now();
  outbox.lookedAt = now.toISOString();
  await outbox.append(...healthAlerts(outbox.state, checks, { now, host: process.host }));
}

/** Whether health was not looked at for an hour, though somebody would be told. */
export function isLookDue(context: Context): boolean {
  const lookedAt = recall(context)?.lookedAt;
  return context.channels.length > 0 && (lookedAt == null || context.clock.now().getTime() - Date.parse(lookedAt) >= rest);
}

/** Writes down who is told from now on, when that changed. */
async function configure({ channels, settings }: Context, outbox: Outbox): Promise<void> {
  const names = channels.map(({ name }) => name).toSorted();
  const { state } = outbox;
  const same = names.join() === Object.keys(state.channels).toSorted().join();
  if (same && state.onFailure === settings.alertOnFailure && state.onSuccess === settings.alertOnSuccess) return;
  await outbox.append({ record: 'alerting', channels: names, onFailure: settings.alertOnFailure, onSuccess: settings.alertOnSuccess });
}

/** When somebody has to look again, even if nothing happens. */
function nextTime({ clock, routes, settings, channels }: Context, { state }: Outbox): Date {
  const now = clock.now();
  const times = channels.flatMap((channel) => {
    const plan = dispatch(state, routes, channel, settings.alerting, now);
    return plan === null ? [] : [plan.kind === 'wait' ? plan.until : now];
  });
  return new Date(Math.min(now.getTime() + rest, ...times.map((time) => time.getTime())));
}

/** What went wrong, in one failure; said aloud at once. */
function judge(context: Context, deliveries: readonly Delivery[]): Failure | null {
  const bad = deliveries.filter(({ record }) => !record.ok);
  const dead = bad.filter(({ record }) => record.dead);
  const tell = (message: string) => context.announce({ kind: 'warning', database: null, message });
  for (const { record, message } of bad)
    tell(
      record.dead
        ? `ALERT LOST: ${record.channel} was never told "${message.subject}": ${record.detail}`
        : `the alert "${message.subject}" could not be sent to ${record.channel}: ${record.detail}; it is tried again`,
    );
  const [first] = dead.length > 0 ? dead : bad;
  if (!first) return null;
  const { channel, detail } = first.record;
  const what =
    dead.length > 0
      ? `${countOf(dead.length, 'alert was', 'alerts were')} given up`
      : `${countOf(bad.length, 'alert')} could not be sent yet`;
  return new Failure('alert', `${what}: channel "${channel}": ${detail}`, { class: dead.length > 0 ? 'permanent' : 'transient' });
}
