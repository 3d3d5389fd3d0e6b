/**
 * model: which channel is still to be told of which alert, and when it is tried. Decides; sends nothing.
 */
import type { Channel } from '../roles/channel.js';
import type { Alerting, Routing } from '../settings/alerts.js';
import { msPerMinute } from '../units.js';
import { severities, type Alert } from './alert.js';
import type { AlertState, ChannelState, Entry } from './state.js';

export type Routes = Readonly<Record<string, Routing>>;

const hour = 60 * msPerMinute;
/** While many alerts come, so long lies between two digests, ms. */
const digestPause = 10 * msPerMinute;
/** Alerts that one digest stands for, so that its record fits a line. */
const mostCovered = 1000;

/** An entry of the configuration, or a member of a cluster. */
const isOf = (entries: readonly string[], name: string): boolean =>
  entries.some((entry) => name === entry || name.startsWith(`${entry}--`));

/** Whether an alert is one of those that a channel wants. What belongs to no schedule or no database concerns every channel. */
function isRouted({ severity, schedules, databases }: Routing, alert: Alert): boolean {
  return (
    severities.indexOf(alert.severity) >= severities.indexOf(severity) &&
    (!schedules || alert.scheduleId === null || schedules.includes(alert.scheduleId)) &&
    (!databases || alert.database === null || isOf(databases, alert.database))
  );
}

const isOpen = (entry: Entry, channel: string): boolean => entry.settled[channel] === undefined && entry.covered[channel] === undefined;

/** Whether an entry is meant for a channel, told or not; a fall-back is not asked. */
function isMeant(state: AlertState, route: Routing, channel: string, { at, channels, except, alert }: Entry): boolean {
  const since = state.channels[channel]?.since;
  if (since === undefined || at < since || except === channel) return false;
  return channels ? channels.includes(channel) : isRouted(route, alert);
}

/** Whether a channel that is no fall-back could not take it. */
const isRefused = (state: AlertState, routes: Routes, entry: Entry): boolean =>
  Object.entries(routes).some(
    ([name, route]) =>
      !route.fallback &&
      isMeant(state, route, name, entry) &&
      (entry.settled[name] === 'dead' ||
        (entry.settled[name] === undefined && (entry.tries[name] !== undefined || state.channels[name]?.failing != null))),
  );

function isOwed(state: AlertState, routes: Routes, channel: string, entry: Entry): boolean {
  const route = routes[channel];
  if (!route || !isOpen(entry, channel) || !isMeant(state, route, channel, entry) || isTooEarly(state, routes, channel, entry))
    return false;
  return !route.fallback || entry.channels !== null || isRefused(state, routes, entry);
}

/** Whether it says that a problem is over of which the channel is still to hear: the last word comes last. */
function isTooEarly(state: AlertState, routes: Routes, channel: string, { alert, problem }: Entry): boolean {
  if (alert.kind !== 'recovered') return false;
  const isUnheard = (entry: Entry) =>
    entry.settled[channel] === undefined && (entry.covered[channel] !== undefined || isOwed(state, routes, channel, entry));
  return state.entries.some((entry) => entry.problem === problem && entry.alert.kind !== 'recovered' && isUnheard(entry));
}

/** What a channel is still to be told, the least tried first, then the oldest. */
export const owedTo = (state: AlertState, routes: Routes, channel: string): Entry[] =>
  state.entries
    .filter((entry) => isOwed(state, routes, channel, entry))
    .toSorted((a, b) => (a.tries[channel] ?? 0) - (b.tries[channel] ?? 0) || a.n - b.n);

/** Forgets the entries that nobody is, or ever will be, owed. */
export function forget(state: AlertState, routes: Routes): void {
  const names = Object.keys(routes);
  const mayBeOwed = (entry: Entry) => names.some((name) => isOwed(state, routes, name, entry));
  const covering = (entry: Entry) => Object.values(entry.covered);
  const live = new Set(state.entries.filter(mayBeOwed));
  const digests = new Set([...live].map(({ alert }) => alert.id));
  const problems = new Set([...live].flatMap(({ problem, alert }) => (problem !== null && alert.kind !== 'recovered' ? [problem] : [])));
  const covered = (entry: Entry) => covering(entry).some((id) => digests.has(id));
  for (const entry of state.entries) if (covered(entry) && entry.problem !== null) problems.add(entry.problem);
  // a recovery is told to whoever is still to hear of the problem
  const awaits = ({ alert, problem }: Entry) => alert.kind === 'recovered' && problem !== null && problems.has(problem);
  state.entries = state.entries.filter((entry) => live.has(entry) || covered(entry) || awaits(entry));
}

/** What is sent to a channel now: alerts one by one, one digest of all, or nothing before a time. */
export type Dispatch =
  | { readonly kind: 'single' | 'digest'; readonly entries: readonly Entry[] }
  | { readonly kind: 'wait'; readonly until: Date };

/**
 * How a channel is told: `digestAbove` messages an hour at most, more become digests with pauses between them.
 * Null: it is owed nothing.
 */
export function dispatch(
  state: AlertState,
  routes: Routes,
  { name, resolves = false }: Pick<Channel, 'name' | 'resolves'>,
  { digestAbove }: Pick<Alerting, 'digestAbove'>,
  now: Date,
): Dispatch | null {
  const channel = state.channels[name];
  const entries = owedTo(state, routes, name);
  if (!channel || entries.length === 0) return null;
  const until = channel.failing ? new Date(channel.failing.notBefore) : now;
  if (until > now) return { kind: 'wait', until };
  // what was made for this channel, and what ends something there, is not gathered into digests
  const isOwn = ({ channels, alert }: Entry) => channels !== null && (alert.kind !== 'recovered' || resolves);
  const gathered = entries.filter((entry) => !isOwn(entry));
  const own = entries.filter(isOwn);
  // one that failed is asked whether it is back with one message, not with all
  if (channel.failing) return { kind: 'single', entries: [...own, ...gathered].slice(0, 1) };
  const recent = channel.told.filter((at) => now.getTime() - Date.parse(at) < hour);
  if (own.length > 0 || recent.length + gathered.length <= digestAbove) return { kind: 'single', entries: own.length > 0 ? own : gathered };
  const pause = nextDigest(channel, recent.length < digestAbove);
  if (pause > now) return { kind: 'wait', until: pause };
  return { kind: gathered.length === 1 ? 'single' : 'digest', entries: gathered.slice(0, mostCovered) };
}

const nextDigest = ({ told }: ChannelState, hasRoom: boolean): Date => {
  const last = told.at(-1);
  return last === undefined || hasRoom ? new Date(0) : new Date(Date.parse(last) + digestPause);
};

/** Wait before the next try of a channel that failed `tries` times in a row, ms: 1, 2, 4 ... 60 minutes. */
export const backOff = (tries: number): number => Math.min(hour, msPerMinute * 2 ** Math.min(tries - 1, 10));

/** Whether an alert that a channel does not take is given up. */
export const isGivenUp = (entry: Entry, { giveUpAfter }: Pick<Alerting, 'giveUpAfter'>, now: Date): boolean =>
  now.getTime() - Date.parse(entry.at) >= giveUpAfter * hour;
