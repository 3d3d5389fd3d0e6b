/**
 * core: what a person sees first: of each database whether last night's data could be restored, and what is to be done. Asks no
 * database, writes nothing, and reads the ledger on from where it stood.
 */
import { expectedAt } from '../../model/events/expectation.js';
import { occurrencesOf } from '../../model/moment/occurrences.js';
import { zoneOf } from '../../model/moment/slots.js';
import type { RoutineState } from '../../model/metrics/samples.js';
import { own } from '../../model/own.js';
import { overviewOf, type DatabaseFacts, type Overview } from '../../model/overview/overview.js';
import type { Context } from '../context.js';
import type { Looked, Metrics } from '../metrics.js';

/** When its last good backup, by whatever schedule, is too old for one of them. */
function expectedOf({ schedules, settings, clock }: Context, routines: readonly RoutineState[], beginning: Date | null): Date | null {
  const good = routines.flatMap(({ lastGood }) => lastGood ?? []);
  const lastGood = good.length === 0 ? null : new Date(Math.max(...good.map(Number)));
  const times = routines.flatMap(({ scheduleId }) => {
    const schedule = scheduleId === null ? undefined : own(schedules, scheduleId);
    if (!schedule || !settings.enabled) return [];
    return expectedAt(schedule, settings, lastGood, beginning ?? clock.now()) ?? [];
  });
  return times.length === 0 ? null : new Date(Math.min(...times.map(Number)));
}

/** When one of its schedules last ran, or should have. */
function dueOf({ schedules, settings, clock }: Context, routines: readonly RoutineState[]): Date | null {
  const times = routines.flatMap(({ scheduleId }) => {
    const schedule = scheduleId === null ? undefined : own(schedules, scheduleId);
    return schedule?.enabled ? occurrencesOf(schedule, zoneOf(schedule, settings)).previous(1, clock.now()) : [];
  });
  return times.length === 0 ? null : new Date(Math.max(...times.map(Number)));
}

function databasesOf(context: Context, { facts, recent, history }: Looked): DatabaseFacts[] {
  const names = [...new Set(facts.routines.map(({ database }) => database))].toSorted();
  return names.map((name) => {
    const routines = facts.routines.filter(({ database }) => database === name);
    return {
      name,
      routines,
      expected: expectedOf(context, routines, history.beginning),
      due: dueOf(context, routines),
      restoredAt: own(facts.verified, name)?.restore ?? null,
      made: own(recent.made, name) ?? [],
      broken: own(recent.broken, name) ?? null,
    };
  });
}

/** Everything as it is now. */
export async function lookOver(context: Context, metrics: Metrics): Promise<Overview> {
  const looked = await metrics.look();
  const { now, targets, minFreeBytes, restoreTimes } = looked.facts;
  return overviewOf({ now, targets, minFreeBytes, restoreTimes, health: looked.health, databases: databasesOf(context, looked) });
}
