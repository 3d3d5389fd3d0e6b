/**
 * core: `explain`: why a schedule runs or does not run, now, at a time that was, or at one that comes. Writes nothing.
 */
import type { BackupEvent } from '../../model/events/event.js';
import { onBothClocks, type TwoClocks } from '../../model/moment/local.js';
import { clockChangeAt, occurrencesOf, slotKey } from '../../model/moment/occurrences.js';
import { outlookOf } from '../../model/moment/outlook.js';
import { dueSlots, zoneOf } from '../../model/moment/slots.js';
import type { Schedule } from '../../model/settings/settings.js';
import { formatDuration, msPerMinute } from '../../model/units.js';
import type { Context } from '../context.js';
import { activeEvents, listEvents } from '../history/events.js';
import { lookAround } from './around.js';
import { changeNotes } from './changes.js';
import { conditionsNow, timeConditions, type ExplainedCondition } from './conditions.js';
import { scheduleOf } from './timetable.js';
import { minuteOf } from '../../model/moment/minute.js';

export interface Explanation {
  readonly scheduleId: string;
  /** The moment that is explained. */
  readonly at: TwoClocks;
  readonly when: 'now' | 'past' | 'future';
  readonly zone: string;
  /**
   * Now: `off`, `running`, `ready` or `not-now`. Past: the event's status, `missed`, or `nothing` where nothing was due.
   * Future: `runs`, `waits`, `never`, or `nothing`.
   */
  readonly verdict: string;
  /** The verdict in words. */
  readonly summary: string;
  readonly conditions: readonly ExplainedCondition[];
  /** The slot that the moment belongs to; null: none was or is due about then. */
  readonly slot: (TwoClocks & { readonly key: string }) | null;
  /** The first slot after the moment; null: there is none. */
  readonly next: TwoClocks | null;
  /** Waiting for their time or their conditions, with the reasons recorded. */
  readonly pending: readonly BackupEvent[];
  /** Now: the last ones. Past: those at or nearest to the moment. */
  readonly events: readonly BackupEvent[];
  readonly notes: readonly string[];
}

interface Asked {
  readonly scheduleId: string;
  readonly schedule: Schedule;
  readonly zone: string;
}

/** The zone of a schedule's times. Throws `not-found`. */
export const zoneFor = ({ schedules, settings }: Pick<Context, 'schedules' | 'settings'>, scheduleId: string): string =>
  zoneOf(scheduleOf(schedules, scheduleId), settings);

/** Throws `not-found` for a schedule that there is not, naming the nearest. */
export async function explain(context: Context, scheduleId: string, at: Date | null): Promise<Explanation> {
  const schedule = scheduleOf(context.schedules, scheduleId);
  const asked = { scheduleId, schedule, zone: zoneOf(schedule, context.settings) };
  const now = context.clock.now();
  if (at === null) return explainNow(context, asked, now);
  return at <= now ? explainPast(context, asked, at) : explainFuture(context, asked, at);
}

/** What holds of every explanation. */
function frame({ settings }: Context, { scheduleId, schedule, zone }: Asked, at: Date) {
  const next = schedule.enabled && settings.enabled ? occurrencesOf(schedule, zone).next(at) : null;
  return { scheduleId, zone, at: onBothClocks(at, zone), next: next && onBothClocks(next, zone) };
}

const lastRuns = 5;

async function explainNow(context: Context, asked: Asked, now: Date): Promise<Explanation> {
  const { scheduleId } = asked;
  const active = (await activeEvents(context)).filter((event) => event.scheduleId === scheduleId);
  const conditions = await conditionsNow(context, asked, active);
  const { events: pending } = await listEvents(context, { schedule: scheduleId, status: 'pending', limit: 20 });
  const { events } = await listEvents(context, { schedule: scheduleId, limit: lastRuns });
  const unmet = conditions.filter(({ met }) => !met);
  const isOff = unmet.some(({ name }) => name === 'enabled');
  const names = [...new Set(unmet.map(({ name }) => name))].join(', ');
  const [verdict, summary] = isOff
    ? ['off', 'it does not run: it is switched off']
    : active.length > 0
      ? ['running', `it runs now: ${active.map(({ database }) => database).join(', ')}`]
      : unmet.length > 0
        ? ['not-now', `a backup would not start now: ${names}`]
        : ['ready', 'every condition holds; a backup would start now if one were due'];
  const ended = events.filter((event) => event.status !== 'pending');
  const onlyTriggers = asked.schedule.triggers && !asked.schedule.cron && !asked.schedule.calendar;
  const notes = [
    ...(onlyTriggers ? ['it has no times of its own: its triggers start it'] : []),
    ...(isOff ? [] : [...idleNotes(context, asked, now), ...(await changeNotes(context, scheduleId))]),
  ];
  return { ...frame(context, asked, now), when: 'now', verdict, summary, conditions, slot: null, pending, events: ended, notes };
}

/** A slot that is younger may still be seen to. */
const patience = 5 * msPerMinute;

