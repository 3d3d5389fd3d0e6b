/**
 * model: the health check of what starts us every minute: an entry that vanished, was edited, or starts nothing. Measures nothing.
 */
import type { Ticks } from '../roles/scheduler.js';
import { formatDuration, msPerMinute } from '../units.js';
import type { HealthCheck } from './check.js';

export interface SchedulerFacts {
  readonly now: Date;
  /** What was set up last and not taken away; null: nothing, as far as the ledger tells. */
  readonly remembered: { readonly kind: string; readonly sha256: string | null } | null;
  /** What stands in the schedulers of this machine for this configuration. */
  readonly found: readonly { readonly kind: string; readonly place: string; readonly sha256: string; readonly problem: string | null }[];
  readonly ticks: Ticks;
  /** Whether any schedule is enabled. */
  readonly needed: boolean;
}

/** Ticks come every minute; a few may be late. */
const silence = 5 * msPerMinute;
const install = '`backup-automation schedule install`';

interface Judged {
  readonly status: 'healthy' | 'warning' | 'critical';
  readonly detail: string;
  readonly hint: string;
}

const good = (detail: string): Judged => ({ status: 'healthy', detail, hint: '' });

function judgeEntry({ now, remembered, found, ticks }: SchedulerFacts): Judged {
  const [entry] = found;
  const age = ticks.last === null ? null : now.getTime() - ticks.last.getTime();
  const last = age === null ? 'it has never started anything' : `the last start was ${formatDuration(Math.max(0, age))} ago`;
  if (!entry && remembered)
    return { status: 'critical', detail: `the entry in ${remembered.kind} has vanished: schedules are not run; ${last}`, hint: install };
  if (!entry) {
    if (age === null) return good('schedules are not run by this machine yet');
    return age > silence
      ? { status: 'warning', detail: `\`execute --due\` was run every minute, and is no longer: ${last}`, hint: install }
      : good(`started by something of your own; ${last}`);
  }
  if (entry.problem !== null)
    return {
      status: 'critical',
      detail: `${entry.place}: ${entry.problem}; ${last}`,
      hint: '`backup-automation schedule check` shows whether it helped',
    };
  // an entry that was made a moment ago has its first minute before it
  if (age !== null && age > silence)
    return {
      status: 'critical',
      detail: `${entry.place} should start us every minute, but ${last}`,
      hint: 'see schedule.log in the state directory, and the log of the system',
    };
  if (remembered?.sha256 && remembered.sha256 !== entry.sha256)
    return { status: 'warning', detail: `the entry in ${entry.place} was edited; ${last}`, hint: `${install} writes it anew` };
  return good(`${entry.place}; ${last}`);
}

/** Whether schedules are run; no check where none is enabled. */
export function judgeScheduler(facts: SchedulerFacts): HealthCheck[] {
  if (!facts.needed) return [];
  return [{ name: 'scheduler', subject: null, value: facts.ticks.last?.toISOString() ?? null, limit: null, ...judgeEntry(facts) }];
}

/** What would be better, without changing the status. */
export function adviseScheduler({ needed, found, ticks }: SchedulerFacts): string[] {
  return needed && found.length === 0 && ticks.last === null
    ? [`nothing runs the schedules yet: ${install} does, or \`backup-automation execute --due\` every minute`]
    : [];
}
