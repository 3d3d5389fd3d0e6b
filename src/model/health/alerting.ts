/**
 * model: the health check of the alerts themselves: channels that do not take any, and that nobody proved. Sends nothing.
 */
import type { ChannelState } from '../alert/state.js';
import { formatDuration, msPerDay, msPerMinute } from '../units.js';
import type { HealthCheck } from './check.js';

export interface ChannelFacts {
  readonly name: string;
  /** Null: nothing was ever to be told to it. */
  readonly state: ChannelState | null;
  /** How many alerts are owed to it. */
  readonly owed: number;
  /** Since when something is. */
  readonly owedSince: string | null;
}

/** Longer than this nothing should be owed, ms. */
const patience = 60 * msPerMinute;
const provenEvery = 30;

const prove = '`backup-automation test --alerts` tries every channel';
const since = (at: string, now: Date): string => formatDuration(Math.max(0, now.getTime() - Date.parse(at)));

function judgeChannel({ name, state, owedSince }: ChannelFacts, now: Date): HealthCheck {
  const check = { name: 'alerts', subject: name, value: state?.provenAt ?? null, limit: null };
  const lost = state?.dead.at(-1);
  if (state && lost) {
    const count = state.dead.length === 1 ? 'an alert was given up' : `${state.dead.length} alerts were given up`;
    return { ...check, status: 'critical', detail: `${count}, the last ${since(lost.at, now)} ago: ${lost.detail}`, hint: prove };
  }
  if (owedSince !== null && now.getTime() - Date.parse(owedSince) > patience) {
    const why = state?.failing ? `: ${state.failing.detail}` : '; nothing ran that could send it';
    return { ...check, status: 'warning', detail: `an alert is owed to it for ${since(owedSince, now)}${why}`, hint: prove };
  }
  const detail = state?.provenAt ? `it took its last message ${since(state.provenAt, now)} ago` : 'it was not told anything yet';
  return { ...check, status: 'healthy', detail, hint: '' };
}

export const judgeAlerting = (channels: readonly ChannelFacts[], now: Date): HealthCheck[] =>
  channels.map((channel) => judgeChannel(channel, now));

const isProven = ({ state }: ChannelFacts, now: Date): boolean =>
  state?.provenAt != null && now.getTime() - Date.parse(state.provenAt) <= provenEvery * msPerDay;

export function adviseAlerting(channels: readonly ChannelFacts[], now: Date): string[] {
  const [only, second] = channels;
  if (!only) return ['nobody is told of a failed backup: add a channel to `alerts` in the configuration'];
  const unproven = channels.filter((channel) => !isProven(channel, now)).map(({ name }) => name);
  const those = unproven.length === 1 ? `the channel ${unproven[0]} took` : `the channels ${unproven.join(', ')} took`;
  return [
    ...(unproven.length > 0 ? [`${those} no message in the last ${provenEvery} days: ${prove}`] : []),
    ...(second ? [] : [`${only.name} is the only channel: when it is down nobody is told; add a second one that does not share its fate`]),
  ];
}