/** The slots that nobody saw, because nothing started what is due. */
function idleNotes(context: Context, { scheduleId, schedule }: Asked, now: Date): string[] {
  const { last } = context.ticks();
  if (last === null) return [];
  const { run, missed } = dueSlots({ scheduleId, schedule, settings: context.settings }, last, new Date(now.getTime() - patience));
  const newest = run ?? missed.at(-1);
  if (!newest) return [];
  const count = missed.length + (run ? 1 : 0);
  const slots = count === 1 ? 'one slot has' : `${count} slots have`;
  return [
    `nothing has started \`execute --due\` since ${minuteOf(last)}, and ${slots} come meanwhile, the newest ${minuteOf(newest.at)}: \`backup-automation schedule check\``,
  ];
}

/** The newest slot not after a moment, with its key. */
function slotBefore({ scheduleId, schedule, zone }: Asked, at: Date): { at: Date; key: string } | null {
  const [slot] = occurrencesOf(schedule, zone).previous(1, at);
  return slot ? { at: slot, key: slotKey(scheduleId, slot, zone) } : null;
}

const past = {
  completed: 'it was backed up',
  failed: 'it failed',
  cancelled: 'it was cancelled',
  running: 'it is still running',
  pending: 'it still waits',
} as const;

async function explainPast(context: Context, asked: Asked, at: Date): Promise<Explanation> {
  const { zone } = asked;
  const { events, missed, cleared } = await lookAround(context, asked.scheduleId, at);
  const slot = slotBefore(asked, at);
  const [event] = events;
  const away = event ? Math.abs(Date.parse(event.timestamp) - at.getTime()) : 0;
  const how =
    away < msPerMinute ? '' : `, ${formatDuration(away)} ${event && Date.parse(event.timestamp) < at.getTime() ? 'before' : 'after'}`;
  const [verdict, summary] =
    missed.length > 0
      ? [
          'missed',
          `nothing ran: ${missed.map(({ count, from, until }) => `${count} slots from ${from} to ${until} were missed`).join('; ')}`,
        ]
      : event
        ? [event.status, `${past[event.status]}${how}${reasonOf(event)}`]
        : ['nothing', slot ? 'the ledger has no event about then' : 'nothing was due, and the ledger has no event about then'];
  const notes = [
    'window and blackout are judged by the configuration of today',
    ...(cleared ? [`its events were cleared from the listings at ${cleared.at} by ${cleared.by}`] : []),
  ];
  return {
    ...frame(context, asked, at),
    when: 'past',
    verdict,
    summary,
    conditions: [...timeConditions(context, asked, at), ...(event ? measuredThen(event) : [])],
    slot: slot && { key: slot.key, ...onBothClocks(slot.at, zone) },
    pending: events.filter(({ status }) => status === 'pending'),
    events,
    notes,
  };
}

const reasonOf = ({ result, reasons }: BackupEvent): string => {
  const why = result?.error ?? reasons?.join('; ');
  return why ? `: ${why}` : '';
};

/** What the event recorded when it was decided; the limits of then are in its reasons. */
function measuredThen({ metadata, database, reasons = [] }: BackupEvent): ExplainedCondition[] {
  const blamed = (name: string) => reasons.find((reason) => reason.startsWith(`${name}:`));
  const measured = [
    ['load', metadata.databaseLoad, '%'],
    ['disk', metadata.diskSpace, 'GB free'],
    ['concurrency', metadata.concurrentBackups, 'other backups were running'],
  ] as const;
  return measured.flatMap(([name, value, unit]) => {
    const reason = blamed(name);
    if (value === null && reason === undefined) return [];
    return [{ name, database, value, limit: null, met: reason === undefined, detail: reason ?? `${value} ${unit} then` }];
  });
}

/** A moment belongs to the slot of its minute. */
async function explainFuture(context: Context, asked: Asked, at: Date): Promise<Explanation> {
  const { scheduleId, schedule, zone } = asked;
  const isOff = !schedule.enabled || !context.settings.enabled;
  const begin = new Date(Math.floor(at.getTime() / msPerMinute) * msPerMinute);
  const due = isOff ? null : occurrencesOf(schedule, zone).next(new Date(begin.getTime() - 1));
  const slot = due && due.getTime() < begin.getTime() + msPerMinute ? due : null;
  const outlook = slot && outlookOf(slot, schedule, context.settings, zone);
  const words = { runs: 'it runs, when its conditions hold then', waits: 'it is due', never: 'it is due, and cannot run' };
  const summary = outlook
    ? `${words[outlook.verdict]}${outlook.detail ? `: ${outlook.detail}` : ''}${outlook.verdict === 'waits' && outlook.startsAt ? ` (${minuteOf(outlook.startsAt)})` : ''}`
    : isOff
      ? 'it does not run: it is switched off'
      : 'nothing is due then';
  const change = slot && clockChangeAt(schedule, zone, slot);
  return {
    ...frame(context, asked, slot ?? at),
    at: onBothClocks(at, zone),
    when: 'future',
    verdict: outlook?.verdict ?? (isOff ? 'off' : 'nothing'),
    summary,
    conditions: timeConditions(context, asked, at),
    slot: slot && { key: slotKey(scheduleId, slot, zone), ...onBothClocks(slot, zone) },
    pending: [],
    events: [],
    notes: change
      ? [`the clock changes about then, so it is ${change === 'skipped' ? 'moved behind the gap' : 'run the first time alone'}`]
      : [],
  };
}
