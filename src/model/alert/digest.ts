/**
 * model: many alerts as one: how many of what, and each reason once with where it was met. It sends nothing.
 */
import { severities, type Alert } from './alert.js';
import { minuteOf } from '../moment/minute.js';
import type { Entry } from './state.js';
import { statusOf } from './words.js';
import { countOf } from '../units.js';

/** Reasons told with their own line; the ledger has the rest. */
const mostReasons = 39;
/** Names told of each. */
const mostNames = 8;

interface Group {
  readonly newest: Alert;
  readonly names: Set<string>;
  readonly count: number;
}

function groupsOf(entries: readonly Entry[]): Group[] {
  const groups = new Map<string, Group>();
  for (const { alert } of entries) {
    const key = `${statusOf(alert)} ${alert.reason}`;
    const known = groups.get(key);
    const names = known?.names ?? new Set();
    names.add([alert.scheduleId, alert.database].filter((name) => name !== null).join(' ') || alert.host);
    groups.set(key, { newest: alert, names, count: (known?.count ?? 0) + 1 });
  }
  const rank = ({ newest }: Group) => severities.indexOf(newest.severity);
  return [...groups.values()].toSorted((a, b) => rank(b) - rank(a) || b.count - a.count);
}

function lineOf({ newest, names, count }: Group): readonly [string, string] {
  const all = [...names];
  const more = all.length > mostNames ? `, and ${all.length - mostNames} more` : '';
  const error = newest.kind === 'recovered' ? undefined : newest.facts.find(([label]) => label === 'Error')?.[1];
  return [`${count} x ${statusOf(newest)}`, `${error ?? newest.title}\n${all.slice(0, mostNames).join(', ')}${more}`];
}

/** One alert that stands for all of these. At least one entry. */
export function digestOf(
  entries: readonly Entry[],
  { id, host, now }: { readonly id: string; readonly host: string; readonly now: Date },
): Alert {
  const groups = groupsOf(entries);
  const shown = groups.slice(0, mostReasons).map(lineOf);
  const rest = groups.length > mostReasons ? [['and', countOf(groups.length - mostReasons, 'more reason')] as const] : [];
  const first = entries[0]?.at ?? now.toISOString();
  return {
    id: `${id}:digest`,
    kind: 'digest',
    severity: groups[0]?.newest.severity ?? 'info',
    scheduleId: null,
    database: null,
    eventId: null,
    host,
    at: now.toISOString(),
    title: `${countOf(entries.length, 'alert')} since ${minuteOf(first)}, of ${groups.length === 1 ? 'one reason' : `${groups.length} reasons`}`,
    facts: [...shown, ...rest],
    class: null,
    reason: 'digest',
    nextTry: null,
    command: `backup-automation events --since ${first}`,
  };
}
